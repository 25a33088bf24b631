"""Writes an archive into a migrated database of Microblog: complete rows, in few statements.

What an action would have written is there: the post's id is the id of its event, counts are
right, tags and mentions have their rows, who was mentioned was notified. The log begins some days
before the end, as where its older part was pruned.
"""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Insert, create_engine, event, insert, update

from benchmarks.archive import Archive, Written, about, username
from microblog.core.events import Kind
from microblog.models import (
    EventRow,
    Follow,
    History,
    Mention,
    Model,
    Notification,
    NotificationGroup,
    Post,
    PostTag,
    User,
)

NO_PASSWORD = "!"
LOGGED = timedelta(days=6)
BATCH_ROWS = 20_000
ORDER: tuple[type[Model], ...] = (
    Post,
    PostTag,
    Mention,
    NotificationGroup,
    Notification,
    EventRow,
)


def fill(database: Path, archive: Archive, password_hash: str = NO_PASSWORD) -> None:
    """Write everything. Nobody may have the file open; its tables are there and empty."""
    engine = create_engine(f"sqlite:///{database}")

    @event.listens_for(engine, "connect")
    def hurry(connection: Any, record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-200000")

    with engine.begin() as connection:
        _people(connection, archive, password_hash)
        written = _Rows(connection, archive.until - LOGGED)
        for post in archive.written():
            written.add(post)
        written.finish()
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()


def _people(connection: Connection, archive: Archive, password_hash: str) -> None:
    pairs = archive.follows()
    reading = Counter(follower for follower, _ in pairs)
    readers = Counter(followed for _, followed in pairs)
    people = [
        {
            "id": number,
            "username": username(number),
            "username_key": username(number),
            "email": f"{username(number)}@example.org",
            "email_key": f"{username(number)}@example.org",
            "password_hash": password_hash,
            "display_name": f"Person {number}" if number % 2 else "",
            "about_me": about(number),
            "first_seen": archive.until - timedelta(days=60),
            "last_seen": archive.until,
            "following_count": reading[number],
            "follower_count": readers[number],
        }
        for number in archive.ids
    ]
    follows = [
        {"follower_id": a, "followed_id": b, "created_at": archive.until - timedelta(days=59)}
        for a, b in pairs
    ]
    connection.execute(insert(User), people)
    connection.execute(insert(Follow), follows)


class _Rows:
    """Gathers rows and writes them by the thousand."""

    def __init__(self, connection: Connection, logged_from: datetime) -> None:
        self._connection = connection
        self._logged_from = logged_from
        self._rows: dict[type[Model], list[dict[str, Any]]] = defaultdict(list)
        self._statements: dict[type[Model], Insert] = {each: insert(each) for each in ORDER}
        self._counts: Counter[int] = Counter()
        self._event = 0
        self._notified = 0
        self._pruned_to = 0

    def add(self, post: Written) -> None:
        at = post.created_at
        post_id = self._log(Kind.POST_PUBLISHED, post.author_id, at)
        self._counts[post.author_id] += 1
        self._rows[Post].append(
            {"id": post_id, "author_id": post.author_id, "body": post.body, "created_at": at}
        )
        for position, tag in enumerate(post.tags):
            self._rows[PostTag].append({"tag": tag, "post_id": post_id, "position": position})
        if post.mentioned_id is not None:
            self._mention(post, post_id, post.mentioned_id)
        self._log(Kind.USER_CHANGED, post.author_id, at, ref_id=post.author_id)
        if len(self._rows[Post]) >= BATCH_ROWS:
            self._write()

    def _mention(self, post: Written, post_id: int, user_id: int) -> None:
        name = username(user_id)
        self._rows[Mention].append(
            {"post_id": post_id, "user_id": user_id, "username_key": name, "position": 0}
        )
        if user_id == post.author_id:
            return
        self._notified += 1
        told = {"id": self._notified, "user_id": user_id, "kind": "mention"}
        self._rows[NotificationGroup].append(
            {**told, "subject_id": post_id, "position": self._notified}
        )
        self._rows[Notification].append(
            {
                **told,
                "group_id": self._notified,
                "actor_id": post.author_id,
                "post_id": post_id,
                "created_at": post.created_at,
            }
        )
        self._log(
            Kind.NOTIFIED, post.author_id, post.created_at, user_id=user_id, ref_id=self._notified
        )

    def _log(
        self,
        kind: Kind,
        actor_id: int,
        at: datetime,
        *,
        user_id: int | None = None,
        ref_id: int | None = None,
    ) -> int:
        """Number an event, and write it where it is young enough for the log."""
        self._event += 1
        if at < self._logged_from:
            self._pruned_to = self._event
        else:
            self._rows[EventRow].append(
                {
                    "id": self._event,
                    "kind": str(kind),
                    "actor_id": actor_id,
                    "user_id": user_id,
                    "ref_id": ref_id,
                    "created_at": at,
                }
            )
        return self._event

    def finish(self) -> None:
        """Write what is left, the counts, and where the log begins."""
        self._write()
        for user_id, count in self._counts.items():
            mine = update(User).where(User.id == user_id)
            self._connection.execute(mine.values(post_count=count))
        self._connection.execute(update(History).values(pruned_to=self._pruned_to))

    def _write(self) -> None:
        for model in ORDER:
            if self._rows[model]:
                self._connection.execute(self._statements[model], self._rows[model])
        self._rows.clear()
