"""What a text is found by: the one tokeniser, whose tokens every search store keeps as they are.

`actions.search_index` puts texts into tokens, `search_query` puts what is looked for into terms of
the same tokens, `found` and `spans` say whether and where a text has them.

Each token begins with a letter that says what it is, which also lifts it over the shortest length
and the stop words of MariaDB:

- `x` a word, folded: "Hello" is `xhello`. Words are found whole.
- `k` two neighbouring characters of a script that is written without spaces, or that hangs
  particles on its words: "한글은" is `k한글 k글은 k은_`, the last of which says that the run ends.
  So every part of a run is found, a single syllable as the beginning of a token.
- `e` a pictograph, by its code point.
- a letter and `_`: what a post is, not what it says (`a_17` is its author, `g_python` a hashtag).
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import regex

MOST_TOKENS: Final = 8000
"""Tokens kept of a text; PostgreSQL tells no more than 16,383 places apart."""

LONGEST_TOKEN: Final = 60
"""Characters of a token; longer words are cut. MariaDB keeps 84 at most."""

EVERY: Final = "z_every"
"""The token of every text, for a search that names only what is not wanted."""

LINK: Final = "h_link"
"""The token of posts with a link."""

QUESTION: Final = "q_question"
"""The token of questions."""

_CLUSTER = regex.compile(r"\X")
_IGNORED = regex.compile(r"\p{Default_Ignorable_Code_Point}+")
_UNSPACED = (
    r"\p{Hangul}\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
    r"\u30FC\u3005\u3007"
)
_RUN = regex.compile(
    rf"(?P<unspaced>[{_UNSPACED}][{_UNSPACED}\p{{M}}]*+)"
    r"|(?P<pictograph>[\p{Extended_Pictographic}\p{Emoji_Modifier}\p{Regional_Indicator}])"
    rf"|(?P<word>[[\p{{L}}\p{{N}}\p{{M}}]--[{_UNSPACED}]]++)",
    regex.VERSION1,
)
# What each store takes for a part of a token. Anything else is written as its code point.
_TAKEN = regex.compile(r"[a-z0-9à-öø-ÿα-ωа-яё가-힣ぁ-ゖァ-ヺ一-龥]")


class Token(NamedTuple):
    """A token, and the part of the text that it stands for; `first_end` ends its first sign."""

    text: str
    start: int
    end: int
    first_end: int


@dataclass(frozen=True, slots=True)
class Term:
    """Tokens that follow one another; of an `open` term the last is only a token's beginning.

    `needle` is the folded text, as `fold` would have it in a text that says the same.
    """

    tokens: tuple[str, ...]
    open: bool = False
    needle: str = ""


def fold(text: str) -> str:
    """Return `text` with case, width and other ways of writing the same letters taken away.

    NFKC, case folding and NFKC again, one visible character at a time: then the fold of a part is
    a part of the fold.
    """
    if text.isascii():
        return text.lower()
    if unicodedata.is_normalized("NFKC", text) and not _IGNORED.search(text):
        folded = text.casefold()
        if unicodedata.is_normalized("NFKC", folded):
            return folded  # as nearly all texts: then the parts make no difference
    return "".join(_folded(cluster) for cluster in _CLUSTER.findall(text))


@lru_cache(16_384)
def _folded(cluster: str) -> str:
    folded = unicodedata.normalize("NFKC", _IGNORED.sub("", cluster)).casefold()
    return unicodedata.normalize("NFKC", folded)


def tokens(text: str) -> list[Token]:
    """Return the tokens of a text in their order, at most `MOST_TOKENS`."""
    found: list[Token] = []
    for kind, run, starts, ends in _runs(text):
        found += _of_run(kind, run, starts, ends)
        if len(found) >= MOST_TOKENS:
            return found[:MOST_TOKENS]
    return found


def texts(text: str) -> list[str]:
    """Return the tokens of a text without their places."""
    return [token.text for token in tokens(text)]


def term(text: str, *, unfinished: bool = False) -> Term | None:
    """Return what finds `text`, words and runs in this order; None where nothing of it can be.

    A run at the end may go on in the text that is found ("서울" is in "서울은"), and what is
    `unfinished` may so within its last word too.
    """
    runs = list(_runs(text))
    found: list[str] = []
    for kind, run, starts, ends in runs:
        found += [token.text for token in _of_run(kind, run, starts, ends)]
    if not found:
        return None
    kind, run, *_ = runs[-1]
    needle = fold(text).strip()
    if kind == "unspaced":
        if len(run) > 1:
            return Term(tuple(found[:-1]), needle=needle)
        return Term((*found[:-1], f"k{_written(run)}"), open=True, needle=needle)
    if kind == "word" and unfinished:
        return Term((*found[:-1], f"x{_written(run)}"[:LONGEST_TOKEN]), open=True, needle=needle)
    return Term(tuple(found), needle=needle)


def found(term: Term, said: Sequence[str]) -> Iterator[int]:
    """Yield each place in a text's tokens at which `term` begins."""
    wanted = term.tokens
    size, first, last = len(wanted), wanted[0], wanted[-1]
    for place in range(len(said) - size + 1):
        if size > 1 and said[place] != first:
            continue
        end = said[place + size - 1]
        if end != last and not (term.open and end.startswith(last)):
            continue
        if size < 3 or tuple(said[place : place + size - 1]) == wanted[:-1]:
            yield place


