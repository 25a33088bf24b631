"""Private messages: what one may be, and who may write to whom. Pure rules; `actions` ask them."""

from enum import StrEnum
from typing import Final

from microblog.core import text
from microblog.core.errors import Invalid, message

LONGEST_MESSAGE: Final = 2000
"""Characters as people see them (grapheme clusters); an address counts whole."""

MAX_BYTES: Final = 60_000
"""UTF-8 bytes of a message: 2,000 emoji of a family of four take 50,000."""


class Welcome(StrEnum):
    """Whose messages a person takes: everybody's, of those they follow, or nobody's."""

    ALL = "all"
    FOLLOWED = "followed"
    NOBODY = "nobody"


def takes(welcome: str, *, follows_writer: bool) -> bool:
    """Tell whether somebody with this setting takes messages of a writer."""
    return welcome == Welcome.ALL or (welcome == Welcome.FOLLOWED and follows_writer)


def clean(body: str) -> str:
    """Return a message as it is stored; see `text.clean`."""
    return text.clean(body, most_bytes=MAX_BYTES)


def check(body: str) -> None:
    """Refuse a cleaned text that is no message; raises Invalid for the field `message`."""
    problem = text.flaw(body, LONGEST_MESSAGE, most_bytes=MAX_BYTES)
    if problem is None and not text.is_visible(body):
        problem = message("Write something first.")
    if problem is not None:
        raise Invalid({"message": [problem]})
