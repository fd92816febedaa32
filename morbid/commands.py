"""What each STOMP command does, one function each. No I/O.

A function gets the session and the frame, and raises ``Refused`` for what the peer may
not have. ``morbid.session.COMMANDS`` says in which state which of them is called.
STOMP 1.2, "Frames"; differences of the older versions are beside the lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from morbid.asking import advise, called, end_subscriptions, permit, review
from morbid.errors import (
    BAD_HEADER,
    DISCONNECTED,
    LOGIN_REFUSED,
    MISSING_HEADER,
    NOT_SUBSCRIBABLE,
    UNKNOWN_COMMAND,
    UNKNOWN_MESSAGE,
    UNKNOWN_SUBSCRIPTION,
    UNSUPPORTED_VERSION,
    Refused,
)
from morbid.events import LoggedIn
from morbid.messagequeue import kind_of
from morbid.mqsecurity import Named, Verdict
from morbid.subscriptions import AUTO, Subscription, subscription_key
from stompservice.errors import ProtocolError
from stompservice.protocol import V10, V11, V12, VERSIONS, Frame, encode, negotiate_version
from stompservice.protocol.heartbeat import Beat, negotiate, parse_heart_beat
from stompservice.protocol.spec import ACK_MODES

if TYPE_CHECKING:
    from morbid.session import BrokerSession

SERVER: Final = "morbid/1.0"
"""The ``server`` header of CONNECTED."""


# Coming and going.


def connect(session: BrokerSession, frame: Frame) -> None:
    """CONNECT or STOMP: agree on a version, and ask who this is."""
    headers = frame.headers
    version = negotiate_version(headers.get("accept-version"))
    if version is None:
        session.refuse(Refused(UNSUPPORTED_VERSION), {"version": ",".join(VERSIONS)})
        return
    beats = _heart_beats(session, frame) if version != V10 else (0, 0)
    session.begin_deciding(version)
    login, passcode = headers.get("login", ""), headers.get("passcode", "")

    def let_in(identity: Named) -> None:
        claim = getattr(identity, "session", None)
        if session.broker.is_unwanted(identity.name, claim, session.now):
            session.broker.counters.logins_refused += 1
            raise Refused(DISCONNECTED)
        session.open(identity, beats)
        session.reply(_connected(session, "accept-version" in headers))
        session.emit(LoggedIn(identity.name, version))
        advise(session, "connected")

    def decided(identity: Named | None) -> None:
        if identity is not None and not isinstance(getattr(identity, "name", None), str):
            session.failed(TypeError(f"authenticate() returned {identity!r}, which has no name"))
            identity = None
        if identity is None:
            session.broker.counters.logins_refused += 1
            raise Refused(LOGIN_REFUSED)
        subject = {"username": login, "password": passcode}
        review(session, "connect", subject, None, lambda _: let_in(identity))

    authenticate = session.policy.security.authenticator.authenticate
    session.ask(called(session, authenticate, login, passcode, session.peer), decided)


def _heart_beats(session: BrokerSession, frame: Frame) -> Beat:
    limits = session.broker.limits
    ours = (limits.heart_beat_send_ms, limits.heart_beat_receive_ms)
    try:
        return negotiate(ours, parse_heart_beat(frame.headers.get("heart-beat")))
    except ProtocolError:
        raise Refused(BAD_HEADER, "heart-beat") from None


def _connected(session: BrokerSession, has_negotiated: bool) -> bytes:
    # A client that names no version gets exactly what MorbidQ 0.8 sent.
    headers = {"session": str(session.number)}
    if has_negotiated:
        limits = session.broker.limits
        headers |= {"version": session.version, "server": SERVER}
        if session.version != V10:
            headers["heart-beat"] = f"{limits.heart_beat_send_ms},{limits.heart_beat_receive_ms}"
    return encode(Frame("CONNECTED", headers), session.version)


def disconnect(session: BrokerSession, frame: Frame) -> None:
    """DISCONNECT: everything before it is done; say so, and close."""
    session.confirm(frame)
    session.close()


# Messages.


def send(session: BrokerSession, frame: Frame) -> None:
    """SEND: ask whether it may, then publish or hold it."""
    headers, policy = frame.headers, session.policy
    destination = headers.get("destination")
    if not destination:
        raise Refused(MISSING_HEADER, "destination")
    if "transaction" in headers:
        session.transactions.check(headers["transaction"])
    elif policy.lets_send(session.identity, destination):  # the hot path
        session.broker.publish(destination, headers, frame.body)
        if "receipt" in headers:
            session.confirm(frame)
        return
    if policy.is_control(session.login, destination):
        policy.control(session.broker, headers, session.now)
        session.confirm(frame)
    elif policy.security.authorizer is None and policy.security.reviewer is None:
        publish(session, frame, destination)
    else:
        permit(
            session,
            "send",
            destination,
            frame,
            frame.body,
            lambda verdict: publish(session, _reviewed(frame, verdict), destination),
        )


def publish(session: BrokerSession, frame: Frame, destination: str) -> None:
    """A SEND that is allowed takes effect, now or at COMMIT."""
    transaction = frame.headers.get("transaction")
    if transaction is None:
        session.broker.publish(destination, frame.headers, frame.body)
    else:
        session.transactions.hold(transaction, frame)
    session.confirm(frame)


def subscribe(session: BrokerSession, frame: Frame) -> None:
    """SUBSCRIBE: ask whether it may, then do it."""
    headers, version = frame.headers, session.version
    destination = _required(frame, "destination")
    # 1.0: "id" is optional; without it, the destination stands for the subscription.
    id = headers.get("id") if version == V10 else _required(frame, "id")
    mode = headers.get("ack", AUTO)
    if mode not in ACK_MODES[version]:
        raise Refused(BAD_HEADER, "ack")
    if id is None and subscription_key(None, destination) in session.subscriptions.by_key:
        session.confirm(frame)  # Clients of 1.0 subscribe again and mean the same.
        return
    session.subscriptions.check_new(id, destination)
    if not kind_of(destination).can_be_subscribed:
        raise Refused(NOT_SUBSCRIBABLE, destination)
    session.policy.check_subscribe(session.login, destination)

    def allowed(verdict: Verdict) -> None:
        session.broker.subscribe(Subscription(session, destination, id, mode))
        session.confirm(frame)
        advise(session, "subscribed", destination)
        session.read_expiry()

    permit(session, "subscribe", destination, frame, None, allowed)


def unsubscribe(session: BrokerSession, frame: Frame) -> None:
    """UNSUBSCRIBE: by id; in 1.0 also by destination."""
    headers = frame.headers
    id = headers.get("id") if session.version == V10 else _required(frame, "id")
    if id is None:
        _required(frame, "destination")
    found = session.subscriptions.find(id, headers.get("destination"), session.version)
    if not found:
        raise Refused(UNKNOWN_SUBSCRIPTION, id or headers.get("destination", ""))
    end_subscriptions(session, found, headers)
    session.confirm(frame)


# Acknowledgement.


def ack(session: BrokerSession, frame: Frame) -> None:
    """ACK: a message, or with ``ack:client`` all up to it, is done with."""
    _settle(session, frame)


def nack(session: BrokerSession, frame: Frame) -> None:
    """NACK: it goes back to its queue, and to the next consumer; not in 1.0."""
    if session.version == V10:
        raise Refused(UNKNOWN_COMMAND, "NACK")
    _settle(session, frame)


def _settle(session: BrokerSession, frame: Frame) -> None:
    key = _required(frame, "id" if session.version == V12 else "message-id")
    settled = session.subscriptions.unacknowledged.get(key)
    if session.version == V11:
        id = _required(frame, "subscription")
        if settled is not None and settled[0].id != id:
            raise Refused(UNKNOWN_SUBSCRIPTION, id)
    # What was settled before, or came from a topic, is acknowledged without effect.
    if settled is None and not session.broker.has_issued(key):
        raise Refused(UNKNOWN_MESSAGE, key)
    transaction = frame.headers.get("transaction")
    if transaction is None:
        session.broker.acknowledge(session, key, accepted=frame.command == "ACK")
    else:
        session.transactions.hold(transaction, frame)
    session.confirm(frame)


# Transactions.


def begin(session: BrokerSession, frame: Frame) -> None:
    """BEGIN a transaction."""
    session.transactions.begin(_required(frame, "transaction"))
    session.confirm(frame)


def commit(session: BrokerSession, frame: Frame) -> None:
    """COMMIT: everything in it takes effect, or (a queue is full) nothing."""
    frames = session.transactions.end(_required(frame, "transaction"))
    broker = session.broker
    broker.check_room(
        (held.headers["destination"], len(held.body)) for held in frames if held.command == "SEND"
    )
    for held in frames:
        if held.command == "SEND":
            broker.publish(held.headers["destination"], held.headers, held.body)
        else:
            key = held.headers["id" if session.version == V12 else "message-id"]
            broker.acknowledge(session, key, accepted=held.command == "ACK")
    session.confirm(frame)


def abort(session: BrokerSession, frame: Frame) -> None:
    """ABORT: nothing in it ever happens."""
    session.transactions.end(_required(frame, "transaction"))
    session.confirm(frame)


# Small things.


def _reviewed(frame: Frame, verdict: Verdict) -> Frame:
    if verdict.body is None:
        return frame
    return Frame(frame.command, frame.headers, verdict.body)


def _required(frame: Frame, header: str) -> str:
    value = frame.headers.get(header)
    if not value:
        raise Refused(MISSING_HEADER, header)
    return value
