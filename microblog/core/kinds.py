"""What a setting can be, in words: told to who wrote something else, and in the documents.

`variables` and the parts of the settings give each of their parsers its words.
"""

from collections.abc import Callable
from typing import Any, TypeVar

Parser = TypeVar("Parser", bound=Callable[[str], Any])

_WORDS: dict[Callable[[str], Any], str] = {}


class Refused(ValueError):
    """A value that cannot be taken; says what it is not, more exactly than its parser's words."""


def kind(words: str) -> Callable[[Parser], Parser]:
    """Say what a parser takes, as in "a whole number from 1 to 200"; it raises ValueError else."""

    def keep(read: Parser) -> Parser:
        _WORDS[read] = words
        return read

    return keep


def words_of(read: Callable[[str], Any]) -> str:
    """Return what a parser takes."""
    return _WORDS.get(read, "a text")
