"""The search page: what is found and by whom, what is marked, and what is said of mistakes."""

import re
from datetime import UTC, datetime
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from quart import Quart
from sqlalchemy import update

from microblog.actions import accounts, posts
from microblog.database import Database
from microblog.models import Post, User
from microblog.queries.rows import PostRow
from tests.conftest import both_databases
from tests.people import Browser, MakePost, MakeUser, Visit
from tests.search import index


def shown(page: str) -> list[int]:
    """Return the ids of the posts of a page, in its order."""
    return [int(number) for number in re.findall(r'data-post="(\d+)"', page)]


def people(page: str) -> list[str]:
    main = page[page.index("<main") : page.index("</main>")]
    return re.findall(r'<li class="person">\s*<a class="person-avatar" href="/user/(\w+)"', main)


def marked(page: str) -> list[str]:
    return [unescape(found) for found in re.findall(r"<mark>(.*?)</mark>", page)]


async def search(browser: Browser, q: str, **more: str) -> str:
    answer = await browser.client.get("/search", query_string={"q": q} | more)
    assert answer.status_code == 200
    return str(await answer.get_data(as_text=True))


@pytest.fixture
async def mina(make_user: MakeUser) -> User:
    return await make_user("mina")


@pytest.fixture
async def browser(visit: Visit) -> Browser:
    return await visit()


@both_databases
async def test_post_is_found_with_its_hits_marked(
    browser: Browser, mina: User, make_post: MakePost, database: Database
) -> None:
    post = await make_post(mina, "한글은 #한글날 <b>한글</b> `한글` https://example.org/한글")
    await make_post(mina, "Something else")
    await index(database)
    page = await search(browser, "한글")
    assert shown(page) == [post.id]
    assert marked(page) == ["한글"] * 5
    assert "&lt;b&gt;<mark>한글</mark>&lt;/b&gt;" in page
    assert shown(await search(browser, "글날")) == [post.id]
    assert shown(await search(browser, "없는말")) == []


async def written_in_2020(database: Database, post: PostRow) -> PostRow:
    then = {"created_at": datetime(2020, 2, 29, tzinfo=UTC)}
    async with database.write() as tx:
        await tx.execute(update(Post).where(Post.id == post.id).values(then))
    return post


@both_databases
async def test_operators_find_what_they_name(
    browser: Browser,
    mina: User,
    make_user: MakeUser,
    make_post: MakePost,
    database: Database,
    visit: Visit,
) -> None:
    bora = await make_user("bora")
    link = await make_post(mina, "Rain https://example.org", language="ko")
    tag = await make_post(bora, "Rain heavy; much #rain_again for @mina")
    old = await written_in_2020(database, await make_post(mina, "heavy snow, heavy rain"))
    await index(database)
    for q, found in {
        "rain": {link, tag, old},
        "RAIN -snow": {link, tag},
        '"heavy rain"': {old},
        '"rain heavy"': {tag},
        "rain has:link": {link},
        "rain -has:link": {tag, old},
        "rain lang:ko": {link},
        "rain -lang:ko": {tag, old},
        "from:mina": {link, old},
        "from:@Mina -from:bora": {link, old},
        "rain -from:mina": {tag},
        "from:mina from:bora": {link, tag, old},
        "#rain_again": {tag},
        "#Rain": set(),
        "@mina": {tag},
        "-@mina rain": {link, old},
        "before:2020-03": {old},
        "before:2020-02-29": set(),
        "after:2020-02-28 before:2020-03-01": {old},
        "after:2020-02-29": {link, tag},
        "-heavy": {link},
    }.items():
        assert set(shown(await search(browser, q))) == {post.id for post in found}, q
        assert set(shown(await search(browser, q, sort="newest"))) == {each.id for each in found}
    own = await visit(mina)
    assert set(shown(await search(own, "from:me rain"))) == {link.id, old.id}


