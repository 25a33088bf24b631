"""S3, S4, S5: every route there is, asked by everybody, for everything, with every field.

What is right stands in `access.txt`. A route that is not in it fails, and the failure prints its
line as the route now behaves.
"""

import os
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from quart import Quart, request
from sqlalchemy import update

from microblog.core.errors import Forbidden, NotFound
from microblog.database import Database
from microblog.edge import auth
from microblog.models import Job, User
from microblog.queries import jobs
from microblog.runtime import runtime
from microblog.settings import Settings
from tests.fake_translator import FakeTranslator
from tests.hostile import access
from tests.hostile.asking import Way, ways
from tests.hostile.planting import writes
from tests.hostile.stage import Stage, staged
from tests.people import MakePost, MakeUser

HOW = "Read each line as an attacker would; where it is right: ADD=1 uv run pytest -m S3"
AGAIN = "Where it should be so, take out the line, and: ADD=1 uv run pytest -m S3"


@pytest.fixture
def settings(settings: Settings, translation_service: FakeTranslator) -> Settings:
    """With mail and translations, so that every route does something."""
    made = {"mailer": "console", "public_url": "http://localhost"} | translation_service.settings
    return replace(settings, **made)


@pytest.fixture
async def stage(
    settings: Settings, database: Database, make_user: MakeUser, make_post: MakePost
) -> AsyncIterator[Stage]:
    async with staged(settings, database, make_user, make_post) as opened:
        yield opened


def listed(stage: Stage) -> list[tuple[Way, access.Line]]:
    """Return the routes that are in the table, with their lines."""
    table = access.table()
    return [(way, table[way.name]) for way in ways(stage.app) if way.name in table]


@pytest.mark.S3
async def test_every_route_is_in_the_table(stage: Stage) -> None:
    table, all_ways = access.table(), list(ways(stage.app))
    new = [await access.found(stage, way) for way in all_ways if way.name not in table]
    if os.environ.get("ADD"):
        access.add(new)
    told = "\n".join(map(str, new))
    assert not new, f"not in {access.FILE.name}:\n{told}\n{HOW}"
    gone = table.keys() - {way.name for way in all_ways}
    assert not gone, f"no longer a route, so no longer in {access.FILE.name}"


@pytest.mark.S3
async def test_everybody_is_told_what_the_table_says(stage: Stage) -> None:
    wrong = {}
    for way, line in listed(stage):
        told = await access.told(stage, way)
        if told != line.told:
            wrong[way.name] = f"{' '.join(told)}, but the table says {' '.join(line.told)}"
    assert wrong == {}, AGAIN


@pytest.mark.S3
def test_every_route_serves_somebody() -> None:
    """Show that a line of refusals is not for want of a good example in `scene` or `good`."""
    refusing = [
        line.name
        for line in access.table().values()
        if all(told == "login" or int(told) >= 400 for told in line.told)
    ]
    # For this machine alone, whoever asks; and where there is an administrator.
    assert refusing == ["GET /metrics", "GET /setup", "POST /setup"]


@pytest.mark.S4
async def test_anothers_thing_is_as_one_that_is_not_there(stage: Stage) -> None:
    wrong = {}
    for way, line in listed(stage):
        things = await access.things(stage, way)
        if things != line.things:
            wrong[way.name] = f"{things}, but the table says {line.things}"
    assert wrong == {}, AGAIN


@pytest.mark.S5
async def test_no_body_writes_more_than_the_table_says(stage: Stage) -> None:
    wrong = {}
    for way, line in listed(stage):
        written = await writes(stage, way)
        if written != line.writes:
            more, less = sorted(written - line.writes), sorted(line.writes - written)
            wrong[way.name] = f"writes {more} more, and {less} not"
    assert wrong == {}, AGAIN


@pytest.mark.S6
async def test_cookie_counts_for_nothing_at_the_api(stage: Stage) -> None:
    """Else the API would need the guard against forged requests that the pages have."""
    counted = {}
    cookie = {"Cookie": f"session={stage.proofs['owner'].cookie}"}
    for way in ways(stage.app):
        if way.is_api and way.rule.endpoint != "api.tokens.take":
            plain, _, _ = await stage.ask(way, "anonymous")
            forged, _, _ = await stage.ask(
                way, "anonymous", **await stage.body(way), headers=cookie
            )
            if forged.told != plain.told:
                counted[way.name] = forged.told
    assert counted == {}


# --- Controls: what a careless route would show --------------------------------------------------


def add_careless_routes(app: Quart) -> None:
    """Add a route that tells whose job is whose, and one that writes whatever it is given."""

    @app.get("/careless/<int:job_id>")
    async def tell(job_id: int) -> str:
        user = await auth.person()
        async with runtime().database.read() as read:
            if await read.get(Job, job_id) is None:
                raise NotFound
            if await jobs.own(read, user.id, job_id) is None:
                raise Forbidden
        return "yours"

    @app.post("/careless/profile")
    async def take() -> str:
        user = await auth.person()
        form = await request.form
        given = {name: form[name] for name in form if name in {"role", "theme"}}
        async with runtime().database.write() as tx:
            await tx.change(update(User).where(User.id == user.id).values(**given))
        return "done"


@pytest.mark.S3
@pytest.mark.S4
@pytest.mark.S5
async def test_careless_route_is_found(
    settings: Settings, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    making = make_user, make_post
    async with staged(settings, database, *making, change=add_careless_routes) as stage:
        careless = [way for way in ways(stage.app) if way.path.startswith("/careless/")]
        telling, taking = [await access.found(stage, way) for way in careless]
    assert [line.name for line in (telling, taking) if line.name in access.table()] == []
    assert telling.told == ("login", "403", "200", "403", "login", "login", "login")
    assert telling.things == "public"
    assert taking.writes == {"user.role", "user.theme"}
