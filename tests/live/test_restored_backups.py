"""R12: whatever a client brings back, it goes on without a gap or is told to load anew.

An older backup is put back under clients that listen, and clients come with every position there
is: right, pruned, of the future, of another history, malformed.
"""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from microblog.actions import retention
from microblog.database import Database
from microblog.realtime import replay
from microblog.realtime.replay import Start
from microblog.settings import Settings
from tests.cli.backing_up import seen
from tests.cli.conftest import Run, variables
from tests.conftest import both_databases
from tests.live.clients import LiveClient, listening
from tests.people import MakePost, MakeUser, access_token, session_cookie
from tests.serving import Serving

RESTARTING = 1012


@pytest.fixture
def run(settings: Settings, tmp_path: Path) -> Run:
    return Run(variables(settings))


async def admitted(database: Database, since: str | None, epoch: str | None = None) -> Start:
    async with database.read() as read:
        return await replay.start(read, since, epoch)


# --- An older backup -----------------------------------------------------------------------------


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    return tmp_path / "backup"


async def in_thread(run: Run, *words: str) -> str:
    return await asyncio.to_thread(run.works, *words)


def position_of(client: LiveClient) -> dict[str, str]:
    """Return what a client remembers, as it says it when it comes back."""
    return {"since": client.cursor, "epoch": client.epoch}


@pytest.mark.R12
@both_databases
async def test_client_of_a_server_under_which_a_backup_is_restored_comes_back_and_loads_anew(
    server: Serving, run: Run, backup: Path, make_user: MakeUser, make_post: MakePost
) -> None:
    """The server is not restarted; its client is sent away and finds another history."""
    mina = await make_user()
    old = await make_post(mina, "in the backup")
    await in_thread(run, "db", "backup", str(backup))
    async with listening(server.live_url, topics="explore") as client:
        gone = await make_post(mina, "not in the backup")
        await client.item("post.published")
        known = position_of(client)
        await in_thread(run, "db", "restore", str(backup), "--yes")
        assert await client.close_code() == RESTARTING
    async with httpx.AsyncClient(base_url=server.url) as http:
        page = (await http.get("/explore")).text
        assert "in the backup" in page
        assert "not in the backup" not in page
        assert (await http.get("/readyz")).status_code == 200
    again = await make_post(mina, "after the restore")
    assert again.id > gone.id > old.id
    async with listening(server.live_url, topics="explore", query=known) as client:
        assert client.epoch != known["epoch"]
        assert (await client.frame())["reason"] == "epoch"
        live = await make_post(mina, "live again")
        assert (await client.item("post.published"))["id"] == str(live.id)
        known = position_of(client)
    missed = await make_post(mina, "missed")
    async with listening(server.live_url, topics="explore", query=known) as client:
        assert (await client.frame_of("events"))["items"][0]["data"]["id"] == str(missed.id)
        assert len(client.items) == 1


@pytest.mark.R12
@both_databases
async def test_every_position_in_the_former_history_is_told_to_resync(
    run: Run, backup: Path, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    """Also without the epoch, and also when the new log has grown as long as the old one was."""
    mina = await make_user()
    await make_post(mina)
    await in_thread(run, "db", "backup", str(backup))
    last = (await make_post(mina)).id
    former = (await seen(database)).epoch
    await in_thread(run, "db", "restore", str(backup), "--yes")
    for grown in (0, 5):
        for _ in range(grown):
            await make_post(mina)
        for cursor in range(last + 1):
            assert (await admitted(database, str(cursor), former)).resync == "epoch"
            assert (await admitted(database, str(cursor))).resync == "expired"


@pytest.mark.R12
async def test_control_file_that_is_copied_back_as_it_was_makes_a_silent_gap(
    run: Run,
    backup: Path,
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
) -> None:
    """Without a new epoch and new numbers nobody notices: what `restore` is for."""
    mina = await make_user()
    live = settings.data_dir / "microblog.db"
    with closing(sqlite3.connect(live)) as source, closing(sqlite3.connect(backup)) as copy:
        source.backup(copy)
    for _ in range(3):
        known = await make_post(mina)
    former = (await seen(database)).epoch
    with closing(sqlite3.connect(backup)) as copy, closing(sqlite3.connect(live)) as target:
        copy.backup(target)
    unseen = [await make_post(mina) for _ in range(5)]
    start = await admitted(database, str(known.id), former)
    assert start.resync is None
    assert start.cursor > unseen[0].id


@pytest.mark.R12
@both_databases
async def test_cookie_and_token_of_before_the_restore_let_nobody_in(
    server: Serving,
    run: Run,
    backup: Path,
    settings: Settings,
    database: Database,
    make_user: MakeUser,
) -> None:
    mina = await make_user()
    cookie = await session_cookie(database, server.app, mina)
    token = await access_token(database, settings, mina)
    await in_thread(run, "db", "backup", str(backup))
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=server.url) as http:
        assert (await http.get("/api/timelines/home", headers=headers)).status_code == 200
        await in_thread(run, "db", "restore", str(backup), "--yes")
        assert (await http.get("/api/timelines/home", headers=headers)).status_code == 401
        http.cookies.set("session", cookie)
        assert (await http.get("/notifications")).status_code in {302, 303, 401}


