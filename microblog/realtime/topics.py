"""What one can listen to: home, explore, questions, a person, a post, a hashtag; and the figures
of the server, which only administrators are told.
"""

import re
from typing import Any

from microblog.core.cursors import GREATEST
from microblog.core.markup import tag_name

MOST_TOPICS = 50
FIGURES = "figures"
_NUMBERED = re.compile(r"(user|post):([0-9]{1,19})", re.ASCII)


def topic(name: Any) -> str | None:
    """Return a topic in its one spelling, or None where there is no such topic."""
    if not isinstance(name, str):
        return None
    if name in {"home", "explore", "questions", FIGURES}:
        return name
    if found := _NUMBERED.fullmatch(name):
        number = int(found[2])
        return f"{found[1]}:{number}" if number <= GREATEST else None
    if name.startswith("tag:") and (folded := tag_name(name.removeprefix("tag:"))):
        return f"tag:{folded}"
    return None


def topics(listed: str) -> list[str]:
    """Return the topics of a comma-separated list; raises ValueError for a wrong or long one."""
    names = [name for name in listed.split(",") if name]
    found = [topic(name) for name in names]
    known = [one for one in found if one is not None]
    if len(known) != len(names) or len(names) > MOST_TOPICS:
        raise ValueError("no such topic, or too many")
    return known
