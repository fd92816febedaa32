"""Subscriptions that outlive connections."""

from __future__ import annotations

from twisted.internet.defer import Deferred


def test_subscribe_when_live(service, live):
    """A subscription goes out at once; its messages reach the callback, as frames."""
    heard = []
    subscription = service.subscribe("/a", heard.append, headers={"selector": "x"})
    (frame,) = live.seen()
    assert frame.headers == {
        "destination": "/a",
        "id": subscription.id,
        "ack": "auto",
        "selector": "x",
    }
    live.say("MESSAGE", b"hi", subscription=subscription.id, destination="/a")
    assert [frame.body for frame in heard] == [b"hi"]


def test_messages_wait_for_the_receipts_of_subscriptions(service, endpoint):
    """After connecting, the queue moves when all subscriptions are confirmed."""
    service.subscribe("/a", print)
    service.subscribe("/b", print)
    service.send("/a", "hi")
    broker = endpoint.up()
    broker.accept()
    first, second = broker.seen()
    assert [first.command, second.command] == ["SUBSCRIBE", "SUBSCRIBE"]
    broker.say("RECEIPT", receipt_id=first.headers["receipt"])
    assert not service.is_connected
    assert broker.seen() == []
    broker.say("RECEIPT", receipt_id=second.headers["receipt"])
    assert service.is_connected
    assert broker.bodies() == [b"hi"]


def test_resubscribes(service, endpoint, live, clock):
    """Subscriptions are renewed with the same ids; those given up are not."""
    heard = []
    kept = service.subscribe("/a", heard.append, ack="client")
    gone = service.subscribe("/b", print)
    gone.unsubscribe()
    live.lose()
    clock.advance(1)
    broker = endpoint.up()
    broker.accept()
    (frame,) = broker.answer_receipts()
    assert (frame.headers["id"], frame.headers["ack"]) == (kept.id, "client")
    broker.say("MESSAGE", b"again", subscription=kept.id, message_id="1")
    assert heard[0].body == b"again"


def test_unsubscribe(service, live):
    """UNSUBSCRIBE goes out, once, and messages on their way are dropped."""
    heard = []
    subscription = service.subscribe("/a", heard.append)
    subscription.unsubscribe()
    subscription.unsubscribe()
    assert live.commands() == ["SUBSCRIBE", "UNSUBSCRIBE"]
    live.say("MESSAGE", subscription=subscription.id)
    assert heard == []


def test_subscriptions_that_are_never_confirmed(service, endpoint, clock):
    """A broker that sends no receipts in time is left for another attempt."""
    service.subscribe("/a", print)
    broker = endpoint.up()
    broker.accept()
    clock.advance(14.9)
    assert not broker.is_closing()
    clock.advance(0.1)
    assert broker.was_aborted
    clock.advance(0.5)
    assert len(endpoint.attempts) == 1


def test_old_broker_without_receipts(service, endpoint, clock):
    """MorbidQ 0.8 has no receipts: with 1.0 we go on without them."""
    heard = []
    service.subscribe("/a", heard.append)
    service.send("/a", "hi")
    broker = endpoint.up()
    broker.raw()
    broker.protocol.dataReceived(b"CONNECTED\nsession:1\n\n\0\n")
    clock.advance(15)
    assert service.is_connected
    assert broker.bodies() == [b"hi"]
    broker.protocol.dataReceived(b"MESSAGE\ndestination:/a\nmessage-id:/a_1\n\nhi\0\n")
    assert [frame.body for frame in heard] == [b"hi"]


def test_a_callback_that_raises(service, live, caplog):
    """What a callback raises, or its Deferred fails with, is logged and no more."""
    broken = service.subscribe("/a", lambda frame: frame.headers["nothing"])
    later = Deferred()
    slow = service.subscribe("/b", lambda frame: later)
    live.say("MESSAGE", subscription=broken.id)
    live.say("MESSAGE", subscription=slow.id)
    assert "callback of /a failed" in caplog.text
    later.errback(ValueError("late"))
    assert "callback of /b failed" in caplog.text
    assert service.is_connected


def test_ack_individually(service, live):
    """Each message is acknowledged once, or refused."""
    subscription = service.subscribe("/a", print, ack="client-individual")
    frames = deliver(live, subscription, "123")
    assert subscription.ack(frames[1])
    assert not subscription.ack(frames[1])
    assert subscription.nack(frames[0])
    assert subscription.ack(frames[2])
    acks = [(frame.command, frame.headers) for frame in live.seen()[1:]]
    assert acks == [("ACK", {"id": "2"}), ("NACK", {"id": "1"}), ("ACK", {"id": "3"})]


def test_ack_cumulatively(service, live):
    """In mode client an ACK covers what came before it."""
    subscription = service.subscribe("/a", print, ack="client")
    frames = deliver(live, subscription, "123")
    assert subscription.ack(frames[1])
    assert not subscription.ack(frames[0])
    assert subscription.ack(frames[2])
    assert live.commands() == ["SUBSCRIBE", "ACK", "ACK"]


def test_ack_over_another_connection(service, endpoint, live, clock):
    """A message of a lost connection is not acknowledged: it comes again."""
    subscription = service.subscribe("/a", print, ack="client-individual")
    (frame,) = deliver(live, subscription, "1")
    live.lose()
    assert not subscription.ack(frame)
    clock.advance(1)
    broker = endpoint.up()
    broker.accept()
    broker.answer_receipts()
    assert not subscription.ack(frame)
    assert broker.seen() == []


def deliver(broker, subscription, ids):
    """Deliver messages and return them as the callback got them."""
    heard = []
    subscription._callback = heard.append
    for each in ids:
        broker.say("MESSAGE", subscription=subscription.id, message_id=each, ack=each)
    return heard