def spans(terms: Iterable[Term], text: str) -> list[tuple[int, int]]:
    """Return the parts of `text` that say one of the terms, in order and without overlaps."""
    told = tokens(text)
    said = [token.text for token in told]
    parts = []
    for each in terms:
        for place in found(each, said):
            last = told[place + len(each.tokens) - 1]
            is_syllable = each.open and last.text.startswith("k")
            parts.append((told[place].start, last.first_end if is_syllable else last.end))
    merged: list[tuple[int, int]] = []
    for start, end in sorted(parts):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


# --- What a post is -----------------------------------------------------------------------------


def author(user_id: int) -> str:
    """Return the token of posts by a person."""
    return f"a_{user_id}"


def reader(user_id: int) -> str:
    """Return the token of private messages that a person wrote or received."""
    return f"r_{user_id}"


def tag(name: str) -> str:
    """Return the token of posts with a hashtag, given by its folded name."""
    return f"g_{_written(name)}"[:LONGEST_TOKEN]


def mention(username: str) -> str:
    """Return the token of posts that mention somebody."""
    return f"m_{username.lower()}"


def language(code: str) -> str:
    """Return the token of posts in a language."""
    return f"l_{code.lower()}"


def question(state: str) -> str:
    """Return the token of questions in a state, "open" or "answered"."""
    return f"q_{state}"


# --- How it is done -----------------------------------------------------------------------------


def _runs(text: str) -> Iterator[tuple[str, str, Sequence[int], Sequence[int]]]:
    """Yield each run: its kind, its folded characters, where each begins and ends in `text`."""
    folded, starts, ends = _folded_with_places(text)
    for run in _RUN.finditer(folded):
        start, end = run.span()
        yield str(run.lastgroup), run[0], starts[start:end], ends[start:end]


def _folded_with_places(text: str) -> tuple[str, Sequence[int], Sequence[int]]:
    if text.isascii():
        return text.lower(), range(len(text)), range(1, len(text) + 1)
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for cluster in _CLUSTER.findall(text):
        folded, end = _folded(cluster), at + len(cluster)
        parts.append(folded)
        starts += [at] * len(folded)
        ends += [end] * len(folded)
        at = end
    return "".join(parts), starts, ends


def _of_run(kind: str, run: str, starts: Sequence[int], ends: Sequence[int]) -> Iterator[Token]:
    if kind == "word":
        word = f"x{_written(run)}"[:LONGEST_TOKEN]
        # MariaDB keeps nothing that is shorter than three.
        yield Token(word if len(word) > 2 else f"{word}_", starts[0], ends[-1], ends[0])
    elif kind == "pictograph":
        yield Token(f"e{ord(run):05x}", starts[0], ends[0], ends[0])
    else:
        signs = [_written(sign) for sign in run]
        for place in range(len(run) - 1):
            yield Token(
                f"k{signs[place]}{signs[place + 1]}", starts[place], ends[place + 1], ends[place]
            )
        yield Token(f"k{signs[-1]}_", starts[-1], ends[-1], ends[-1])


def _written(folded: str) -> str:
    return folded if folded.isascii() else "".join(map(_written_sign, folded))


@lru_cache(16_384)  # signs, of which there is an end; not words, of which there is none
def _written_sign(sign: str) -> str:
    return sign if _TAKEN.match(sign) else f"_{ord(sign):x}_"
