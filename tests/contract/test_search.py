"""The one contract of search: every store finds the same, in the same order."""

import random
from collections.abc import AsyncIterator, Sequence

import pytest

from microblog.backends.search import SearchServer, open_search
from microblog.core import search_query, search_tokens
from microblog.core.cursors import GREATEST
from microblog.core.search_plan import is_exact, plan
from microblog.core.search_query import Query
from microblog.core.search_tokens import Term
from microblog.database import Database
from microblog.queries import search_index
from microblog.settings import Settings
from tests.contract import corpus
from tests.contract.stores import stock
from tests.people import MakePost, MakeUser
from tests.search import index

every_store = pytest.mark.parametrize(
    "backend", ["sqlite", "postgres", "mariadb", "elastic"], indirect=True
)


@pytest.fixture
async def search_server(settings: Settings) -> AsyncIterator[SearchServer | None]:
    server = open_search(settings)
    yield server
    if server is not None:
        await server.close()


@every_store
async def test_every_store_finds_the_same_in_the_same_order(
    database: Database, search_server: SearchServer | None
) -> None:
    stocked = await stock(database, search_server)
    cases = (*corpus.KOREAN, *corpus.OTHERS)
    expected = {case.query: case.found for case in cases}
    assert {q: tuple(await stocked.find(q)) for q in expected} == expected
    for q, numbers in corpus.KOREAN:
        assert tuple(await stocked.find(q, limit=2)) == numbers, q
    newest = {q: tuple(await stocked.find(q, by_time=True, limit=2)) for q in expected}
    assert newest == {q: tuple(sorted(numbers, reverse=True)) for q, numbers in expected.items()}
    await index(database, search_server)  # what was deleted is gone from the index as well
    assert {q: tuple(await stocked.find(q)) for q, _ in corpus.KOREAN} == dict(corpus.KOREAN)


WORDS = ["가", "나", "가나", "나가나", "a", "ab", "b", "가a", "😀", "é", "日", "日本", "x_y"]


def holding(said: dict[int, list[str]], query: Query) -> list[int]:
    """Return the posts that a query asks for, newest first, by walking along all of them."""

    def has(tokens: Sequence[str], term: Term) -> bool:
        return any(True for _ in search_tokens.found(term, tokens))

    return [
        post_id
        for post_id, tokens in sorted(said.items(), reverse=True)
        if all(has(tokens, term) for term in query.terms)
        and not any(has(tokens, term) for term in query.unwanted)
    ]


@every_store
async def test_stores_find_what_the_tokens_say(
    database: Database,
    search_server: SearchServer | None,
    make_user: MakeUser,
    make_post: MakePost,
) -> None:
    """Look for all kinds of things in all kinds of texts, and hold the ids against a plain walk."""
    chance = random.Random(5)
    mina = await make_user("mina")

    def text(longest: int) -> str:
        return " ".join(chance.choice(WORDS) for _ in range(chance.randint(1, longest)))

    said = {}
    for _ in range(60):
        post = await make_post(mina, text(6))
        said[post.id] = search_tokens.texts(post.body)
    await index(database, search_server)
    for _ in range(60):
        q = " ".join(chance.choice(["{}", '"{}"', "-{}"]).format(text(2)) for _ in range(2))
        query = search_query.parse(q)
        asked = plan(query, [], [])
        async with database.read() as read:
            if search_server is not None:
                source = search_server.source("post", asked)
            else:
                source = search_index.source(read, "post", asked, None)
            found = await source(GREATEST, 1000)
        wanted = holding(said, query)
        if all(map(is_exact, (*query.terms, *query.unwanted))):
            assert found == wanted, q
        else:  # never too little
            assert set(wanted) <= set(found), q
