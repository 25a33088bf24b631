"""What of a post's text is language, and what stands there word for word: links, mentions,
hashtags and code. `guessing` looks at the first, a translator must leave the second alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import regex

from microblog.core import links
from microblog.core.markup import NAME_OR_TAG

# As `markup` reads them, but for indentation and unclosed ones, which nobody's reading depends on.
_CODE = regex.compile(
    r"^[ \t]*(?P<fence>`{3,})[ \t]*[^\s`]*[ \t]*\n(?:.*\n)*?[ \t]*(?P=fence)`*[ \t]*$"
    r"|(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n\n)[\s\S])+?(?<!`)(?P=ticks)(?!`)",
    regex.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text; `kept` where it must stay as it is."""

    text: str
    kept: bool


def pieces(text: str) -> Iterator[Piece]:
    """Cut a text up. The pieces one after the other are the text again."""
    position = 0
    for start, end in _spans(text):
        if start > position:
            yield Piece(text[position:start], kept=False)
        yield Piece(text[start:end], kept=True)
        position = end
    if position < len(text):
        yield Piece(text[position:], kept=False)


def prose(text: str) -> str:
    """Return what is language in a text."""
    return " ".join(piece.text for piece in pieces(text) if not piece.kept)


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the pieces to be kept begin and end, in order, none within another."""
    found = [(m.start(), m.end()) for m in _CODE.finditer(text)]
    found += [(link.start, link.end) for link in links.find(text)]
    found += [(m.start(), m.end()) for m in NAME_OR_TAG.finditer(text)]
    position = 0
    for start, end in sorted(found, key=lambda span: (span[0], -span[1])):
        if start >= position:
            yield start, end
            position = end
