"""Where somebody may be sent after logging in. `edge` and `web` ask it before every `next`."""

import unicodedata
from typing import Final
from urllib.parse import unquote, urlsplit

LONGEST_TARGET: Final = 2_048

# Proxies and frameworks decode once, careless ones twice; a path that needs more is an attack.
_MOST_DECODINGS: Final = 3


def safe_next(target: str | None, fallback: str = "/") -> str:
    """Return `target` if it is a path of this site, in whatever way it is read, else `fallback`.

    A target is believed only as it stands: one slash, then segments that are neither empty nor
    dots, without backslash, space or control, in its first form and in each decoded one. What
    browsers make of the rest (WHATWG URL: "\\" is "/", tabs vanish) differs too much to follow.
    A query may hold anything but spaces, controls and backslashes.
    """
    if not target or len(target) > LONGEST_TARGET or _has_trick(target):
        return fallback
    path = target.partition("#")[0].partition("?")[0]
    for _ in range(_MOST_DECODINGS):
        if not _is_plain_path(path):
            return fallback
        path, before = unquote(path, errors="replace"), path
        if path == before:
            return target if _stays_here(target) else fallback
    return fallback


def _is_plain_path(path: str) -> bool:
    # NFKC too: some programs fold the full-width solidus into the one that ends a host.
    for form in (path, unicodedata.normalize("NFKC", path)):
        segments = form.split("/")
        if segments[0] or len(segments) < 2 or _has_trick(form):
            return False
        if any(segment in {"", ".", ".."} for segment in segments[1:-1]):
            return False
        if segments[-1] in {".", ".."}:
            return False
    return True


def _has_trick(text: str) -> bool:
    """Whether `text` holds a backslash or what is not seen: a space, a control, a format mark."""
    return any(letter in "\\\ufffd" or unicodedata.category(letter)[0] in "CZ" for letter in text)


def _stays_here(target: str) -> bool:
    """The standard library's own reading has the last word."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    return not parts.scheme and not parts.netloc
