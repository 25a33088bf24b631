"""What is being written and not yet sent: where it belongs, and how much of it is kept.

Pages, the API and `actions.drafts` use it.
"""

import re
from dataclasses import dataclass
from typing import Final

from microblog.core import languages, text
from microblog.core.errors import Invalid, message

NEW_POST: Final = "post"
QUESTION: Final = "question"

MAX_BYTES: Final = 8_192
"""UTF-8 bytes of a draft, its title included; 2,000 syllables of Hangul are 6,000."""

MOST_DRAFTS: Final = 100
"""Drafts that are kept for one person; beyond them the one that was left longest ago goes."""

LONGEST_CONTEXT: Final = 40

_CONTEXT = re.compile(r"[a-z]{1,16}(?::[a-z0-9_]{1,20})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in a form. `language` is what was chosen there, None where nothing was."""

    body: str
    title: str = ""
    language: str | None = None

    @property
    def is_blank(self) -> bool:
        """Whether nothing of it is worth keeping."""
        return not (self.body.strip() or self.title.strip())


def context_of(reply_to: int | None = None, *, is_question: bool = False) -> str:
    """Return the context of a post that answers another, of a question, or of any other post."""
    if reply_to is not None:
        return f"reply:{reply_to}"
    return QUESTION if is_question else NEW_POST


def is_context(context: str) -> bool:
    """Tell whether this can be a context: a word that may name something ("reply:17")."""
    return _CONTEXT.fullmatch(context) is not None


def check(context: str) -> None:
    """Refuse what can be no context; raises Invalid."""
    if not is_context(context):
        raise Invalid({"context": [message("A draft belongs to a form that is known here.")]})


def storable(written: Written) -> Written:
    """Return what can be kept of a text; raises Invalid where it is far too long."""
    if text.size_bytes(written.body) + text.size_bytes(written.title) > MAX_BYTES:
        sentence = message("This is far too long: %(limit)s bytes at most.", limit=MAX_BYTES)
        raise Invalid({"body": [sentence]})
    language = languages.known(written.language) if written.language else None
    return Written(text.plain(written.body), text.plain(written.title), language)
