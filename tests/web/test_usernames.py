"""Another username: the one before stays the person's, and leads on."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from microblog.core.leaving import BETWEEN_NAMES
from microblog.database import Database
from microblog.models import FormerName, Mention, User
from tests.conftest import all_databases, both_databases
from tests.people import Browser, MakePost, MakeUser, Visit

PAGE = "/settings/username"


async def rename(browser: Browser, username: str) -> Any:
    return await browser.post(PAGE, {"username": username}, page=PAGE)


async def long_ago(database: Database) -> None:
    """Let the last change of every name be so long ago that the next is allowed."""
    past = User.renamed_at.is_not(None)
    async with database.write() as tx:
        when = {user.id: user.renamed_at for user in await tx.scalars(select(User).where(past))}
        for user_id, at in when.items():
            earlier = at - BETWEEN_NAMES - timedelta(seconds=1)
            await tx.execute(update(User).where(User.id == user_id).values(renamed_at=earlier))


@all_databases
async def test_old_name_leads_on_and_mentions_of_it_stay_links(
    visit: Visit, make_user: MakeUser, make_post: MakePost, database: Database
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    earlier = await make_post(jun, "Hello @mina")
    browser, stranger = await visit(mina), await visit()
    assert (await rename(browser, "mina_k")).headers["Location"] == "/settings/account"
    for path in ("", "/followers", "/following"):
        moved = await stranger.get(f"/user/Mina{path}")
        assert (moved.status_code, moved.headers["Location"]) == (302, f"/user/mina_k{path}")
    assert 'href="/user/mina"' in await stranger.text(f"/post/{earlier.id}")
    later = await make_post(jun, "Hello again @mina, or @mina_k")
    async with database.read() as read:
        named = list(await read.scalars(select(Mention.user_id).order_by(Mention.post_id)))
    assert named == [mina.id, mina.id]
    assert 'href="/user/mina_k"' in await stranger.text(f"/post/{later.id}")
    alone = await make_post(jun, "Only @mina")
    assert 'href="/user/mina"' in await stranger.text(f"/post/{alone.id}")
    assert "@mina_k" in await browser.text("/settings/account")


@both_databases
async def test_name_that_somebody_had_is_theirs_alone(
    visit: Visit, make_user: MakeUser, database: Database
) -> None:
    mina, jun = await make_user("mina"), await make_user("jun")
    await rename(await visit(mina), "mina_k")
    refused = await rename(await visit(jun), "MINA")
    assert refused.status_code == 400
    assert "This username is taken" in await refused.get_data(as_text=True)
    await long_ago(database)
    assert (await rename(await visit(mina), "Mina")).status_code == 303
    async with database.read() as read:
        assert list(await read.scalars(select(FormerName.username_key))) == ["mina_k"]
    moved = await (await visit()).get("/user/mina_k")
    assert moved.headers["Location"] == "/user/Mina"


async def test_name_is_kept_for_some_days_but_its_letters_may_change(
    visit: Visit, make_user: MakeUser
) -> None:
    browser = await visit(await make_user("mina"))
    assert (await rename(browser, "Mina")).status_code == 303
    assert (await rename(browser, "mina_k")).status_code == 303
    refused = await rename(browser, "mina_l")
    page = await refused.get_data(as_text=True)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 6 * 86_400
    assert "less than 7 days ago" in page
    assert 'value="mina_l"' in page
    assert (await rename(browser, "Mina_K")).status_code == 303


async def test_bad_name_is_refused_and_stays_typed(visit: Visit, make_user: MakeUser) -> None:
    browser = await visit(await make_user("mina"))
    for name in ("mi", "admin", "미나", "a\0bc", "x" * 31):
        refused = await rename(browser, name)
        assert refused.status_code == 400, name
    assert "@mina" in await browser.text("/settings/account")
