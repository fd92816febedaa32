"""What is asked before a frame is carried out, and who is told afterwards. No I/O.

First the authorizer is asked, for ``create`` too where the destination does not exist yet;
then the reviewer. Each may answer later: whoever asks says how it goes on (``then``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from morbid.errors import CREATE_REFUSED, LOGIN_REFUSED, READ_REFUSED, WRITE_REFUSED, Refused
from morbid.mqsecurity import Operation, Verdict
from morbid.subscriptions import Subscription, subscription_key
from stompservice.protocol import V10, Frame

if TYPE_CHECKING:
    from morbid.session import BrokerSession

REFUSALS: Final = {
    "create": CREATE_REFUSED,
    "subscribe": READ_REFUSED,
    "send": WRITE_REFUSED,
}

ALLOWED: Final = Verdict()


def permit(
    session: BrokerSession,
    operation: Operation,
    destination: str,
    frame: Frame,
    body: bytes | None,
    then: Callable[[Verdict], None],
) -> None:
    """Ask the authorizer, then the reviewer; go on with ``then`` if both agree."""
    operations: tuple[Operation, ...] = (operation,)
    if destination not in session.broker.destinations:
        operations = ("create", operation)

    def authorized() -> None:
        if session.policy.security.reviewer is None:
            then(ALLOWED)
        else:
            subject = {**frame.headers, "username": session.login}
            review(session, operation, subject, body, then)

    authorize(session, operations, destination, frame, authorized)


def authorize(
    session: BrokerSession,
    operations: tuple[Operation, ...],
    destination: str,
    frame: Frame,
    then: Callable[[], None],
) -> None:
    """Ask the authorizer, if there is one, for one operation after the other."""
    authorizer = session.policy.security.authorizer
    if authorizer is None or not operations:
        then()
        return

    def decided(answer: object) -> None:
        session.read_expiry()
        if answer is not True:
            raise Refused(REFUSALS[operations[0]])
        authorize(session, operations[1:], destination, frame, then)

    answer = called(
        session, authorizer.authorize, session.identity, operations[0], destination, frame.headers
    )
    session.ask(answer, decided)


def review(
    session: BrokerSession,
    event: str,
    subject: dict[str, str],
    body: bytes | None,
    then: Callable[[Verdict], None],
) -> None:
    """Ask the reviewer, if there is one; obey what it adds after ``then``."""
    reviewer = session.policy.security.reviewer
    if reviewer is None:
        then(ALLOWED)
        return

    def decided(verdict: Verdict | None) -> None:
        if verdict is None or not verdict.is_allowed:
            raise Refused(REFUSALS.get(event, LOGIN_REFUSED))
        then(verdict)
        for destination in verdict.subscribe:
            _subscribe_unasked(session, destination)
        by_key = session.subscriptions.by_key
        ended = [each for each in by_key.values() if each.destination in verdict.unsubscribe]
        end_subscriptions(session, ended, {})

    session.ask(called(session, reviewer.review, event, subject, body), decided)


def _subscribe_unasked(session: BrokerSession, destination: str) -> None:
    """Subscribe a connection to what its site wants it to have."""
    # MESSAGE needs a "subscription" from 1.1 on: the destination, for want of another.
    id = None if session.version == V10 else destination
    if subscription_key(id, destination) not in session.subscriptions.by_key:
        session.subscriptions.check_new(id, destination)
        session.broker.subscribe(Subscription(session, destination, id))
        advise(session, "subscribed", destination)


def called(session: BrokerSession, function: Callable[..., Any], *arguments: object) -> Any:
    """Ask; whoever raises has refused."""
    try:
        return function(*arguments)
    except Exception as error:
        session.failed(error)
        return None


# Telling.


def end_subscriptions(
    session: BrokerSession, subscriptions: list[Subscription], headers: dict[str, str]
) -> None:
    """Take subscriptions away, and tell those who want to know."""
    session.broker.unsubscribe(*subscriptions)
    reviewer = session.policy.security.reviewer
    for subscription in subscriptions:
        if reviewer is not None:
            where = {"destination": subscription.destination, "username": session.login}
            called(session, reviewer.notify, "unsubscribe", {**headers, **where})
        advise(session, "unsubscribed", subscription.destination)


def gone(session: BrokerSession) -> None:
    """Tell those who want to know that a login has gone."""
    reviewer = session.policy.security.reviewer
    if reviewer is not None and session.login:
        called(session, reviewer.notify, "disconnect", {"username": session.login})
    logout = getattr(session.identity, "logout", None)
    if logout is not None:
        called(session, logout)
    advise(session, "disconnected")


def advise(session: BrokerSession, event: str, destination: str | None = None) -> None:
    """Tell the site, if it wants to know."""
    told = session.account()
    if destination is not None:
        told["destination"] = destination
    session.policy.advise(session.broker, event, told)
