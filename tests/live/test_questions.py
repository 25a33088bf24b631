"""Questions over `/live`: who hears of them, that what is told is the state, and coming back."""

from datetime import UTC, datetime

from microblog.actions import posts, questions
from microblog.database import Database
from microblog.models import User
from microblog.queries.rows import PostRow
from microblog.render.frames import HTML_FORM
from tests.conftest import all_databases
from tests.live.clients import LiveClient, listening
from tests.people import MakePost, MakeUser
from tests.serving import Serving

BREAD = {"title": "Where is the best bread?"}


async def accept(
    database: Database, asker: User, question: PostRow, answer: PostRow | None
) -> None:
    async with database.write() as tx:
        answer_id = None if answer is None else answer.id
        await questions.accept(tx, asker, question.id, answer_id, datetime.now(UTC))


async def heard(client: LiveClient, count: int) -> list[tuple[str, str]]:
    while len(client.items) < count:
        await client.frame()
    return [(item["kind"], item["data"]["id"]) for item in client.items]


@all_databases
async def test_list_of_questions_hears_of_questions_alone_and_of_their_states(
    server: Serving, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    async with listening(server.live_url, topics="questions") as client:
        await make_post(mina, "No question")
        question = await make_post(mina, "Near the harbour", **BREAD)
        answer = await make_post(bora, "At Kim's", reply_to=question.id)
        await accept(database, mina, question, answer)
        await accept(database, mina, question, None)
        async with database.write() as tx:
            await posts.delete_post(tx, mina, question.id, datetime.now(UTC))
        kinds = ("published", "counts", "edited", "edited", "deleted")
        number = str(question.id)
        assert await heard(client, 5) == [(f"post.{kind}", number) for kind in kinds]
        states = [each["data"]["question"] for each in client.items if "question" in each["data"]]
    asked = {"title": "Where is the best bread?", "state": "open", "accepted": None}
    assert states[0] == asked
    assert states[-1] == asked
    async with listening(server.live_url, topics="questions", since="0") as client:
        # What is gone is not told again, but that it is gone is.
        assert await heard(client, 1) == [("post.deleted", number)]


@all_databases
async def test_page_of_a_question_that_was_away_finds_what_is_so_now(
    server: Serving, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    question = await make_post(mina, "Near the harbour", **BREAD)
    topic = f"post:{question.id}"
    async with listening(server.live_url, topics=topic) as client:
        first = await make_post(bora, "At Kim's", reply_to=question.id)
        assert (await client.item("post.published"))["reply_to"] == str(question.id)
        assert (await client.item("post.counts"))["counts"]["replies"] == 1
        cursor, epoch = client.cursor, client.epoch
    second = await make_post(bora, "At Lee's", reply_to=question.id)
    await accept(database, mina, question, first)
    await accept(database, mina, question, second)
    away = {"topics": topic, "since": cursor, "epoch": epoch}
    async with listening(server.live_url, **away) as client:
        kinds = {kind for kind, _ in await heard(client, 4)}
        assert kinds == {"post.published", "post.counts", "post.edited"}
        told = [each["data"] for each in client.items if each["kind"] == "post.edited"]
    states = [(each["question"]["state"], each["question"]["accepted"]) for each in told]
    assert states == [("answered", str(second.id))] * 2
    async with listening(server.live_url, form=HTML_FORM, **away) as client:
        html = (await client.item("post.edited"))["html"]
        assert f'data-question="answered" data-accepted="{second.id}"' in html
    with_tag = await make_post(mina, "And #bread", title="Who bakes it?")
    async with listening(server.live_url, topics="tag:bread", since="0") as client:
        assert await heard(client, 1) == [("post.published", str(with_tag.id))]


@all_databases
async def test_answer_that_was_accepted_and_is_deleted_is_told_as_an_open_question(
    server: Serving, database: Database, make_user: MakeUser, make_post: MakePost
) -> None:
    mina, bora = await make_user("mina"), await make_user("bora")
    question = await make_post(mina, "Near the harbour", **BREAD)
    answer = await make_post(bora, "At Kim's", reply_to=question.id)
    await accept(database, mina, question, answer)
    async with listening(server.live_url, topics=f"post:{question.id}") as client:
        async with database.write() as tx:
            await posts.delete_post(tx, bora, answer.id, datetime.now(UTC))
        assert (await client.item("post.edited"))["question"]["state"] == "open"
        assert (await client.item("post.deleted"))["id"] == str(answer.id)
