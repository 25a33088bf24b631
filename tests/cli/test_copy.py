"""`microblog db copy`: a whole community in another database, of every kind into every other."""

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from microblog.actions import copying as writing
from microblog.actions import follows, messages, sessions
from microblog.actions.messages import Letter
from microblog.cli import copying as command
from microblog.core import search_query
from microblog.core.tallies import Tally
from microblog.core.tasks import Prune
from microblog.database import Database
from microblog.models import Avatar, Session, Translation, Try, User
from microblog.queries import copying, events, message_search, schema, search
from microblog.queries.search import Asked
from microblog.realtime import replay
from microblog.settings import Settings
from tests.cli.conftest import Run, process, variables
from tests.cli.databases import on
from tests.mariadb import MariaDb
from tests.people import MakePost, MakeUser
from tests.services import Postgres

LIFE = timedelta(days=1)
ROUND = [("sqlite", "postgres"), ("postgres", "mariadb"), ("mariadb", "sqlite")]
from_every_kind_to_the_next = pytest.mark.parametrize(("backend", "target"), ROUND, indirect=True)
into_every_kind = pytest.mark.parametrize(
    "target", ["sqlite", "postgres", "mariadb"], indirect=True
)

# Runs `microblog` and kills it, as the power does, at the first progress under one label.
DYING = """
import os, signal, sys
from contextlib import contextmanager
from microblog.cli import copying, main

@contextmanager
def shown(label):
    yield lambda done, total: label == sys.argv[1] and os.kill(os.getpid(), signal.SIGKILL)

copying.shown = shown
main(sys.argv[2:])
"""


@pytest.fixture
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database, an SQLite file where no other kind is asked for."""
    kind = getattr(request, "param", "sqlite")
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'blog.db'}"
        return
    server: Postgres | MariaDb = request.getfixturevalue(f"{kind}_server")
    url = server.create_database()
    yield url
    server.drop_database(url)


async def some_life(database: Database) -> None:
    """Let people do a bit of everything, in every kind of column."""
    now, make_user, make_post = datetime.now(UTC), MakeUser(database), MakePost(database)
    mina, jun, bora = [await make_user(name) for name in ("mina", "jun", "bora")]
    first = await make_post(
        mina, "한글은 #서울 @jun 'quoted' \\ \N{GRINNING FACE} https://a.example"
    )
    await make_post(jun, "An answer, @mina @bora #서울 #tea", reply_to=first.id)
    await make_post(bora, "Which tea?\n" * 9, title="A question", language="en")
    async with database.write() as tx:
        await follows.follow(tx, mina, jun, now)
        await messages.send(tx, mina, jun, Letter("a private 비밀"), now)
        await messages.send(tx, jun, mina, Letter("and another"), now)
        for size in (96, 400):
            picture = bytes(range(256)) * 50
            row = {"user_id": mina.id, "size": size, "name": "x", "content": picture}
            await tx.insert(Avatar, row | {"created_at": now})
        await tx.insert(Try, *({"key": bytes([n]) * 32, "created_at": now} for n in range(5)))
        pairs = [
            (digest, target) for digest in (b"\0" * 32, b"\xff" * 32) for target in ("en", "ko")
        ]
        given = {"source": "und", "detected": "en", "text": "", "provider": "x", "created_at": now}
        await tx.insert(
            Translation, *(given | {"text_digest": one, "target": two} for one, two in pairs)
        )
        tx.enqueue(Prune(), key="한글", at=now)
        for person in (mina, jun):
            await sessions.open_session(
                tx, person.id, now, life=LIFE, remembered=True, device="a phone"
            )
    async with database.write() as tx:
        await tx.execute(delete(Session).where(Session.user_id == jun.id))


async def rows(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Return everything that a copy has to have, in an order of its own."""
    async with database.read() as read:
        return {
            each.name: sorted(
                [row async for page in copying.pages(read, each) for row in page], key=repr
            )
            for each in copying.TABLES
        }


async def end_of(database: Database) -> events.Head:
    async with database.read() as read:
        return await events.head(read)


async def go_on(database: Database) -> tuple[int, int, int]:
    """Sign up, sign in and post; return the new numbers of person, session and post."""
    sora = await MakeUser(database)("sora")
    async with database.write() as tx:
        await sessions.open_session(
            tx, sora.id, datetime.now(UTC), life=LIFE, remembered=False, device="a desk"
        )
    post = await MakePost(database)(sora, "I am new here")
    async with database.read() as read:
        return (
            sora.id,
            int(await read.scalar(select(Session.id).order_by(Session.id.desc()))),
            post.id,
        )


