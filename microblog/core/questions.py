"""What a question may be: its title, and the hashtags that are typed beside its text.

`actions.questions` calls this before it publishes one.
"""

from typing import Final

import regex

from microblog.core import markup, text
from microblog.core.errors import Message, message

SHORTEST_TITLE: Final = 5
LONGEST_TITLE: Final = 150
"""Characters of a title as people see them (grapheme clusters)."""

MOST_TAGS: Final = 5

OPEN: Final = "open"
ANSWERED: Final = "answered"
STATES: Final = (OPEN, ANSWERED)
"""What `Post.question` says of a question."""

_BETWEEN_TAGS = regex.compile(r"[\s,]+")


def clean_title(title: str) -> str:
    """Return a title as it is stored: a single line, cleaned as texts are."""
    return " ".join(text.clean(title).split())


def title_flaw(title: str) -> Message | None:
    """Say what keeps a cleaned title from being taken; None if nothing."""
    problem = text.flaw(title, LONGEST_TITLE)
    if problem is None and text.visible_clusters(title) < SHORTEST_TITLE:
        return message(
            "This is too short: a title has at least %(least)s characters.", least=SHORTEST_TITLE
        )
    return problem


def with_tags(body: str, tags: str) -> tuple[str, Message | None]:
    """Return a text with the hashtags of a field behind it, those that it has not, and a flaw.

    The field may have them with or without #, between commas or spaces. They become part of the
    text: so they are shown, found, exported and edited as those that are written in it.
    """
    written = [
        tag.lstrip("#＃") for tag in _BETWEEN_TAGS.split(text.clean(tags)) if tag.lstrip("#＃")
    ]
    if len(written) > MOST_TAGS:
        return body, message("These are too many: %(limit)s tags at most.", limit=MOST_TAGS)
    there = set(markup.parse(body).tags)
    added = []
    for tag in written:
        name = markup.tag_name(tag)
        if name is None:
            return body, message(
                "“%(tag)s” is no hashtag: it has letters, digits and underscores, and at least "
                "one letter.",
                tag=tag,
            )
        if name not in there:
            there.add(name)
            added.append(f"#{tag}")
    return "\n\n".join(part for part in (body, " ".join(added)) if part), None
