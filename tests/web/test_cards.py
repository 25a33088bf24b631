"""The part that scripts show beside a link to a person."""

from tests.people import MakePost, MakeUser, Visit


async def test_card_says_who_somebody_is_and_offers_to_follow(
    visit: Visit, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    await make_post(bora)
    browser = await visit(mina)
    await (await visit(bora)).post("/edit_profile", {"about_me": "<b>Bread</b> and #seoul"})
    card = await browser.text("/user/BORA/popup")
    assert "<html" not in card
    assert "&lt;b&gt;Bread" in card
    assert 'data-count="post_count">1</b>' in card
    assert "/follow/bora" in card
    await browser.post("/follow/bora")
    assert "/unfollow/bora" in await browser.text("/user/bora/popup")


async def test_nobody_follows_from_their_own_card_or_as_a_stranger(
    visit: Visit, make_user: MakeUser
) -> None:
    mina = await make_user("mina")
    for browser in (await visit(mina), await visit()):
        assert "<button" not in await browser.text("/user/mina/popup")
    assert (await (await visit()).get("/user/nobody/popup")).status_code == 404
