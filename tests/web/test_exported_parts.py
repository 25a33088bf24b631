"""What an export holds beside the words of posts."""

import io
import zipfile

from quart import Quart

from microblog.actions import avatars
from microblog.core.pictures import Squares
from microblog.database import Database
from tests.people import MakePost, MakeUser, Visit
from tests.web.test_exports import made, opened


async def test_export_holds_ones_picture(
    app: Quart, database: Database, make_user: MakeUser, visit: Visit
) -> None:
    mina = await make_user("mina")
    async with database.write() as tx:
        await avatars.change(
            tx, mina, Squares("name", {400: b"large", 96: b"small"}), mina.last_seen
        )
    browser = await visit(mina)
    answer = await browser.get(await made(browser, database))
    with zipfile.ZipFile(io.BytesIO(await answer.get_data(as_text=False))) as archive:
        assert archive.read("avatar.webp") == b"large"


async def test_export_has_the_titles_of_questions(
    app: Quart,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
    visit: Visit,
) -> None:
    mina = await make_user("mina")
    await make_post(mina, "Near the harbour", title="Where is the best bread?")
    browser = await visit(mina)
    (told,) = (await opened(browser, await made(browser, database)))["posts.json"]["posts"]
    assert (told["title"], told["body"]) == ("Where is the best bread?", "Near the harbour")


async def test_export_of_who_has_nothing_is_whole_too(
    app: Quart, database: Database, make_user: MakeUser, visit: Visit
) -> None:
    browser = await visit(await make_user("mina"))
    found = await opened(browser, await made(browser, database))
    assert found["posts.json"] == {"posts": []}
    assert found["messages.json"] == {"messages": []}
    assert found["follows.json"] == {"following": [], "followers": []}
