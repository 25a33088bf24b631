"""What queries hand out to be shown: people, posts and notifications as they are at that moment.

Plain tuples, since a page has dozens of them. What is made of one is kept by its whole content
(`render`), so nobody has to be told when a row changes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select

from microblog.core.tokens import digest
from microblog.models import Mention, Post, User, table
from microblog.queries.jobs import JobRow

post_table = table(Post)
person_table = table(User)
_mention = table(Mention)


class Person(NamedTuple):
    """A person as everyone may see them."""

    id: int
    username: str
    display_name: str
    about_me: str
    avatar: str | None
    role: str
    first_seen: datetime
    last_seen: datetime
    post_count: int
    follower_count: int
    following_count: int

    @property
    def name(self) -> str:
        """How the person is called in a sentence."""
        return self.display_name or self.username

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"


class PostRow(NamedTuple):
    """A post with its author. `language` is a code of `core.languages`, or None where nobody knows.

    `mentioned` are the names of people in it who exist, with spaces; `reply_to_name` is the
    username of whoever wrote what it answers, also where that was deleted; None where they left.
    """

    id: int
    body: str
    visibility: str
    created_at: datetime
    deleted_at: datetime | None
    language: str | None
    title: str | None
    question: str | None
    accepted_id: int | None
    edited_at: datetime | None
    reply_to_id: int | None
    reply_to_user_id: int | None
    reply_count: int
    mentioned: str | None
    reply_to_name: str | None
    author: Person

    @property
    def author_id(self) -> int:
        return self.author.id

    @property
    def version(self) -> str:
        """What names the text as it is now: another one after each edit, and after nothing else."""
        return digest(repr((self.edited_at, self.language, self.title, self.body))).hex()[:16]

    @property
    def at_home_with(self) -> tuple[int, ...]:
        """Whom one follows who has this post at home: its author, and whoever it answers."""
        answered = self.reply_to_user_id
        if answered is None or answered == self.author_id:
            return (self.author_id,)
        return self.author_id, answered


class NotificationRow(NamedTuple):
    """An item of somebody's list: what `actor`, and before them `others`, did.

    `position` is the id of its newest notification ever; `size` and `unread` count what is in it.
    `post` is the newest one's, where the reader may see it; `job` is the one that ended, while it
    is kept. `subject_id` is told in `core.notices`, and `reader` is whose list it is.
    """

    id: int
    kind: str
    position: int
    subject_id: int
    size: int
    unread: int
    others: int
    created_at: datetime
    reader: str
    actor: Person
    post: PostRow | None
    job: JobRow | None

    @property
    def is_read(self) -> bool:
        return self.unread == 0


class Presence(NamedTuple):
    """Whether a person is there now, and the newest post that is theirs."""

    id: int
    is_there: bool
    newest_post_id: int | None


PERSON = tuple(person_table.c[name] for name in Person._fields)
_MENTIONED = (
    select(func.aggregate_strings(_mention.c.username_key, " "))
    .where(_mention.c.post_id == post_table.c.id)
    .correlate(post_table)
    .scalar_subquery()
)
_asker = person_table.alias("asker")
_REPLY_TO_NAME = (
    select(_asker.c.username)
    .where(_asker.c.id == post_table.c.reply_to_user_id, _asker.c.deactivated_at.is_(None))
    .correlate(post_table)
    .scalar_subquery()
)
_OF_POST = PostRow._fields[: PostRow._fields.index("mentioned")]
_AUTHOR_AT = PostRow._fields.index("author")
WHOLE_POST = (*(post_table.c[name] for name in _OF_POST), _MENTIONED, _REPLY_TO_NAME, *PERSON)
"""The columns of a `PostRow`, of posts joined with their authors."""


def person(row: Sequence[Any]) -> Person:
    """Make a person of a row of `PERSON`."""
    return Person._make(row)


def post(row: Sequence[Any]) -> PostRow:
    """Make a post of a row of `WHOLE_POST`."""
    return PostRow._make((*row[:_AUTHOR_AT], Person._make(row[_AUTHOR_AT:])))
