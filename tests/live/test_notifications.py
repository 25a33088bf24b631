"""What one has read in one tab is told to the other ones."""

from datetime import UTC, datetime

from microblog.actions import notifications
from microblog.database import Database
from tests.conftest import both_databases
from tests.live.clients import listening
from tests.people import MakePost, MakeUser, session_cookie
from tests.serving import Serving


@both_databases
async def test_one_that_was_read_is_told_by_its_id(
    server: Serving, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    cookie = await session_cookie(database, server.app, jun)
    async with listening(server.live_url, cookie=cookie) as client:
        ids = []
        for _ in range(2):
            await make_post(mina, "Hello @jun")
            ids.append((await client.item("notification"))["id"])
        async with database.write() as tx:
            await notifications.mark_groups_read(tx, jun.id, [int(ids[1])], None, datetime.now(UTC))
        told = await client.item("notification.read")
        assert told == {"id": ids[1], "unread_count": 1, "read": True}
