"""Who may see ``/system``: the addresses of ``[system] allow``, and nobody through a stranger.

A request that somebody has passed on counts as coming from the browser that a trusted proxy
names; without a trusted proxy it comes from outside, even when the proxy is on this machine. And
it has to be made under a name of this server: a site elsewhere can give its own name this
machine's address, and would read the pages through the browser of whoever works here.
"""

from orbited.http import Exchange
from orbited.protocol.access import AccessList
from orbited.protocol.addresses import Networks
from orbited.settings import Config

__all__ = ["Admission"]

#: Any of these shows that somebody passed the request on.
_FORWARDING_HEADERS = ("x-forwarded-for", "forwarded", "x-real-ip", "via")

_NOT_LISTED = "Nothing here is for this address; [system] allow names those who may look.\n"
_PASSED_ON = (
    "Nothing here is for requests that a proxy passes on, unless [http] trusted_proxies names it.\n"
)
_OTHER_NAME = "This server is not known under that name; [http] hosts can name it.\n"


class Admission:
    """The rule, ready to be asked."""

    def __init__(self, config: Config, access: AccessList) -> None:
        self._allow = config.system.allow
        self._trusted: tuple[str, ...] = config.http.trusted_proxies or Networks()
        self._access = access

    def refusal(self, exchange: Exchange) -> str | None:
        """Why this request sees nothing; None when it may."""
        if "*" in self._allow:
            return None
        if self._is_strangers(exchange):
            return _PASSED_ON
        if exchange.address not in self._allow:
            return _NOT_LISTED
        if not self._access.knows(exchange.header("host") or ""):
            return _OTHER_NAME
        return None

    def _is_strangers(self, exchange: Exchange) -> bool:
        """It was passed on, and the address is not the word of a trusted proxy."""
        if all(exchange.header(name) is None for name in _FORWARDING_HEADERS):
            return False
        told = (exchange.header("x-forwarded-for") or "").rpartition(",")[2].strip()
        return not self._trusted or told != exchange.address