# --- Every position ------------------------------------------------------------------------------

MALFORMED = (
    *(
        "nonsense",
        "-1",
        "+1",
        "1.0",
        "1e3",
        "0x10",
        " 1",
        "1 ",
        "1\n",
        "١",
        "１",
        "½",
        "\0",
        "null",
    ),
    *(str(2**63), "9" * 30, "0" * 20, "1,2", "1;drop table event", "é" * 1000),
)


@pytest.mark.R12
@both_databases
async def test_position_is_resumed_exactly_where_the_log_can_tell_all_since(
    database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    """Resync for each position that is pruned or to come, and for no other: never a false one."""
    mina = await make_user()
    posts = [await make_post(mina) for _ in range(12)]
    async with database.write() as tx:
        pruned_to = await retention.prune(tx, datetime.now(UTC), keep_days=7, keep_events=6)
    head = (await admitted(database, None)).head
    assert posts[0].id < pruned_to < posts[-1].id <= head.cursor
    for since in range(head.cursor + 5):
        expected = "expired" if since < pruned_to else None
        if since > head.cursor:
            expected = "future"
        for known in (None, head.epoch):
            start = await admitted(database, str(since), known)
            assert start.resync == expected, since
            assert start.cursor == (head.cursor if expected else since)
        assert (await admitted(database, str(since), "foreign")).resync == "epoch"
    for nothing in (None, ""):
        assert (await admitted(database, nothing, head.epoch)).resync is None


@pytest.mark.R12
@pytest.mark.parametrize("since", MALFORMED)
async def test_malformed_position_is_told_so_and_starts_at_the_end(
    database: Database, make_user: MakeUser, make_post: MakePost, since: str
) -> None:
    await make_post(await make_user())
    head = (await admitted(database, None)).head
    for known in (None, head.epoch, "foreign"):
        start = await admitted(database, since, known)
        assert start.resync == "malformed"
        assert start.cursor == head.cursor > 0


@pytest.mark.R12
@both_databases
async def test_client_without_a_resync_has_missed_nothing_and_one_with_it_goes_on_live(
    server: Serving, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    """The same positions over real sockets: each client ends with all posts that came after."""
    mina = await make_user()
    posts = [await make_post(mina) for _ in range(8)]
    async with database.write() as tx:
        pruned_to = await retention.prune(tx, datetime.now(UTC), keep_days=7, keep_events=4)
    head = (await admitted(database, None)).head
    for since in [*range(head.cursor + 1), 2**62]:
        query = {"since": str(since), "epoch": head.epoch}
        async with listening(server.live_url, topics="explore", query=query) as client:
            is_right = pruned_to <= since <= head.cursor
            if not is_right:
                assert (await client.frame())["type"] == "resync"
            posts.append(await make_post(mina))
            due = [p.id for p in posts if p.id > since] if is_right else [posts[-1].id]
            while len(client.items) < len(due):
                assert (await client.frame())["type"] != "resync"
            assert [int(item["data"]["id"]) for item in client.items] == due
