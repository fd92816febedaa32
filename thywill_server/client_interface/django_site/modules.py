"""What the scripts of a page import, and what that imports, so that the page can name it all.

A browser learns of an import when it has the module that asks for it, so a chain of six modules
costs six round trips. A page that names them in ``<link rel="modulepreload">`` costs one.

::

    thywill.js --+-- channels.js ----- channel.js ----- sequence.js
                 +-- send_queue.js --- backoff.js

The files are read as they are served, and addresses are followed as a browser follows them. So it
does not matter whether a storage has put hashes into names, and into imports too or not. What
cannot be read here, on another server for example, is left to the browser.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from urllib.parse import unquote, urljoin

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import ImproperlyConfigured, SuspiciousFileOperation

__all__ = ["Modules", "imports_of", "static_file"]

MAX_REMEMBERED = 256
"""Of so many different lists of scripts, which is more than most sites have applications."""

_STRING_OR_COMMENT = re.compile(
    r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|//[^\n]*|/\*.*?\*/""",
    re.DOTALL,
)
_IMPORT = re.compile(
    r"""(?<![\w$.])(?:
        import \s* (?: [\w$\s{},*]+? \b from | [\w$\s{},*]*? [}] \s* from )? |
        export \s* (?: \*(?: \s* as \s+ [\w$]+ )? | \{ [^}"']* \} ) \s* from
    ) \s* (?: "([^"\n]+)" | '([^'\n]+)' ) (?! \s* with \b )""",
    re.VERBOSE,
)


def imports_of(source: str) -> list[str]:
    """Give what a module imports when it is loaded, as it is written there.

    Left out are ``import()``, which is for later, imports with attributes, which are no scripts,
    and what stands in comments.
    """
    code = _STRING_OR_COMMENT.sub(lambda found: found[1] or " ", source)
    return [double or single for double, single in _IMPORT.findall(code)]


class Modules:
    """The imports of modules, by their addresses.

    Args:
        find: gives the path of the file that is served at an address, or None.
    """

    def __init__(self, find: Callable[[str], str | None]) -> None:
        self._find = find
        self._files: dict[str, tuple[tuple[int, int], list[str]]] = {}
        self._remembered = lru_cache(MAX_REMEMBERED)(self._walk)

    def imported_by(self, scripts: Sequence[str], may_change: bool) -> list[str]:
        """Give the addresses of all that these import, nearest first, each once and without these.

        Args:
            scripts: addresses of modules.
            may_change: whether files change while this process runs; then each is looked at again,
                and read again where its size or its time is another one.
        """
        walk = self._walk if may_change else self._remembered
        return list(walk(tuple(scripts)))

    def _walk(self, scripts: tuple[str, ...]) -> list[str]:
        imported: list[str] = []
        seen, level = set(scripts), list(dict.fromkeys(scripts))
        while level:
            wanted = dict.fromkeys(url for script in level for url in self._imports(script) or ())
            level = [url for url in wanted if url not in seen and self._imports(url) is not None]
            seen.update(wanted)
            imported += level
        return imported

    def _imports(self, url: str) -> list[str] | None:
        """Give the addresses that the module at one imports; None when it cannot be read."""
        path = self._find(url)
        if path is None:
            return None
        try:
            about = os.stat(path)
            state = (about.st_mtime_ns, about.st_size)
            known = self._files.get(path)
            if known is None or known[0] != state:
                with open(path, encoding="utf-8") as file:
                    known = self._files[path] = (state, imports_of(file.read()))
        except (OSError, ValueError):  # it is not there, or no text, or its name is none
            return None
        is_address = ("./", "../", "/")  # others are names of an import map, or elsewhere
        return [urljoin(url, name) for name in known[1] if name.startswith(is_address)]


def static_file(url: str) -> str | None:
    """Give the path of the static file that this site serves at an address, or None."""
    if not settings.STATIC_URL or not url.startswith(settings.STATIC_URL):
        return None
    name = unquote(re.split("[?#]", url[len(settings.STATIC_URL) :], maxsplit=1)[0])
    try:
        if settings.DEBUG:
            found = finders.find(name)
            return found if isinstance(found, str) else None
        return str(staticfiles_storage.path(name))
    except (ImproperlyConfigured, NotImplementedError, SuspiciousFileOperation):
        return None  # no STATIC_ROOT; a storage that is not on this machine; a name out of bounds
