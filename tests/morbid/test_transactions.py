"""Frames that are held back until COMMIT."""

import pytest

from morbid.errors import Refused
from morbid.limits import Limits
from morbid.transactions import Transactions
from stompservice.protocol import Frame


def frame(body=b""):
    """A frame to hold."""
    return Frame("SEND", {}, body)


def test_held_in_order():
    """A transaction hands out what it held, in order, once."""
    transactions = Transactions(Limits())
    transactions.begin("t")
    held = [frame(b"1"), frame(b"2")]
    for each in held:
        transactions.hold("t", each)
    assert transactions.end("t") == held
    with pytest.raises(Refused, match="unknown-transaction"):
        transactions.end("t")


@pytest.mark.parametrize("act", ["check", "end"])
def test_never_begun(act):
    """What was not begun cannot be used."""
    with pytest.raises(Refused, match="unknown-transaction"):
        getattr(Transactions(Limits()), act)("t")
    with pytest.raises(Refused, match="unknown-transaction"):
        Transactions(Limits()).hold("t", frame())


def test_begun_twice():
    """A name is open once at a time, and may be used again afterwards."""
    transactions = Transactions(Limits())
    transactions.begin("t")
    with pytest.raises(Refused, match="transaction-exists"):
        transactions.begin("t")
    transactions.end("t")
    transactions.begin("t")


def test_bounds_are_for_all_together():
    """Frames and bytes of all open transactions are counted together, and given back."""
    transactions = Transactions(Limits(max_transaction_frames=3, max_transaction_bytes=10))
    transactions.begin("t")
    transactions.begin("u")
    transactions.hold("t", frame(b"12345"))
    transactions.hold("u", frame(b"12345"))
    with pytest.raises(Refused, match="transaction-too-large"):
        transactions.hold("u", frame(b"1"))
    transactions.hold("u", frame())
    with pytest.raises(Refused, match="transaction-too-large"):
        transactions.hold("u", frame())
    transactions.end("u")
    transactions.hold("t", frame(b"12345"))
