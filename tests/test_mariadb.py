"""What MariaDB would do otherwise: how it compares and keeps things, and which errors pass."""

import asyncio
import itertools
import os
import signal
import unicodedata
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from microblog import stores
from microblog.actions import idempotency, tokens
from microblog.cli.db import upgrade_to_head
from microblog.core.cursors import Window
from microblog.core.errors import Unavailable
from microblog.database import Database, Tx, open_database
from microblog.models import IdempotencyKey, Post, PostTag, User
from microblog.queries import posts
from microblog.settings import Settings
from tests.conftest import all_databases
from tests.mariadb import MariaDb
from tests.people import MakePost, MakeUser, access_token
from tests.serving import serving

on_mariadb = pytest.mark.parametrize("backend", ["mariadb"], indirect=True)
MOMENT = datetime(2026, 2, 3, 4, 5, 6, 123_456, UTC)
PLAIN = ["cafe", "Cafe", "café", "cafe ", "cafe\t", "가", "\N{GRINNING FACE}", "\N{PILE OF POO}"]
ALIKE = {*PLAIN, *(unicodedata.normalize("NFD", word) for word in PLAIN)}


# --- What is kept --------------------------------------------------------------------------------


@all_databases
async def test_text_is_equal_only_where_its_bytes_are(
    database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user()
    written = {word: (await make_post(mina)).id for word in ALIKE}
    async with database.write() as tx:
        for word, post_id in written.items():
            await tx.insert(PostTag, {"tag": word, "post_id": post_id, "position": 0})
            await idempotency.remember(tx, mina.id, word, word, post_id, MOMENT)
    async with database.read() as read:
        for word, post_id in written.items():
            page = await posts.by_tag(read, word, None, Window(10))
            assert [post.id for post in page.items] == [post_id]
            spent = await read.get(IdempotencyKey, (mina.id, word))
            assert spent is not None
            assert spent.ref_id == post_id


@all_databases
async def test_long_texts_and_short_times_are_kept_whole(
    database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    post = await make_post(await make_user())
    body = "\N{MAN}\N{ZERO WIDTH JOINER}\N{GIRL}'\\%s:x\n" * 20_000
    async with database.write() as tx:
        await tx.execute(update(Post).values(body=body, created_at=MOMENT))
    async with database.read() as read:
        kept = await read.get(Post, post.id)
        assert kept is not None
        assert (kept.body, kept.created_at) == (body, MOMENT)
        before = select(Post.id).where(Post.created_at < MOMENT.replace(microsecond=123_457))
        assert await read.scalar(before) == post.id
        assert await read.scalar(before.where(Post.created_at < MOMENT)) is None


@all_databases
async def test_changed_rows_are_told(database: Database, make_user: MakeUser) -> None:
    mina, jun, _ = [(await make_user(name)).id for name in ("mina", "jun", "bora")]
    some, promoted = User.id.in_([mina, jun]), {"role": "admin"}
    async with database.write() as tx:
        told = await tx.change_telling(update(User).where(some).values(promoted), User.id)
        assert sorted(told) == [mina, jun]
        assert await tx.change(update(User).where(some).values(promoted)) == 2
        gone = delete(User).where(some, User.id != jun)
        assert await tx.change_telling(gone, User.username) == ["mina"]
        assert await tx.change_telling(gone, User.username) == []
    async with database.read() as read:
        left = await read.execute(select(User.username, User.role).order_by(User.id))
        assert [tuple(row) for row in left] == [("jun", "admin"), ("bora", "member")]


@on_mariadb
async def test_session_is_the_same_whatever_the_owner_of_the_server_chose(
    settings: Settings, mariadb_server: MariaDb, database: Database
) -> None:
    ours = "@@tx_isolation, @@time_zone, @@character_set_connection, @@innodb_lock_wait_timeout"
    async with database.read() as read:
        found = (await read.execute(text(f"SELECT {ours}, @@sql_mode"))).one()
    assert tuple(found[:4]) == ("READ-COMMITTED", "+00:00", "utf8mb4", 5)
    assert "STRICT_ALL_TABLES" in found[4]


# --- What passes ---------------------------------------------------------------------------------


async def hold(tx: Tx, *users: User) -> None:
    for user in users:
        await tx.execute(update(User).where(User.id == user.id).values(about_me="held"))


@on_mariadb
async def test_of_two_who_wait_for_each_other_one_is_told_to_come_again(
    database: Database, make_user: MakeUser
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    both = asyncio.Barrier(2)

    async def change(first: User, second: User) -> str:
        try:
            async with database.write() as tx:
                await hold(tx, first)
                await both.wait()
                await hold(tx, second)
        except Unavailable:
            return "told"
        return "done"

    assert sorted(await asyncio.gather(change(mina, jun), change(jun, mina))) == ["done", "told"]


@on_mariadb
async def test_who_waits_too_long_for_a_row_or_the_log_is_told_to_come_again(
    database: Database, make_user: MakeUser
) -> None:
    mina = await make_user()
    async with database.write() as holder:
        await hold(holder, mina)
        with pytest.raises(Unavailable):  # noqa: PT012 - the block is what is tested
            async with database.write() as tx:
                await tx.execute(text("SET innodb_lock_wait_timeout = 1"))
                await hold(tx, mina)


@on_mariadb
async def test_connection_that_is_cut_off_is_replaced(
    database: Database, mariadb_server: MariaDb
) -> None:
    with pytest.raises(Unavailable):  # noqa: PT012 - the block is what is tested
        async with database.write() as tx:
            number = await tx.scalar(text("SELECT CONNECTION_ID()"))
            await asyncio.to_thread(mariadb_server.execute, f"KILL {number}")
            await tx.execute(text("SELECT 1"))
    async with database.read() as read:
        assert await read.scalar(text("SELECT CONNECTION_ID()")) != number


@on_mariadb
async def test_mistake_of_the_program_is_no_excuse(database: Database, make_user: MakeUser) -> None:
    await make_user()
    for wrong in ("UPDATE user SET role = 'king'", "SELECT nothing FROM user", "SELEKT 1"):
        with pytest.raises(DBAPIError):
            async with database.write() as tx:
                await tx.execute(text(wrong))


@on_mariadb
async def test_row_whose_owner_went_meanwhile_passes(database: Database) -> None:
    with pytest.raises(Unavailable):
        async with database.write() as tx:
            await tokens.issue(tx, 1, MOMENT, life=MOMENT - MOMENT, device="test")


async def test_server_that_stands_still_or_is_killed_is_waited_for_and_found_again(
    own_mariadb: MariaDb, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database(Settings(database_url=own_mariadb.url))

    async def ask() -> Any:
        async with database.read() as read:
            return await read.scalar(text("SELECT 1"))

    assert await ask() == 1
    monkeypatch.setattr(stores, "STATEMENT_SECONDS", 0.5)
    assert own_mariadb.process is not None
    os.kill(own_mariadb.process.pid, signal.SIGSTOP)
    with pytest.raises(Unavailable):
        await ask()
    os.kill(own_mariadb.process.pid, signal.SIGCONT)
    monkeypatch.undo()
    assert await ask() == 1
    await asyncio.to_thread(own_mariadb.kill)
    with pytest.raises(Unavailable):
        await ask()
    await asyncio.to_thread(own_mariadb.start)
    assert await ask() == 1
    await database.close()


class Writers:
    """Five people who post without a pause, and what they were told."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.answers: Counter[int] = Counter()
        self.acknowledged: list[str] = []
        self._http = http
        self._stop = asyncio.Event()
        self._tasks = [asyncio.ensure_future(self._post(who)) for who in range(5)]

    async def _post(self, who: int) -> None:
        for number in itertools.count():
            if self._stop.is_set():
                return
            body = f"{who}, {number}"
            answer = await self._http.post("/api/posts", json={"body": body})
            self.answers[answer.status_code] += 1
            if answer.status_code == 201:
                self.acknowledged.append(body)

    async def get_on(self) -> None:
        """Wait until twenty more posts are stored."""
        enough = len(self.acknowledged) + 20
        async with asyncio.timeout(30):
            while len(self.acknowledged) < enough:
                await asyncio.sleep(0.01)

    async def end(self) -> None:
        self._stop.set()
        await asyncio.gather(*self._tasks)


async def test_posts_are_stored_once_or_refused_while_the_server_is_killed(
    own_mariadb: MariaDb, tmp_path: Path
) -> None:
    url = own_mariadb.create_database()
    secret = {"data_dir": tmp_path, "secret_key": "test" * 16, "posts_per_minute": 1_000_000}
    settings = Settings(database_url=url, log_level="error", **secret)
    await asyncio.to_thread(upgrade_to_head, settings)
    database = open_database(settings)
    token = await access_token(database, settings, await MakeUser(database)("mina"))
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        serving(settings) as server,
        httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as http,
    ):
        writers = Writers(http)
        for _ in range(2):
            await writers.get_on()
            await asyncio.to_thread(own_mariadb.kill)
            await asyncio.to_thread(own_mariadb.start)
        await writers.get_on()
        await writers.end()
    async with database.read() as read:
        stored = Counter(await read.scalars(select(Post.body)))
    await database.close()
    assert set(writers.answers) == {201, 503}
    assert set(writers.acknowledged) <= stored.keys()
    assert set(stored.values()) == {1}
