"""Writing, showing and deleting posts in the pages."""

import pytest

from tests.conftest import both_databases
from tests.people import MakePost, MakeUser, Visit


@both_databases
@pytest.mark.smoke
async def test_published_post_is_shown_on_home_explore_profile_and_its_own_page(
    visit: Visit, make_user: MakeUser
) -> None:
    mina = await make_user("mina")
    browser = await visit(mina)
    answer = await browser.post("/posts", {"post": "Good <b>morning</b> #서울"})
    assert answer.status_code == 303
    for path in ("/", "/explore", "/user/mina", "/tag/서울"):
        page = await browser.text(path)
        assert "Good &lt;b&gt;morning&lt;/b&gt;" in page, path


async def test_text_that_is_too_long_is_kept_with_the_reason(
    visit: Visit, make_user: MakeUser
) -> None:
    browser = await visit(await make_user())
    answer = await browser.post("/posts", {"post": "x" * 501})
    page = await answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "x" * 501 in page
    assert "1 too many" in page or "501" in page


async def test_deleted_post_is_gone_everywhere(
    visit: Visit, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user()
    post = await make_post(mina, "Soon gone")
    browser = await visit(mina)
    assert (await browser.post(f"/post/{post.id}/delete")).status_code == 303
    assert (await browser.get(f"/post/{post.id}")).status_code == 404
    assert "Soon gone" not in await browser.text("/explore")
