"""Export: everything that is one's own, in a file that only its owner can fetch, for a while."""

import io
import json
import os
import re
import time
import tracemalloc
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from quart import Quart
from sqlalchemy import update

from microblog import create_app, export_files
from microblog.actions import accounts, drafts, follows, messages, posts
from microblog.actions.messages import Letter
from microblog.core.drafts import Written
from microblog.core.tasks import Cancelled, ExportPosts
from microblog.database import Database
from microblog.jobs import HANDLERS, exports
from microblog.models import Job, Post, User
from microblog.queries import exports as queries
from microblog.runtime import EXTENSION
from microblog.settings import Settings
from tests import forms
from tests.conftest import all_databases
from tests.jobs.conftest import jobs_of, until
from tests.mailboxes import all_done, mail_server, mailed_by, path_in
from tests.people import Browser, MakePost, MakeUser, Visit

POSTS = forms.of(5_000, 100_000)
WORDS = "한글" * 240
MOST_BYTES = (
    8 * 2**20
)  # the posts are twice as large in the fast form, and twenty times in the long
ADDRESS = re.compile(r'href="(/export_posts/\d+\.zip)"')


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no export be made."""
    monkeypatch.delitem(HANDLERS, ExportPosts.kind)


async def made(browser: Browser, database: Database) -> str:
    """Ask for an export, wait until it is there, and return its address."""
    assert (await browser.post("/export_posts")).status_code == 303
    await until(lambda: is_finished(database))
    found = ADDRESS.search(await browser.text("/export_posts"))
    assert found is not None
    return found[1]


async def is_finished(database: Database) -> bool:
    return all(row.finished_at is not None for row in await jobs_of(database, ExportPosts.kind))


async def opened(browser: Browser, address: str) -> dict[str, Any]:
    """Fetch an export and return what its files say."""
    answer = await browser.get(address)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Cache-Control"] == "private, no-store"
    with zipfile.ZipFile(io.BytesIO(await answer.get_data(as_text=False))) as archive:
        assert archive.testzip() is None
        return {name: json.loads(archive.read(name)) for name in archive.namelist()}


@all_databases
async def test_export_holds_all_that_is_ones_own(
    app: Quart, database: Database, make_user: MakeUser, make_post: MakePost, visit: Visit
) -> None:
    mina, june, bora = [await make_user(name) for name in ("mina", "june", "bora")]
    written = [await make_post(mina, text) for text in ("first", '한글 "quoted" 🌧', "gone")]
    await make_post(june, "not mine")
    async with database.write() as tx:
        now = datetime.now(UTC)
        kept, gone, _ = [
            await messages.send(tx, sender, other, Letter(body), now)
            for sender, other, body in (
                (june, mina, "to Mina"),
                (mina, bora, "deleted by Mina"),
                (june, bora, "for Bora alone"),
            )
        ]
        await messages.delete_message(tx, mina, gone.id, bora.id)
        await posts.delete_post(tx, mina, written[2].id, datetime.now(UTC))
        await follows.follow(tx, mina, june, datetime.now(UTC))
        await follows.follow(tx, bora, mina, datetime.now(UTC))
        await drafts.keep(tx, mina.id, "post", Written("unsent"), 0, datetime.now(UTC))
        await drafts.keep(tx, june.id, "post", Written("not mine"), 0, datetime.now(UTC))
    browser = await visit(mina)
    found = await opened(browser, await made(browser, database))
    assert set(found) == {
        *("posts.json", "messages.json", "drafts.json", "follows.json", "settings.json")
    }
    assert [draft["body"] for draft in found["drafts.json"]["drafts"]] == ["unsent"]
    said = {"with": "june", "from": "june", "body": "to Mina"}
    assert found["messages.json"] == {"messages": [said | {"timestamp": stamp(kept.created_at)}]}
    assert found["posts.json"] == {
        "posts": [{"body": row.body, "timestamp": stamp(row.created_at)} for row in written[:2]]
    }
    related = {
        key: [one["username"] for one in some] for key, some in found["follows.json"].items()
    }
    assert related == {"following": ["june"], "followers": ["bora"]}
    assert found["settings.json"]["email"] == "mina@example.org"
    assert "password_hash" not in found["settings.json"]


def stamp(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat() + "Z"


async def test_many_pages_are_put_together(
    app: Quart,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
    visit: Visit,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queries, "PAGE_ROWS", 2)
    mina = await make_user("mina")
    for number in range(6):
        await make_post(mina, str(number))
    browser = await visit(mina)
    found = await opened(browser, await made(browser, database))
    assert [one["body"] for one in found["posts.json"]["posts"]] == list("012345")


async def test_only_the_owner_can_fetch_it(
    app: Quart, database: Database, make_user: MakeUser, visit: Visit
) -> None:
    browser = await visit(await make_user("mina"))
    address = await made(browser, database)
    assert (await (await visit(await make_user("june"))).get(address)).status_code == 404
    stranger = await (await visit()).get(address)
    assert stranger.status_code == 303
    assert stranger.headers["Location"].startswith("/auth/login")
    (row,) = await jobs_of(database, ExportPosts.kind)
    folder = app.extensions[EXTENSION].settings.data_dir / export_files.FOLDER
    assert [path.name for path in folder.iterdir()] == [f"{row.user_id}-{row.id}.zip"]
    assert folder.stat().st_mode & 0o077 == 0
    assert next(folder.iterdir()).stat().st_mode & 0o077 == 0


async def test_it_can_be_fetched_for_a_while_only(
    app: Quart, database: Database, make_user: MakeUser, visit: Visit
) -> None:
    browser = await visit(await make_user("mina"))
    address = await made(browser, database)
    kept = timedelta(hours=app.extensions[EXTENSION].settings.export_hours)
    async with database.write() as tx:
        await tx.execute(update(Job).values(finished_at=datetime.now(UTC) - kept))
    assert (await browser.get(address)).status_code == 404
    page = await browser.text("/export_posts")
    assert "no longer kept" in page
    assert address not in page


async def test_a_new_one_takes_the_place_of_the_last(
    app: Quart, database: Database, make_user: MakeUser, visit: Visit
) -> None:
    browser = await visit(await make_user("mina"))
    first = await made(browser, database)
    second = await made(browser, database)
    assert first != second
    assert (await browser.get(first)).status_code == 404
    assert (await browser.get(second)).status_code == 200


async def test_one_at_a_time_is_made_for_a_person(
    slow: None, app: Quart, database: Database, make_user: MakeUser, visit: Visit
) -> None:
    browser = await visit(await make_user("mina"))
    for _ in range(3):
        assert (await browser.post("/export_posts")).status_code == 303
    (row,) = await jobs_of(database, ExportPosts.kind)
    page = await browser.text("/export_posts")
    assert '<progress class="job-bar" max="100" value="0"' in page
    assert f'formaction="/jobs/{row.id}/cancel"' in page
    assert "Export everything</button>" not in page
    assert (await browser.post(f"/jobs/{row.id}/cancel")).status_code == 303
    (row,) = await jobs_of(database, ExportPosts.kind)
    assert row.state == "cancelled"
    assert "It was stopped." in await browser.text("/export_posts")
    assert (await browser.post(f"/jobs/{row.id}/cancel")).status_code == 409
    assert (await browser.post("/jobs/999/cancel")).status_code == 404


async def test_program_is_told_how_far_it_is(
    slow: None, app: Quart, make_user: MakeUser, visit: Visit
) -> None:
    browser = await visit(await make_user("mina"))
    headers = {"Accept": "application/json"}
    assert await (await browser.get("/export_posts", headers=headers)).get_json() is None
    token = await browser.token()
    answer = await browser.client.post("/export_posts", form={"csrf_token": token}, headers=headers)
    assert (answer.status_code, answer.headers["Location"]) == (202, "/export_posts")
    told = await (await browser.get("/export_posts", headers=headers)).get_json()
    assert (told["kind"], told["state"], told["progress"]) == ("export_posts", "waiting", 0)


@pytest.mark.parametrize(
    ("error", "state"), [(Cancelled(), "cancelled"), (OSError(28, "No space left"), "waiting")]
)
async def test_export_that_breaks_off_leaves_no_file(
    app: Quart,
    database: Database,
    make_user: MakeUser,
    make_post: MakePost,
    visit: Visit,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    state: str,
) -> None:
    def broken(_row: queries.OwnPost) -> dict[str, str]:
        raise error

    monkeypatch.setattr(exports, "_post", broken)
    mina = await make_user("mina")
    await make_post(mina, "Hello")
    await (await visit(mina)).post("/export_posts")
    await until(lambda: has_state(database, state))
    assert list((app.extensions[EXTENSION].settings.data_dir / "exports").iterdir()) == []


async def has_state(database: Database, wanted: str) -> bool:
    (row,) = await jobs_of(database, ExportPosts.kind)
    return (row.state, row.attempt) == (wanted, 1)


@pytest.mark.limit(280)
async def test_export_of_many_posts_takes_little_memory(
    app: Quart, database: Database, make_user: MakeUser, visit: Visit
) -> None:
    mina = await make_user("mina")
    now = datetime.now(UTC)
    row = {"author_id": mina.id, "visibility": "public", "created_at": now}
    for start in range(1, POSTS + 1, 1000):
        numbers = range(start, start + 1000)
        async with database.write() as tx:
            await tx.insert(
                Post, *({**row, "id": number, "body": f"{number} {WORDS}"} for number in numbers)
            )
    browser = await visit(mina)
    tracemalloc.start()
    try:
        address = await made(browser, database)
        _now, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most_bytes < MOST_BYTES
    found = await opened(browser, address)
    assert len(found["posts.json"]["posts"]) == POSTS


@pytest.mark.parametrize("language", ["en", "ko"])
async def test_person_is_mailed_when_it_is_ready(
    settings: Settings, make_user: MakeUser, database: Database, language: str
) -> None:
    mina = await make_user("mina")
    async with database.write() as tx:
        await accounts.choose_appearance(tx, mina, language, None)
        await tx.execute(update(User).values(email_confirmed_at=datetime.now(UTC)))
    async with mail_server() as sink:
        app = create_app(mailed_by(settings, sink))
        async with app.test_app():
            browser = await Visit(app, database)(mina)
            await browser.post("/export_posts")
            mail = await sink.next()
            assert mail["To"] == "mina@example.org"
            assert ("ready" if language == "en" else "준비") in mail["Subject"]
            page = await browser.text(path_in(mail, "/export_posts"))
            assert ADDRESS.search(page)
            await all_done(database)
    assert len(sink.mails) == 1


def test_old_files_are_removed_and_others_stay(tmp_path: Path) -> None:
    assert export_files.remove_older(tmp_path, 60) == 0
    old, new = export_files.path(tmp_path, 1, 2), export_files.path(tmp_path, 1, 3)
    old.parent.mkdir()
    for path in (old, new):
        path.touch()
    os.utime(old, (0, time.time() - 61))
    assert export_files.remove_older(tmp_path, 60) == 1
    assert [path.name for path in old.parent.iterdir()] == ["1-3.zip"]
