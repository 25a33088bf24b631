"""The figures of the server: told to administrators who look at them, and to nobody else."""

from microblog.actions import accounts
from microblog.database import Database
from microblog.live import figures
from microblog.render.frames import HTML_FORM, JSON_FORM
from tests.conftest import both_databases
from tests.live.clients import LiveClient, listening
from tests.people import MakePost, MakeUser, session_cookie
from tests.serving import Serving

TOPICS = "figures,explore"


async def types_until_a_post(client: LiveClient) -> list[str]:
    """Return the types of all frames up to the next events."""
    found: list[str] = []
    while "events" not in found:
        found.append((await client.frame())["type"])
    return found


@both_databases
async def test_only_administrators_who_look_are_told_the_figures(
    server: Serving, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    boss, mina = await make_user("boss", role="admin"), await make_user("mina")
    admins = await session_cookie(database, server.app, boss)
    members = await session_cookie(database, server.app, mina)
    korean = {"lang": "ko"}
    url = server.live_url
    async with (
        listening(url, cookie=admins, topics="explore", form=HTML_FORM) as elsewhere,
        listening(url, cookie=admins, topics=TOPICS, form=JSON_FORM) as program,
        listening(url, cookie=members, topics=TOPICS, form=HTML_FORM) as member,
        listening(url, topics=TOPICS, form=HTML_FORM) as stranger,
        listening(url, cookie=admins, topics=TOPICS, form=HTML_FORM, query=korean) as other,
        listening(url, cookie=admins, topics=TOPICS, form=HTML_FORM) as page,
    ):
        told = await page.frame_of("figures", 20)
        assert "<dt>Connections</dt><dd><b>6</b>" in told["html"]
        assert "<dt>연결</dt>" in (await other.frame_of("figures", 20))["html"]
        await make_post(mina, "Hello")
        for client in (elsewhere, program, member, stranger):
            assert "figures" not in await types_until_a_post(client)


async def test_who_is_administrator_no_more_is_told_no_more(
    server: Serving, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    boss = await make_user("boss", role="admin")
    cookie = await session_cookie(database, server.app, boss)
    async with listening(server.live_url, cookie=cookie, topics=TOPICS, form=HTML_FORM) as page:
        await page.frame_of("figures", 20)
        async with database.write() as tx:
            await accounts.set_role(tx, boss, "member")
        for _ in range(4):
            await figures.tell(server.runtime)
        await make_post(boss, "After")
        told = await types_until_a_post(page)
        assert told.count("figures") <= 1, "one may have been on its way"
