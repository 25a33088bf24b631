"""The stores of search, each filled with the corpus by the same jobs that fill it while serving."""

from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import update

from microblog.actions import posts, questions
from microblog.actions.posts import Draft
from microblog.backends.search import SearchServer
from microblog.core import search_query
from microblog.database import Database
from microblog.models import Post, User
from microblog.queries import search
from microblog.queries.search import Asked
from tests.contract import corpus
from tests.people import MakeUser
from tests.search import index


class Stocked(NamedTuple):
    """A store with the corpus; `ids` are those of the posts by their numbers."""

    database: Database
    server: SearchServer | None
    ids: dict[int, int]

    async def find(self, query: str, *, by_time: bool = False, limit: int = 100) -> list[int]:
        """Return the numbers of what a stranger finds, all pages of it."""
        numbers = {found: number for number, found in self.ids.items()}
        parsed = search_query.parse(query)
        shown, place = [], None
        while True:
            async with self.database.read() as read:
                asked = Asked(None, limit, place, self.server)
                page = await search.posts(read, parsed, asked, by_time=by_time)
            shown += [numbers[row.id] for row in page.items]
            place = page.next
            if place is None:
                return shown


async def stock(database: Database, server: SearchServer | None) -> Stocked:
    """Write the corpus, let the index be fed, and take away what must not be found."""
    make_user = MakeUser(database)
    people = {name: await make_user(name) for name in ("mina", "bora", "gone")}
    ids: dict[int, int] = {}
    questions_of = {answer: question for question, answer in corpus.ANSWERS.items()}
    for number, (author, text) in enumerate(corpus.POSTS, 1):
        at, language = corpus.written_at(number), corpus.LANGUAGES.get(number)
        asked = ids.get(questions_of.get(number, 0))
        draft = Draft(text, None, language, asked, corpus.TITLES.get(number))
        ids[number] = await _write(database, people[author], draft, at)
    now = datetime.now(UTC)
    async with database.write() as tx:
        for number, answer in corpus.ANSWERS.items():
            asker = people[corpus.POSTS[number - 1][0]]
            await questions.accept(tx, asker, ids[number], ids[answer], now)
    unwanted = [
        await _write(database, people[author], Draft(text), now)
        for author, text in (corpus.DELETED, corpus.HIDDEN, corpus.LEFT)
    ]
    await index(database, server)
    async with database.write() as tx:
        await posts.delete_post(tx, people["mina"], unwanted[0], now)
        await tx.execute(update(Post).where(Post.id == unwanted[1]).values(visibility="followers"))
        await tx.execute(update(User).where(User.username == "gone").values(deactivated_at=now))
    return Stocked(database, server, ids)


async def _write(database: Database, author: User, draft: Draft, now: datetime) -> int:
    async with database.write() as tx:
        return (await posts.publish(tx, author, draft, now)).id