async def found(database: Database, words: str) -> list[str]:
    async with database.read() as read:
        query = search_query.parse(words)
        page = await search.posts(read, query, Asked(None, 10), by_time=True)
        return [post.author.username for post in page.items]


async def found_messages(database: Database) -> int:
    async with database.read() as read:
        mina = await read.scalar(select(User.id).where(User.username == "mina"))
        return len(
            (
                await message_search.find(read, mina, search_query.parse("비밀"), Asked(mina, 9))
            ).items
        )


def copied(settings: Settings, url: str) -> Settings:
    return Settings(data_dir=settings.data_dir, database_url=url)


# --- What a copy has ---------------------------------------------------------------------------


@from_every_kind_to_the_next
def test_copy_has_every_row_and_goes_on_by_itself(
    run: Run, settings: Settings, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "PAGE_ROWS", 2)
    on(settings, some_life)
    before, end = on(settings, rows), on(settings, end_of)
    told = run.works("db", "copy", "--to", target)
    assert f"Counts and checksums of all {len(copying.TABLES)} tables agree." in told
    assert "Copying: 100 %" in told
    assert "Meanwhile" not in told
    made = copied(settings, target)
    assert on(made, rows) == before == on(settings, rows)
    assert [name for name, held in before.items() if len(held) > 2][:3] == [
        "translation",
        "try",
        "user",
    ]
    # Its own history has begun, beyond every number of the original.
    assert on(made, end_of).epoch != end.epoch
    assert on(made, end_of).cursor == end.cursor + 1
    assert on(made, found_messages) == 1
    assert on(made, lambda database: found(database, "한글")) == ["mina"]
    assert on(made, lambda database: found(database, "tea")) == ["bora", "jun"]
    user_id, session_id, post_id = on(made, go_on)
    assert user_id > max(row["id"] for row in before["user"])
    assert session_id == 3  # of which the second is gone
    assert post_id > end.cursor + 1
    assert run("db", "check", MICROBLOG_DATABASE_URL=target).exit_code == 0


def test_clients_of_the_original_load_anew_whatever_they_say(
    run: Run, settings: Settings, target: str
) -> None:
    on(settings, some_life)
    old = on(settings, end_of)
    run.works("db", "copy", "--to", target)
    on(copied(settings, target), go_on)

    async def told(database: Database) -> list[str | None]:
        async with database.read() as read:
            known = [(str(old.cursor), old.epoch), (str(old.cursor), None), ("1", None)]
            return [(await replay.start(read, since, epoch)).resync for since, epoch in known]

    assert on(copied(settings, target), told) == ["epoch", "expired", "expired"]


def test_who_is_signed_in_stays_so(run: Run, settings: Settings, target: str) -> None:
    on(settings, some_life)
    run.works("db", "copy", "--to", target)
    assert len(on(copied(settings, target), rows)["session"]) == 1


def test_what_is_written_meanwhile_stays_behind_and_is_told(
    run: Run, settings: Settings, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(settings, some_life)
    check = command._check

    async def write_and_check(made: Database, *arguments: Any) -> None:
        await asyncio.to_thread(on, settings, go_on)
        await check(made, *arguments)

    monkeypatch.setattr(command, "_check", write_and_check)
    told = run.works("db", "copy", "--to", target)
    assert re.search(r"Meanwhile there (was|were) \d+ events? in the original, which", told)
    made = on(copied(settings, target), rows)
    assert "sora" not in {row["username"] for row in made["user"]}
    assert made["session"] == []  # one of them may have been ended meanwhile
    # No number that was given out meanwhile comes again.
    assert on(copied(settings, target), end_of).cursor == on(settings, end_of).cursor + 1


# --- What is refused, and what is cut off --------------------------------------------------------


def test_database_with_people_is_refused_and_stays(
    run: Run, settings: Settings, target: str
) -> None:
    on(settings, some_life)
    run.works("db", "copy", "--to", target)
    before = on(copied(settings, target), rows)
    told = run.fails("db", "copy", "--to", target)
    assert told.startswith("There is a microblog with 3 people already")
    assert on(copied(settings, target), rows) == before


def test_database_in_which_nobody_is_yet_is_taken(
    run: Run, settings: Settings, target: str
) -> None:
    on(settings, some_life)
    run.works("db", "init", MICROBLOG_DATABASE_URL=target)

    async def wait(database: Database) -> None:
        async with database.write() as tx:
            tx.enqueue(Prune(), key="other")

    on(copied(settings, target), wait)
    run.works("db", "copy", MICROBLOG_COPY_TO=target)
    assert on(copied(settings, target), rows) == on(settings, rows)


def test_original_is_not_its_own_copy(run: Run, settings: Settings) -> None:
    same = settings.data_dir / ".." / settings.data_dir.name / "microblog.db"
    told = run.fails("db", "copy", "--to", f"sqlite:///{same}")
    assert told.endswith("is the database that is to be copied.")


def test_tables_of_another_program_are_refused(run: Run, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as other, other:
        other.execute("CREATE TABLE user (theirs INT)")
    told = run.fails("db", "copy", "--to", f"sqlite:///{tmp_path / 'other.db'}")
    assert told == "There are tables, but not a Microblog's: user."


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("nonsense", "--to is not an address. For example: --to=postgresql://"),
        ("oracle://mina:geheim@a/b", "--to names 'oracle', which is not supported."),
        ("postgresql://mina:geheim@127.0.0.1:1/b", "is --to right?"),
    ],
)
def test_wrong_address_is_one_sentence_without_its_password(
    run: Run, address: str, told: str
) -> None:
    printed = run.fails("db", "copy", "--to", address)
    assert told in printed
    assert "geheim" not in printed