@both_databases
async def test_deleted_is_not_found_before_and_after_the_index_knows(
    browser: Browser, mina: User, make_post: MakePost, database: Database
) -> None:
    post, left = await make_post(mina, "gone rain"), await make_post(mina, "rain stays")
    await index(database)
    async with database.write() as tx:
        await posts.delete_post(tx, mina, post.id, datetime.now(UTC))
    for _ in range(2):
        for q in ("rain", "gone", "-rain"):
            assert set(shown(await search(browser, q))) <= {left.id}
        await index(database)


@both_databases
async def test_only_what_one_may_see_is_found(
    visit: Visit, mina: User, make_user: MakeUser, make_post: MakePost, database: Database
) -> None:
    gone = await make_user("gonewho")
    secret, his = await make_post(mina, "secret #hush"), await make_post(gone, "secret of gone")
    async with database.write() as tx:
        await tx.execute(update(Post).where(Post.id == secret.id).values(visibility="followers"))
        await tx.execute(
            update(User).where(User.id == gone.id).values(deactivated_at=datetime.now(UTC))
        )
    await index(database)
    stranger, own = await visit(), await visit(mina)
    assert shown(await search(own, "secret")) == [secret.id]
    assert "#hush" in await search(own, "hush", type="tags")
    for browser in (stranger, own):
        assert his.id not in shown(await search(browser, "secret"))
        assert people(await search(browser, "gonewho", type="people")) == []
    assert shown(await search(stranger, "secret")) == []
    assert "#hush" not in await search(stranger, "hush", type="tags")


@both_databases
async def test_people_are_found_by_what_they_are_called(
    browser: Browser, make_user: MakeUser, database: Database
) -> None:
    mina, minari, other = [await make_user(name) for name in ("mina", "minari", "someone")]
    async with database.write() as tx:
        await accounts.edit_profile(tx, other, "김미나", "I bake with mina")
    await index(database)
    assert people(await search(browser, "mina", type="people")) == ["mina", "minari", "someone"]
    assert people(await search(browser, "@mi", type="people")) == ["mina", "minari", "someone"]
    assert people(await search(browser, "미나", type="people")) == ["someone"]
    assert people(await search(browser, "bake", type="people")) == ["someone"]
    assert people(await search(browser, "nobody", type="people")) == []
    async with database.write() as tx:
        await accounts.edit_profile(tx, other, "Somebody", "")
    await index(database)
    assert people(await search(browser, "미나", type="people")) == []
    assert {mina.username, minari.username} == {"mina", "minari"}


@both_databases
async def test_tags_are_found_by_a_part_with_the_fitting_first(
    browser: Browser, mina: User, make_post: MakePost, database: Database
) -> None:
    for text in ("#대한민국서울", "#서울", "#서울 again", "#서울맛집", "서울 #other"):
        await make_post(mina, text)
    await index(database)
    page = await search(browser, "서울", type="tags")
    assert re.findall(r"<strong>#(.*?)</strong>", page) == ["서울", "서울맛집", "대한민국서울"]
    assert re.findall(
        r"<strong>#(.*?)</strong>", await search(browser, "#서울맛", type="tags")
    ) == ["서울맛집"]


@both_databases
@pytest.mark.parametrize("sort", ["best", "newest"])
async def test_pages_visit_each_hit_once_while_others_are_written(
    browser: Browser, mina: User, make_post: MakePost, database: Database, app: Quart, sort: str
) -> None:
    count = 2 * app.extensions["microblog"].settings.posts_per_page + 3
    there = [(await make_post(mina, f"rain {'again ' * (n % 4)}{n}")).id for n in range(count)]
    await index(database)
    address: str | None = f"/search?q=rain&sort={sort}"
    visited: list[int] = []
    while address is not None:
        page = await browser.text(address)
        visited += shown(page)
        found = re.search(r'rel="next" href="([^"]+)"', page)
        address = unescape(found[1]) if found else None
        await make_post(mina, "rain, rain")
        await index(database)
    assert sorted(visited) == there
    if sort == "newest":
        assert visited == sorted(there, reverse=True)


