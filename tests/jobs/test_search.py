"""The index is fed behind the pages: soon, from the log, and whole again where it was lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from quart import Quart
from sqlalchemy import delete, func, select, update

from microblog import create_app
from microblog.actions import posts, search_index
from microblog.backends.search import SearchServer, open_search
from microblog.backends.search.elastic import Elastic
from microblog.core import search_query
from microblog.core.tasks import FeedSearch
from microblog.database import Database
from microblog.jobs import search as jobs
from microblog.models import EventRow, History, Job
from microblog.models.search import POST_INDEX
from microblog.queries import search
from microblog.queries import search_index as queries
from microblog.queries.search import SQL, Asked
from microblog.settings import Settings
from tests.conftest import both_databases
from tests.elastic import Elasticsearch
from tests.jobs.conftest import until
from tests.people import MakePost, MakeUser, Visit
from tests.search import index

_FEEDING = select(Job.id).where(Job.kind == FeedSearch.kind)
on_elastic = pytest.mark.parametrize("backend", ["elastic"], indirect=True)
on_both_kinds = pytest.mark.parametrize("backend", ["sqlite", "elastic"], indirect=True)


@pytest.fixture
async def search_server(settings: Settings) -> AsyncIterator[SearchServer | None]:
    server = open_search(settings)
    yield server
    if server is not None:
        await server.close()


async def found(database: Database, q: str, server: SearchServer | None = None) -> list[int]:
    """Return the ids of the posts that a stranger finds, newest first."""
    async with database.read() as read:
        asked = Asked(None, 100, None, server)
        page = await search.posts(read, search_query.parse(q), asked, by_time=True)
    return [row.id for row in page.items]


@both_databases
async def test_who_posts_is_found_soon_and_who_deletes_is_not(
    app: Quart, database: Database, visit: Visit, make_user: MakeUser
) -> None:
    mina = await make_user("mina")
    browser = await visit(mina)
    assert (await browser.post("/posts", {"post": "한글은 좋다"})).status_code == 303
    (post_id,) = await until(lambda: found(database, "한글"))
    assert f'data-post="{post_id}"' in await browser.text("/search?q=%ED%95%9C%EA%B8%80")

    async def person() -> bool:
        return "/user/mina" in await browser.text("/search?q=min&type=people")

    await until(person)
    await browser.post(f"/post/{post_id}/delete")

    async def is_out_of_the_index() -> bool:
        async with database.read() as read:
            documents = await queries.documents(read, "post", [post_id])
            position = await queries.position(read, SQL)
            return not documents and position == await queries.head(read)

    await until(is_out_of_the_index)


async def test_posts_of_a_moment_take_one_job(
    database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user("mina")
    for number in range(10):
        await make_post(mina, f"rain {number}")
    async with database.read() as read:
        assert len(list(await read.scalars(_FEEDING))) == 1


@both_databases
async def test_index_is_filled_where_it_is_new_and_keeps_nothing_that_is_gone(
    database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user("mina")
    ids = [(await make_post(mina, f"rain {number}")).id for number in range(jobs.BATCH + 7)]
    async with database.write() as tx:
        (document,) = await queries.documents(tx, "post", ids[:1])
        await search_index.replace(tx, "post", [], [replace(document, id=10**9)])
        await posts.delete_post(tx, mina, ids[3], datetime.now(UTC))
    told: list[int] = []

    async def tell(percent: int) -> None:
        told.append(percent)

    await jobs.fill(database, None, tell)
    assert told == sorted(told)
    assert told[-1] == 99
    assert await found(database, "rain") == sorted(set(ids) - {ids[3]}, reverse=True)
    async with database.read() as read:
        rows = await read.scalar(select(func.count()).select_from(POST_INDEX))
    assert rows == len(ids) - 1


@both_databases
async def test_log_that_was_pruned_before_it_was_read_is_no_loss(
    database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user("mina")
    await index(database)
    posts_ = [await make_post(mina, f"rain {number}") for number in range(3)]
    async with database.write() as tx:
        await tx.execute(delete(EventRow).where(EventRow.id <= posts_[1].id))
        await tx.execute(update(History).values(pruned_to=posts_[1].id))
    await index(database)
    assert await found(database, "rain") == [post.id for post in reversed(posts_)]


@on_both_kinds
async def test_everything_is_found_while_the_index_is_made_anew(
    database: Database,
    search_server: SearchServer | None,
    make_user: MakeUser,
    make_post: MakePost,
) -> None:
    mina = await make_user("mina")
    there = [(await make_post(mina, f"rain {n}")).id for n in range(2 * jobs.BATCH + 1)]
    await index(database, search_server)
    looked = 0

    async def look(_percent: int) -> None:
        nonlocal looked
        looked += 1
        async with database.read() as read:
            asked = Asked(None, 500, None, search_server)
            page = await search.posts(read, search_query.parse("rain"), asked, by_time=True)
        assert {row.id for row in page.items} >= set(there)
        there.append((await make_post(mina, "rain, meanwhile")).id)
        await index(database, search_server)

    await jobs.fill(database, search_server, look)
    assert looked >= 4
    await index(database, search_server)
    assert len(await found(database, "meanwhile", search_server)) == looked


class Wire:
    """The way to a server, which can be cut."""

    def __init__(self, url: str) -> None:
        self._port = urlsplit(url).port
        self._listener: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def mend(self) -> None:
        self._listener = await asyncio.start_server(self._pass_on, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self._listener is not None
        self._listener.close()
        for writer in self._open:
            writer.transport.abort()
        await self._listener.wait_closed()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        self._open |= {writer, back}
        await asyncio.gather(copy(reader, back), copy(there, writer), return_exceptions=True)


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while part := await reader.read(65_536):
            writer.write(part)
            await writer.drain()
    finally:
        writer.close()


@asynccontextmanager
async def wire_to(server: Elasticsearch) -> AsyncIterator[Wire]:
    wire = Wire(server.url)
    await wire.mend()
    yield wire
    await wire.cut()


@on_elastic
async def test_writing_goes_on_while_the_server_is_away_and_all_is_found_afterwards(
    elastic_server: Elasticsearch, settings: Settings, database: Database, make_user: MakeUser
) -> None:
    async with wire_to(elastic_server) as wire:
        app = create_app(replace(settings, elasticsearch_url=wire.url))
        async with app.test_app():
            mina = await make_user("mina")
            browser = await Visit(app, database)(mina)

            async def shown() -> int:
                answer = await browser.get("/search?q=rain")
                page = await answer.get_data(as_text=True)
                return page.count("data-post=") if answer.status_code == 200 else 0

            await browser.post("/posts", {"post": "rain before"})
            await until(shown)
            await wire.cut()
            for number in range(3):
                answer = await browser.post("/posts", {"post": f"rain {number}"})
                assert answer.status_code == 303
            answer = await browser.get("/search?q=rain")
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0
            page = await answer.get_data(as_text=True)
            assert "Search is out of reach just now" in page
            assert 'value="rain"' in page
            assert (await browser.get("/search?q=&type=people")).status_code == 200
            await wire.mend()

            async def is_whole() -> bool:
                return await shown() == 4

            await until(is_whole)


@on_elastic
async def test_server_that_lost_its_indexes_is_filled_again(
    app: Quart,
    settings: Settings,
    database: Database,
    search_server: Elastic,
    visit: Visit,
    make_user: MakeUser,
) -> None:
    prefix = settings.elasticsearch_index
    mina = await make_user("mina")
    browser = await visit(mina)
    await browser.post("/posts", {"post": "rain"})
    await until(search_server.is_made)
    await until(lambda: found(database, "rain", search_server))
    client = search_server._client
    lost = [each for each in await client.indices.get(index="*") if each.startswith(prefix)]
    await client.indices.delete(index=",".join(lost))
    await browser.post("/posts", {"post": "more rain"})
    await until(search_server.is_made)

    async def is_whole() -> bool:
        return len(await found(database, "rain", search_server)) == 2

    await until(is_whole)
