"""How often a client may ask for a command: ``rate="5/s"``, ``"30/m"``, ``"100/10m"``.

A bucket holds as many tokens as the rate's count and fills up evenly over its time; each message
takes one. So a burst up to the count is fine, and more than the rate is not. Buckets belong to one
process, and are bounded: what was not used for longest is forgotten first, and a forgotten bucket
is a full one.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final, Self

UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}

_RATE = re.compile(r"([1-9]\d*)/(\d*)([smhd])")


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in so many seconds."""

    count: int
    seconds: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a rate such as ``5/s`` or ``100/10m``.

        Raises:
            ValueError: it is none.
        """
        found = _RATE.fullmatch(text) if isinstance(text, str) else None
        if found is None or found[2] == "0":
            raise ValueError(f'rate: expected one such as "5/s", "30/m" or "100/10m", got {text!r}')
        return cls(int(found[1]), int(found[2] or 1) * UNITS[found[3]])


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class RateLimiter:
    """Counts, for many keys.

    Args:
        max_keys: how many are remembered.
        clock: gives seconds that never go back.
    """

    def __init__(self, max_keys: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_keys = max_keys
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[Hashable, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: Hashable, rate: Rate) -> float:
        """Take one, if it is there.

        Returns:
            0.0, or after how many seconds it would be; then nothing was taken.
        """
        now = self._clock()
        with self._lock:
            bucket = self._buckets.setdefault(key, _Bucket(float(rate.count), now))
            self._buckets.move_to_end(key)
            while len(self._buckets) > self._max_keys:
                self._buckets.popitem(last=False)
            filled = bucket.tokens + (now - bucket.at) * rate.count / rate.seconds
            bucket.tokens, bucket.at = min(float(rate.count), filled), now
            # A bucket that was waited for has exactly one token, but for rounding.
            if bucket.tokens < 1 - 1e-9:
                return (1 - bucket.tokens) * rate.seconds / rate.count
            bucket.tokens = max(0.0, bucket.tokens - 1)
            return 0.0
