"""Everything that is one's own, by the API: asked for, watched, fetched, and nobody else's."""

import io
import json
import zipfile

import pytest

from microblog.core.tasks import ExportPosts
from microblog.database import Database
from microblog.jobs import HANDLERS
from tests.api.conftest import OpenProgram
from tests.conftest import both_databases
from tests.jobs.conftest import jobs_of, until
from tests.people import MakePost, MakeUser


@both_databases
async def test_export_is_made_watched_and_fetched_by_its_person_alone(
    program: OpenProgram, make_user: MakeUser, make_post: MakePost, database: Database
) -> None:
    mina = await make_user("mina")
    await make_post(mina, "Hello 서울")
    own, other = await program(mina), await program(await make_user("june"))
    begun = await own.call("POST", "/api/exports")
    assert begun.status_code == 202
    address = begun.headers["Location"]
    assert (await begun.get_json())["_links"]["self"] == address

    async def is_done() -> bool:
        return all(row.finished_at is not None for row in await jobs_of(database, ExportPosts.kind))

    await until(is_done)
    shown = await own.json("GET", address)
    assert (shown["state"], shown["progress"]) == ("done", 100)
    assert shown["kept_until"] > shown["finished_at"]
    file = await own.call("GET", shown["_links"]["file"], headers={"Accept": "application/zip"})
    assert file.status_code == 200
    assert file.content_type == "application/zip"
    assert file.headers["Cache-Control"] == "private, no-store"
    with zipfile.ZipFile(io.BytesIO(await file.get_data(as_text=False))) as archive:
        posts = json.loads(archive.read("posts.json"))["posts"]
    assert [post["body"] for post in posts] == ["Hello 서울"]
    for path in (address, f"{address}/file", "/api/exports/999999", "/api/exports/x"):
        absent = await other.problem("GET", path, 404)
        assert absent["detail"] == (await other.problem("GET", "/api/exports/0", 404))["detail"]
    refused = await own.call("GET", f"{address}/file", headers={"Accept": "application/json"})
    assert refused.status_code == 406


async def test_one_is_made_at_a_time(
    program: OpenProgram, make_user: MakeUser, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(HANDLERS, ExportPosts.kind)  # none is made
    own = await program(await make_user("mina"))
    first, again = [await own.json("POST", "/api/exports", 202) for _ in range(2)]
    assert first == again
    assert first["state"] == "waiting"
    assert first["_links"]["file"] is None
    await own.problem("GET", f"{first['_links']['self']}/file", 404)
    assert len(await jobs_of(database, ExportPosts.kind)) == 1