@into_every_kind
def test_copy_that_was_cut_off_is_no_database_and_is_begun_anew(
    run: Run, settings: Settings, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(settings, some_life)

    def cut_off(*_: object) -> None:
        raise ConnectionResetError("the cable")

    with monkeypatch.context() as patch:
        patch.setattr(writing, "number_on", cut_off)
        told = run.fails("db", "copy", "--to", target)
    assert told.endswith("was cut off: the cable. Run the command again: it begins anew.")
    for words in (("db", "upgrade"), ("user", "role", "mina", "admin")):
        told = run.fails(*words, MICROBLOG_DATABASE_URL=target)
        assert told.startswith("A copy into this database is not finished.")
    run.works("db", "copy", "--to", target)
    assert on(copied(settings, target), rows) == on(settings, rows)
    assert on(copied(settings, target), lambda database: found(database, "tea")) == ["bora", "jun"]


def test_copy_that_was_killed_is_begun_anew(
    run: Run, settings: Settings, target: str, empty_folder: Path
) -> None:
    on(settings, some_life)
    (empty_folder / "dying.py").write_text(DYING)
    env = {**variables(settings), "PYTHONPATH": str(Path(__file__).parents[2])}
    done = process("dying", "Checking", "db", "copy", "--to", target, folder=empty_folder, **env)
    assert done.returncode == -9, done.stderr

    async def problem(database: Database) -> str | None:
        async with database.read() as read:
            return await schema.problem(read)

    assert "not finished" in str(on(copied(settings, target), problem))
    run.works("db", "copy", "--to", target)
    assert on(copied(settings, target), problem) is None
    assert on(copied(settings, target), rows) == on(settings, rows)


def test_copy_that_differs_is_not_used(
    run: Run, settings: Settings, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(settings, some_life)
    put = writing.put

    async def spoil(tx: Any, each: Any, page: list[dict[str, Any]]) -> None:
        spoilt = (
            [row | {"body": row["body"] + " "} for row in page] if each.name == "post" else page
        )
        await put(tx, each, spoilt)

    monkeypatch.setattr(writing, "put", spoil)
    assert "The table post has other rows than the original" in run.fails(
        "db", "copy", "--to", target
    )
    assert "not finished" in run.fails("db", "upgrade", MICROBLOG_DATABASE_URL=target)


# --- How rows are counted ------------------------------------------------------------------------


def tally(*rows: tuple[object, ...]) -> Tally:
    made = Tally()
    for row in rows:
        made.add(row)
    return made


def test_tally_is_the_same_in_every_order_and_zone_and_differs_where_a_row_does() -> None:
    seoul = datetime.fromisoformat("2026-01-01T09:00:00.000001+09:00")
    one, two = (1, seoul, {"a": 1, "b": 2}, b"x"), (2, None, {}, b"")
    same = (1, seoul.astimezone(UTC), {"b": 2, "a": 1}, bytearray(b"x"))
    assert tally(one, two) == tally(two, same)
    assert tally(one, two).checksum == tally(two, one).checksum
    others = [tally(one), tally(one, one), tally(one, two, two), tally(one, (2, None, {}, b"0"))]
    assert len({other.checksum for other in [*others, tally(one, two)]}) == 5
    assert re.fullmatch("[0-9a-f]{32}", tally(two).checksum)
