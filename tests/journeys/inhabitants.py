"""What axe-core finds on the pages: people who write, answer and ask, in each language."""

from datetime import UTC, datetime, timedelta
from typing import Any

from microblog.actions import follows, links, messages, posts, questions
from microblog.actions.messages import Letter
from microblog.actions.posts import Draft, Edit
from microblog.core.tokens import link_token
from microblog.database import Database, open_database
from microblog.models import User
from microblog.queries.rows import PostRow
from microblog.settings import Settings
from tests.people import MakePost, MakeUser
from tests.services import AppServer

POSTS = (
    "Rain over #seoul, @bora_{0} https://example.org/rain",
    "`code` within\n```\nfor line in poem:\n    print(line)\n```",
    "안녕하세요 @mina_{0} 님, #서울 날씨가 좋아요",
    "한 줄",
    "The last one",
)


def database_of(server: AppServer) -> Database:
    url = f"sqlite:///{server.folder}/var/microblog.db"
    return open_database(Settings(database_url=url, bcrypt_rounds=4))


async def fill(server: AppServer, code: str) -> tuple[int, int, list[str]]:
    """Let Mina and Bora write and follow one another, and Nari be new.

    Return the ids of a post and of a reply to it, and the addresses of two links that were
    mailed to Nari.

    They read in one language, and their names end with it.
    """
    database = database_of(server)
    make_user, make_post = MakeUser(database), MakePost(database)
    names = [f"{name}_{code}" for name in ("mina", "bora", "nari")]
    mina, bora, nari = [await make_user(name, language=code) for name in names]
    await follow(database, mina, bora)
    await follow(database, bora, mina)
    for number, text in enumerate(POSTS):
        post = await make_post((mina, bora)[number % 2], text.format(code))
    async with database.write() as tx:
        for sender, other in ((mina, bora), (bora, mina), (nari, mina)):
            letter = Letter("See https://example.org/rain, `code` and #서울")
            await messages.send(tx, sender, other, letter, datetime.now(UTC))
    reply = await make_post(bora, "Really?", reply_to=post.id)
    await converse(database, mina, post, reply)
    mailed = [
        f"/auth/{path}/{await mailed_token(server, database, purpose, nari)}"
        for path, purpose in (("reset_password", "reset"), ("confirm_address", "confirm"))
    ]
    await database.close()
    return post.id, reply.id, mailed


async def converse(database: Any, author: User, post: PostRow, reply: PostRow) -> None:
    """Let somebody answer a reply to their post, take that back, and edit the post."""
    now = datetime.now(UTC)
    async with database.write() as tx:
        answer = await posts.publish(tx, author, Draft("Yes", reply_to=reply.id), now)
        await posts.publish(tx, author, Draft("No", reply_to=answer.id), now)
        await posts.delete_post(tx, author, answer.id, now)
        await posts.edit(tx, author, post.id, Edit("The very last one", post.version), now)


async def ask(server: AppServer, code: str) -> int:
    """Let Asa ask, and answer twice; return the question's id."""
    database = open_database(
        Settings(database_url=f"sqlite:///{server.folder}/var/microblog.db", bcrypt_rounds=4)
    )
    make_post = MakePost(database)
    asa = await MakeUser(database)(f"asa_{code}", language=code)
    title = {"en": "Where is the best bread?", "ko": "어느 빵집이 제일 좋아요?"}[code]
    question = await make_post(asa, "#빵", language="ko", title=title)
    answers = [await make_post(asa, "Here", reply_to=question.id) for _ in range(2)]
    async with database.write() as tx:
        await questions.accept(tx, asa, question.id, answers[1].id, datetime.now(UTC))
    await database.close()
    return question.id


async def mailed_token(server: AppServer, database: Any, purpose: str, user: User) -> str:
    secret = (server.folder / "var" / "secret_key").read_text()
    async with database.write() as tx:
        now, life = datetime.now(UTC), timedelta(hours=1)
        nonce = await links.make(tx, secret, purpose, user, user.email, now, life)
    return link_token(secret, nonce)


async def follow(database: Any, follower: User, followed: User) -> None:
    async with database.write() as tx:
        await follows.follow(tx, follower, followed, datetime.now(UTC))
