"""How a post's text goes through a translation service and comes back whole.

Each line goes by itself, so that lines stay lines. A line is HTML, in which links, mentions,
hashtags and code are elements that LibreTranslate, DeepL and Azure leave alone, each by one of its
marks; whatever became of them, the originals are put back by their numbers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape, unescape
from typing import Final

import regex

from microblog.core import verbatim
from microblog.core.verbatim import Piece

SHOWN_OF_A_PIECE: Final = 40
"""Characters of a kept piece that are sent along, for the sentence's sake; services count them."""

_TICK: Final = "`"

_KEPT = regex.compile(r'<code\b[^>]*\bid="?k(\d+)"?[^>]*>.*?</code\s*>', regex.DOTALL | regex.I)
_TAG = regex.compile(r"</?[A-Za-z][^<>]*>")
_LETTER = regex.compile(r"\p{L}")


@dataclass(frozen=True, slots=True)
class Parcel:
    """A text made ready: `sent` are the lines that have something to translate, as HTML."""

    lines: tuple[tuple[Piece, ...], ...]
    sent: tuple[str, ...]


def pack(text: str) -> Parcel:
    """Make a text ready to be sent."""
    lines = tuple(tuple(line) for line in _lines(text))
    return Parcel(lines, tuple(_html(line) for line in lines if _has_language(line)))


def unpack(parcel: Parcel, answers: Sequence[str]) -> str:
    """Put a text together of the answers to `parcel.sent`, in their order."""
    left = iter(answers)
    return "\n".join(
        _restored(line, next(left)) if _has_language(line) else "".join(p.text for p in line)
        for line in parcel.lines
    )


def _lines(text: str) -> Iterator[list[Piece]]:
    """Cut a text into its lines; a block of code stays one, for all its lines."""
    line: list[Piece] = []
    for piece in verbatim.pieces(text):
        if piece.kept:
            line.append(piece)
            continue
        first, *more = piece.text.split("\n")
        line.append(Piece(first, kept=False))
        for part in more:
            yield line
            line = [Piece(part, kept=False)]
    yield line


def _has_language(line: Sequence[Piece]) -> bool:
    return any(not piece.kept and _LETTER.search(piece.text) for piece in line)


def _html(line: Sequence[Piece]) -> str:
    return "".join(
        f'<code id="k{number}" class="notranslate" translate="no">'
        f"{escape(piece.text[:SHOWN_OF_A_PIECE])}</code>"
        if piece.kept
        else escape(piece.text, quote=False)
        for number, piece in enumerate(line)
    )


def _restored(line: Sequence[Piece], answer: str) -> str:
    """Make plain text of an answer, with the kept pieces where the service has put them.

    A piece that it lost stands at the end: better there than nowhere.
    """
    made, position = "", 0
    missing = {number for number, piece in enumerate(line) if piece.kept}
    for found in _KEPT.finditer(answer):
        made += _plain(answer[position : found.start()])
        position = found.end()
        number = int(found[1])
        if number < len(line) and line[number].kept:
            made = _joined(made, line[number].text)
            missing.discard(number)
            if _would_grow(line[number].text, _plain(answer[position : position + 1])):
                made += " "
    made += _plain(answer[position:])
    for number in sorted(missing):
        made = _joined(made, line[number].text)
    return made if _has_block(line) else made.replace("\n", " ")


def _has_block(line: Sequence[Piece]) -> bool:
    return any(piece.kept and "\n" in piece.text for piece in line)


def _joined(made: str, piece: str) -> str:
    """Put a piece behind what is there, with a space where the two would become one word."""
    apart = made[-1:].isalnum() and not piece.startswith(_TICK)
    return f"{made} {piece}" if apart else made + piece


def _would_grow(piece: str, following: str) -> bool:
    """Tell whether what follows would be read as a part of a link, a name or a tag."""
    if not following.isalnum() or piece.endswith(_TICK):
        return False
    return following.isascii() or piece.startswith(("http", "#"))


def _plain(html: str) -> str:
    return unescape(_TAG.sub("", html))
