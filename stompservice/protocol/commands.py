"""The frames of a client, one function each.

Nothing here knows the state of a connection; `stompservice.protocol.session` does.
``headers`` are the caller's own and win over ours, except where a header is an
argument of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stompservice.errors import UsageError
from stompservice.protocol.frame import Frame
from stompservice.protocol.heartbeat import Beat
from stompservice.protocol.spec import V10, V12

Extra = Mapping[str, object] | None
"""Further headers of a frame; values are written as ``str(value)``."""


def connect(
    *,
    login: str = "",
    passcode: str = "",
    virtual_host: str = "/",
    versions: Iterable[str] = (),
    heart_beat: Beat = (0, 0),
    headers: Extra = None,
) -> Frame:
    """CONNECT, which every broker knows, rather than STOMP, which 1.0 brokers do not.

    Without a login neither login nor passcode is sent, so that a broker with a
    default user lets us in.
    """
    ours: dict[str, object] = {}
    if versions := list(versions):
        ours["accept-version"] = ",".join(versions)
        ours["host"] = virtual_host
    if login:
        ours["login"], ours["passcode"] = login, passcode
    if any(heart_beat):
        ours["heart-beat"] = f"{heart_beat[0]},{heart_beat[1]}"
    return Frame("CONNECT", _text(ours, headers))


def send(destination: str, body: bytes | str, headers: Extra = None) -> Frame:
    """SEND; a body of ``str`` goes as UTF-8."""
    if isinstance(body, str):
        body = body.encode("utf-8", "surrogateescape")
    return Frame("SEND", _text({"destination": destination}, headers), body)


def subscribe(destination: str, subscription_id: str, headers: Extra = None) -> Frame:
    """SUBSCRIBE, with ``ack:auto`` unless the headers say otherwise."""
    ours = {"destination": destination, "id": subscription_id, "ack": "auto"}
    return Frame("SUBSCRIBE", _text(ours, headers))


def unsubscribe(destination: str, subscription_id: str, headers: Extra = None) -> Frame:
    """UNSUBSCRIBE, with the destination too: 1.0 brokers look only at that."""
    ours = {"id": subscription_id, "destination": destination}
    return Frame("UNSUBSCRIBE", _text(ours, headers))


def acknowledge(command: str, message: Frame, version: str, headers: Extra = None) -> Frame:
    """ACK or NACK of a MESSAGE that came over this connection.

    Raises:
        UsageError: NACK in 1.0, or a message without what the version needs.

    STOMP 1.0, 1.1 and 1.2, "ACK".
    """
    if command == "NACK" and version == V10:
        raise UsageError("STOMP 1.0 has no NACK")
    theirs = message.headers
    if version == V12 and "ack" in theirs:
        ours = {"id": theirs["ack"]}
    elif "message-id" in theirs:
        ours = {"message-id": theirs["message-id"]}
        if "subscription" in theirs:
            ours["subscription"] = theirs["subscription"]
    else:
        raise UsageError(f"nothing to acknowledge in {message}")
    return Frame(command, _text(ours, headers))


def transaction(command: str, name: str, headers: Extra = None) -> Frame:
    """BEGIN, COMMIT or ABORT."""
    return Frame(command, _text({"transaction": name}, headers))


def disconnect(receipt: str, headers: Extra = None) -> Frame:
    """DISCONNECT; its receipt says that all before it was handled."""
    return Frame("DISCONNECT", _text({"receipt": receipt}, headers))


def _text(ours: Mapping[str, object], theirs: Extra) -> dict[str, str]:
    merged = {**ours, **(theirs or {})}
    return {name: str(value) for name, value in merged.items()}
