"""For servers that speak unasked: whether the peer reads."""

from typing import Any

from twisted.internet.interfaces import IConsumer, IPushProducer
from zope.interface import implementer

__all__ = ["Pace"]


@implementer(IPushProducer)
class Pace:
    """Registers with a transport, and remembers what it says.

    Attributes:
        is_paused: the peer does not read; what is written now would only pile up.
    """

    def __init__(self, transport: Any) -> None:
        self.is_paused = False
        if IConsumer.providedBy(transport):
            transport.registerProducer(self, True)

    def pauseProducing(self) -> None:
        """Twisted: the peer does not read."""
        self.is_paused = True

    def resumeProducing(self) -> None:
        """Twisted: it reads again."""
        self.is_paused = False

    def stopProducing(self) -> None:
        """Twisted: it is gone; ``connectionLost`` says so too."""
        self.is_paused = True
