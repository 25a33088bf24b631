"""How well a text answers a query, and the place of a hit. Called by `queries.search`.

The scores of the stores cannot be used: they differ from store to store, and they move with every
new text, so that nobody could go on from where a page ended. Ours depends on the text alone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from microblog.core import search_tokens
from microblog.core.cursors import GREATEST
from microblog.core.search_tokens import Term

_CURSOR = re.compile(r"([0-9]{1,19})(?:\.([0-9]{1,4})\.([0-9]{1,19}))?", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a hit stands: in the window of ids up to `top`, by its score, then by its id."""

    top: int
    score: int = -1
    id: int = 0

    def __str__(self) -> str:
        return f"{self.top}" if self.score < 0 else f"{self.top}.{self.score}.{self.id}"


def parse(cursor: str | None) -> Place | None:
    """Read a cursor: None where there is none, ValueError where it is none of ours."""
    if not cursor:
        return None
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise ValueError("no cursor of a search")
    top, score, hit = (None if part is None else int(part) for part in found.groups())
    if max(top or 0, hit or 0) > GREATEST:
        raise ValueError("a cursor beyond all ids")
    return Place(top or 0, -1 if score is None else score, hit or 0)


def score(terms: Sequence[Term], text: str) -> int:
    """Return how well a text answers, from 0 to 999.

    For each term: whether it stands at the beginning of a word or run, or as a hashtag, how often
    it is said (three times at most), and how much of the text it is.
    """
    folded = search_tokens.fold(text)
    total = sum(_score(each.needle, folded) for each in terms)
    return min(999, total // max(1, len(terms)))


def _score(needle: str, folded: str) -> int:
    at = folded.find(needle)
    if at < 0:
        return 0  # the same words with other signs between them
    count, best = 0, 0
    while at >= 0 and count < 3:
        before = folded[at - 1] if at else " "
        best = max(best, 500 if before in "#@" else 0 if before.isalnum() else 400)
        count += 1
        at = folded.find(needle, at + len(needle))
    return best + 60 * count + 200 * len(needle) * count // len(folded)


def score_name(needle: str, username: str, display_name: str) -> int:
    """Return how well a person's names answer, from 0 to 999."""
    name = search_tokens.fold(display_name)
    if needle in {username.lower(), name}:
        return 999
    for each, least in ((username.lower(), 850), (name, 700)):
        if each.startswith(needle):
            return least + 100 * len(needle) // len(each)
    return 500 if needle in name or needle in username.lower() else 0
