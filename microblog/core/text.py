"""What a written text may be: cleaned, measured, refused. `actions` call it before they store.

`names` uses the same measures for what people write about themselves; `markup` shows the result.
"""

import unicodedata
from collections.abc import Callable
from typing import Final

import regex

from microblog.core import links
from microblog.core.errors import Invalid, Message, message

LONGEST_POST: Final = 500
"""Characters as people see them (grapheme clusters)."""

LINK_COUNTS: Final = 23
"""What an address counts, however long it is."""

LONGEST_CLUSTER: Final = 16
"""Code points in one visible character. The longest emoji, a kissing couple, has ten."""

MAX_BYTES: Final = 20_000
"""UTF-8 bytes of a text. 500 emoji of a family of four take 12,500."""

_CLUSTER = regex.compile(r"\X")
_OTHER_LINE_ENDS = regex.compile(r"\r\n?|[\v\f\x85\u2028\u2029]")

# Controls, halves of surrogate pairs, non-characters and byte order marks say nothing and break
# files and feeds. The bidirectional ones turn the text around them; the marks (U+200E, U+200F)
# and the joiners of emoji, Persian and Hindi stay.
_UNWANTED = regex.compile(
    r"(?![\n\t])[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}\uFEFF\u202A-\u202E\u2066-\u2069]"
)

_BLANK_LINES = regex.compile(r"\n{4,}")

# Letters that show nothing: the fillers of Hangul, the blank of Braille.
_VISIBLE = regex.compile(r"[^\p{Cc}\p{Cf}\p{Cs}\p{Z}\p{M}\u115F\u1160\u3164\uFFA0\u2800]")


def clean(text: str, *, most_bytes: int = MAX_BYTES) -> str:
    """Return `text` as it is stored: NFC, line feeds only, no controls, at most two blank lines.

    Space at both ends and at the end of each line goes; spaces within, and so indented code,
    stay. Refuses nothing: a text over `most_bytes`, or a long one with a flood of accents, comes
    back as it is, for `check` to refuse: normalising takes time by the square of their number.
    """
    if size_bytes(text) > most_bytes:
        return text
    text = _UNWANTED.sub("", _OTHER_LINE_ENDS.sub("\n", text))
    if size_bytes(text) > MAX_BYTES and _is_stacked(text):
        return text
    text = unicodedata.normalize("NFC", text)
    lines = "\n".join(line.rstrip() for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n\n", lines).strip()


def plain(text: str) -> str:
    """Return `text` as it may be stored while somebody still writes it: no controls, all spaces."""
    return _UNWANTED.sub("", _OTHER_LINE_ENDS.sub("\n", text))


def check(text: str) -> None:
    """Refuse a cleaned text that is no post; raises Invalid for the field `post`."""
    problem = flaw(text, LONGEST_POST, measure=count)
    if not problem and not is_visible(text):
        problem = message("Write something first.")
    if problem:
        raise Invalid({"post": [problem]})


def flaw(
    text: str,
    limit: int,
    measure: Callable[[str], int] | None = None,
    *,
    most_bytes: int = MAX_BYTES,
) -> Message | None:
    """Say what keeps `text` from being taken, at most `limit` characters long; None if nothing.

    `measure` counts the characters, `clusters` by default. The cheap tests come first: megabytes
    are never measured.
    """
    if size_bytes(text) > most_bytes:
        return message("This is far too long: %(limit)s bytes at most.", limit=most_bytes)
    if _is_stacked(text):
        return message("Too many signs are stacked on one character.")
    over = (measure or clusters)(text) - limit
    if over > 0:
        return message(
            "This is too long by %(over)s: %(limit)s characters at most.", over=over, limit=limit
        )
    return None


def _is_stacked(text: str) -> bool:
    return any(len(cluster) > LONGEST_CLUSTER for cluster in _CLUSTER.findall(text))


def count(text: str) -> int:
    """Count the characters of a post as people see them; an address counts `LINK_COUNTS`.

    An address within code counts so too: the page's own counter then needs no parser to agree.
    Text segmentation is that of UAX 29 (extended grapheme clusters).
    """
    addresses = (text[link.start : link.end] for link in links.find(text))
    return clusters(text) + sum(LINK_COUNTS - clusters(address) for address in addresses)


def clusters(text: str) -> int:
    """Count grapheme clusters (UAX 29): "한", "é" and a family emoji are one each."""
    return len(_CLUSTER.findall(text))


def visible_clusters(text: str) -> int:
    """Count the grapheme clusters that show something: neither spaces nor joiners do."""
    return sum(map(is_visible, _CLUSTER.findall(text)))


def size_bytes(text: str) -> int:
    """Measure `text` in UTF-8, counting the half of a surrogate pair as its three bytes."""
    return len(text.encode("utf-8", "surrogatepass"))


def is_visible(text: str) -> bool:
    """Tell whether `text` would show anything at all."""
    return _VISIBLE.search(text) is not None
