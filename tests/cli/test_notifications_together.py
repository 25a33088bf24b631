"""Notifications of an older microblog come into groups by its migration, and out again."""

from collections.abc import Callable
from datetime import UTC, datetime

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from microblog.actions import notifications
from microblog.core.cursors import Window
from microblog.database import Database
from microblog.queries import notifications as notification_queries
from microblog.resources import MIGRATIONS
from microblog.settings import Settings
from tests.cli.databases import on
from tests.conftest import all_databases

FILLED = """
INSERT INTO "user" (id, username, username_key, email, email_key, password_hash, display_name,
    about_me, role, first_seen, last_seen, post_count, follower_count, following_count)
    VALUES (1, 'mina', 'mina', 'm@example.org', 'm@example.org', '', '', '', 'member', NOW, NOW,
        0, 0, 0),
    (2, 'bora', 'bora', 'b@example.org', 'b@example.org', '', '', '', 'member', NOW, NOW, 0, 0, 0);
INSERT INTO post (id, author_id, body, visibility, created_at)
    VALUES (5, 2, 'Hello @mina', 'public', NOW);
INSERT INTO notification (user_id, actor_id, kind, post_id, created_at, read_at)
    VALUES (1, 2, 'follow', NULL, NOW, NOW), (1, 2, 'mention', 5, NOW, NULL)
"""


def migrate(settings: Settings, go: Callable[[Config, str], None], revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["settings"] = settings
    go(config, revision)


async def fill(database: Database) -> None:
    async with database.write() as tx:
        for statement in FILLED.replace("NOW", "'2026-01-02 03:04:05'").split(";"):
            quoted = statement.replace('"', "`") if tx.vendor == "mysql" else statement
            await tx.execute(text(quoted))


async def told(database: Database) -> list[tuple[str, bool]]:
    async with database.read() as read:
        page = await notification_queries.page(read, 1, Window(9))
    return [(row.kind, row.is_read) for row in page.items]


async def tell(database: Database) -> None:
    now = datetime.now(UTC)
    async with database.write() as tx:
        await notifications.notify(tx, 1, 2, "mention", now, post_id=5)
        await notifications.notify(tx, 2, 1, "follow", now)


async def count(database: Database) -> int:
    async with database.read() as read:
        return int(await read.scalar(text("SELECT count(*) FROM notification")))


@all_databases
def test_what_was_told_before_is_still_there(settings: Settings) -> None:
    migrate(settings, command.downgrade, "0007")
    on(settings, fill)
    migrate(settings, command.upgrade, "head")
    for _ in range(2):
        assert on(settings, told) == [("mention", False), ("follow", True)]
        on(settings, tell)  # of the same once more
    migrate(settings, command.downgrade, "0007")
    assert on(settings, count) == 4
    migrate(settings, command.upgrade, "head")
