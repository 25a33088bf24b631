"""What there is to be told of: the kinds of notification, and which belong together.

`actions.notifications` groups by this, pages and the API choose by it.
"""

from collections.abc import Mapping
from typing import Final

FOLLOW, MENTION, REPLY, ANSWER = "follow", "mention", "reply", "answer"
ACCEPTED, MESSAGE, JOB = "accepted", "message", "job"

KINDS: Final = (MENTION, REPLY, ANSWER, ACCEPTED, FOLLOW, MESSAGE, JOB)
"""All kinds, in the order in which people are asked about them."""

GATHERED: Final = frozenset({FOLLOW, REPLY, ANSWER})
"""Of these several are one item: “Mina and 3 others”. Of others the newest takes the place of an
unread one about the same.
"""

FILTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "mentions": (MENTION,),
    "replies": (REPLY, ANSWER, ACCEPTED),
    "follows": (FOLLOW,),
    "messages": (MESSAGE,),
    "jobs": (JOB,),
}
"""The lists that one may look at alone, by their names in addresses."""


def subject(kind: str, actor_id: int, post_id: int | None, about_id: int | None) -> int:
    """Return the id of what a notification is about, 0 for the reader: equal ones belong together.

    That is a person for a message, a job for a job, and a post for what is done with posts.
    """
    if kind == FOLLOW:
        return 0
    if kind == MESSAGE:
        return actor_id
    return about_id or post_id or 0
