"""Subscriptions whose right ends before their connection does. No I/O, no clock.

An identity may say until when it may listen to single destinations (``subscriptions_end_at``, see
``morbid.mqsecurity``). A subscription whose time is over *lapses*: it gets nothing more, and all
else on its connection goes on. It keeps its id, so UNSUBSCRIBE works as ever; and when the identity
says later that it may listen again, the subscription goes on as if it had been made anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from morbid.asking import advise

if TYPE_CHECKING:
    from morbid.session import BrokerSession


def apply_ends(session: BrokerSession, wall_offset: float) -> float | None:
    """Let subscriptions lapse whose time is over, and renewed ones go on.

    Args:
        session: whose.
        wall_offset: added to its clock gives seconds since the epoch.

    Returns:
        when to look again, on the session's clock; None for never.
    """
    ends = getattr(session.identity, "subscriptions_end_at", None)
    if not ends:
        return None
    coming = []
    for subscription in list(session.subscriptions.by_key.values()):
        end = ends.get(subscription.destination)
        if end is None:
            continue
        if end - wall_offset > session.now:
            coming.append(end - wall_offset)
            if subscription.source is None:
                session.broker.subscribe(subscription)
                advise(session, "subscribed", subscription.destination)
        elif subscription.source is not None:
            session.broker.unsubscribe(subscription)
            session.subscriptions.add(subscription)
            advise(session, "unsubscribed", subscription.destination)
    return min(coming, default=None)