async def test_best_is_before_newer(
    browser: Browser, mina: User, make_post: MakePost, database: Database
) -> None:
    best = await make_post(mina, "비가 온다")
    newer = await make_post(mina, "나비가 날아온다")
    await index(database)
    assert shown(await search(browser, "비")) == [best.id, newer.id]
    assert shown(await search(browser, "비", sort="newest")) == [newer.id, best.id]


@pytest.mark.parametrize(
    ("q", "said"),
    [
        ("rain before:tomorrow", "“tomorrow” is no date"),
        ("from:nobody1", "There is nobody called @nobody1."),
        ("from:me", "needs you to log in"),
        ("!!!", "Nothing of this can be found"),
        ('"<script>" has:<b>', "has:link"),
        ("x" * 300, "200 characters at most"),
    ],
)
async def test_mistake_is_told_and_what_was_typed_is_kept(
    browser: Browser, q: str, said: str
) -> None:
    answer = await browser.client.get("/search", query_string={"q": q})
    page = unescape(await answer.get_data(as_text=True))
    assert answer.status_code == 400
    assert said in page
    assert f'value="{q}"' in page


async def test_page_without_a_query_says_how_to_search(browser: Browser) -> None:
    page = await browser.text("/search")
    assert "How to search" in page
    assert "Nothing was found" not in page
    assert "Nothing was found" in await search(browser, "nothing")


@pytest.mark.parametrize("before", ["x", "1.2", "9" * 30, "-1", "\0"])
async def test_what_is_no_place_is_refused_in_words(browser: Browser, before: str) -> None:
    answer = await browser.client.get("/search", query_string={"q": "rain", "before": before})
    assert answer.status_code == 400
    assert "A cursor is the number" in await answer.get_data(as_text=True)


@pytest.mark.parametrize(
    "q",
    ["'", '"', "\\", "a' OR 1=1 --", "* NOT", "NEAR(a b)", "a AND", "+-~<>()", "%", "한:*", "\0a"],
)
@both_databases
async def test_signs_of_the_stores_are_only_text(browser: Browser, q: str) -> None:
    for kind in ("posts", "people", "tags"):
        answer = await browser.client.get("/search", query_string={"q": q, "type": kind})
        assert answer.status_code in {200, 400}, (q, kind)


async def test_unknown_kind_and_order_are_the_usual_ones(browser: Browser) -> None:
    assert (await browser.get("/search?q=a&type=x&sort=y")).status_code == 200


async def suggested(browser: Browser, q: str) -> list[dict[str, Any]]:
    answer = await browser.get(f"/search/suggestions?q={quote(q)}")
    assert answer.status_code == 200
    return list((await answer.get_json())["items"])


async def test_last_word_is_completed(
    browser: Browser, mina: User, make_post: MakePost, database: Database
) -> None:
    await make_post(mina, "#minority #서울맛집")
    await index(database)
    assert await suggested(browser, "rain mi") == [
        {"value": "rain @mina", "label": "mina"},
        {"value": "rain #minority", "label": "#minority"},
    ]
    assert await suggested(browser, "from:mi") == [{"value": "from:mina", "label": "mina"}]
    assert await suggested(browser, "#mi") == [{"value": "#minority", "label": "#minority"}]
    assert await suggested(browser, "서") == [{"value": "#서울맛집", "label": "#서울맛집"}]
    for nothing in ("", "mina ", "zzz", "!", "x" * 500):
        assert await suggested(browser, nothing) == []


async def test_every_page_has_a_way_to_search(browser: Browser) -> None:
    page = await browser.text("/explore")
    assert 'role="search"' in page
    assert "data-search-page" in page
    assert (await browser.text("/search")).count('role="search"') == 1
