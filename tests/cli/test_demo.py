"""`microblog demo`: twenty invented people, whom they follow, and what they write."""

import asyncio
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from microblog.cli.demo import POSTS, SPAN
from microblog.cli.demo_english import ENGLISH
from microblog.cli.demo_korean import KOREAN
from microblog.cli.demo_people import DOMAIN, RESIDENTS
from microblog.cli.demo_questions import EXCHANGES
from microblog.cli.demo_questions import POSTS as TALK
from microblog.cli.demo_texts import Texts
from microblog.database import Database
from microblog.models import Follow, Mention, Post, PostTag, User
from microblog.settings import Settings
from tests.cli.conftest import Run, variables
from tests.cli.test_user import make, on, person
from tests.conftest import both_databases
from tests.people import MakePost, MakeUser
from tests.services import clean_environment

WHOLE = POSTS + TALK
HANGUL = re.compile("[가-힣]")


async def all_posts(database: Database) -> list[tuple[Post, User]]:
    async with database.read() as read:
        statement = select(Post, User).join(User, User.id == Post.author_id).order_by(Post.id)
        return [(post, user) for post, user in await read.execute(statement)]


async def counts(database: Database) -> dict[str, int]:
    async with database.read() as read:
        tables = (User, Post, Follow, Mention, PostTag)
        return {
            table.__tablename__: await read.scalar(select(func.count()).select_from(table))
            for table in tables
        }


@both_databases
def test_demo_makes_people_follows_and_posts_in_both_languages(
    run: Run, settings: Settings
) -> None:
    printed = run.works("demo")
    made = on(settings, counts)
    assert (made["user"], made["post"]) == (20, WHOLE)
    assert 20 * 4 <= made["follow"] <= 20 * 9
    assert made["mention"] > 30
    assert made["post_tag"] > 250
    assert "microblog user password ada_lanternhill" in printed

    posts = [post for post, _ in on(settings, all_posts)]
    asked = [post for post in posts if post.question]
    assert [post.question for post in asked].count("answered") == 2
    assert len(asked) == len(EXCHANGES)
    assert len([post for post in posts if post.reply_to_id]) == WHOLE - POSTS - len(asked)
    korean = sum(HANGUL.search(post.body) is not None for post in posts)
    assert 200 < korean < 300
    assert len({post.body for post in posts}) > 480
    assert any("```" in post.body for post in posts)
    assert any("https://example.org/" in post.body for post in posts)
    assert not [post.body for post in posts if "{" in post.body]


def test_posts_are_of_the_last_two_weeks_in_rising_order(run: Run, settings: Settings) -> None:
    started = datetime.now(UTC)
    run.works("demo")
    times = [post.created_at for post, _ in on(settings, all_posts)]
    assert times == sorted(times)
    assert started - SPAN <= times[0] < started - SPAN + timedelta(days=1)
    assert started - timedelta(days=1) < times[-1] <= datetime.now(UTC)


def test_second_run_says_that_they_are_here_and_changes_nothing(
    run: Run, settings: Settings
) -> None:
    run.works("demo")
    before = on(settings, counts)
    assert f"20 demo people are here already, with {WHOLE} posts" in run.works("demo")
    assert on(settings, counts) == before


def test_interrupted_run_is_completed_by_the_next(run: Run, settings: Settings) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("microblog.cli.demo.POSTS", 60)
        run.works("demo")
    first = [post.body for post, _ in on(settings, all_posts)]
    run.works("demo")
    posts = [post for post, _ in on(settings, all_posts)]
    assert len([post for post in posts if post.question]) == len(EXCHANGES)
    assert [post.body for post in posts[: len(first)]] == first
    assert [post.created_at for post in posts] == sorted(post.created_at for post in posts)


def test_nobody_who_exists_speaks(run: Run, settings: Settings) -> None:
    make(settings, RESIDENTS[0].username)
    run.works("demo")
    assert person(settings, RESIDENTS[0].username).post_count == 0
    stand_in = person(settings, f"{RESIDENTS[0].username}_demo")
    assert stand_in.email == f"{RESIDENTS[0].username}@{DOMAIN}"
    authors = {author.username for _, author in on(settings, all_posts)}
    assert RESIDENTS[0].username not in authors
    assert stand_in.username in authors


def test_stranger_with_an_address_of_the_demo_stops_it(run: Run, settings: Settings) -> None:
    async def squat(database: Database) -> None:
        user = await MakeUser(database)("stranger")
        async with database.write() as tx:
            row = await tx.get(User, user.id)
            assert row is not None
            row.email = row.email_key = f"{RESIDENTS[3].username}@{DOMAIN}"

    on(settings, squat)
    assert "stranger has the address" in run.fails("demo")
    assert on(settings, counts)["user"] == 1


def test_demo_posts_come_after_those_that_are_there(run: Run, settings: Settings) -> None:
    async def publish(database: Database) -> Post:
        return await MakePost(database)(await MakeUser(database)("mina"), "I was here first")

    mine = on(settings, publish)
    run.works("demo")
    (first, _), *others = on(settings, all_posts)
    assert first.id == mine.id
    assert min(post.created_at for post, _ in others) >= mine.created_at


def test_nobody_knows_the_passwords_until_one_is_set(run: Run, settings: Settings) -> None:
    run.works("demo")
    names = [resident.username for resident in RESIDENTS]
    assert len({person(settings, name).password_hash for name in names}) == 20
    run.works("user", "password", names[0], "--password-stdin", typed="a long enough sentence")


def test_demo_without_tables_says_what_to_run(run: Run, tmp_path: object) -> None:
    told = run.fails("demo", MICROBLOG_DATA_DIR=f"{tmp_path}/new")
    assert "microblog db upgrade" in told


@pytest.mark.parametrize("texts", [ENGLISH, KOREAN], ids=["en", "ko"])
def test_there_are_enough_different_posts_in_each_language(texts: Texts) -> None:
    written = len(texts.alone) + sum(len(t.openings) * len(t.details) for t in texts.topics)
    assert written > 250


@both_databases
def test_live_demo_goes_on_posting_until_it_is_stopped(run: Run, settings: Settings) -> None:
    run.works("demo")
    words = ("-m", "microblog", "demo", "--live", "--every", "0.1")
    with subprocess.Popen(
        [sys.executable, *words],
        cwd=settings.data_dir,
        env={**clean_environment(), **variables(settings)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:

        async def five_more(database: Database) -> None:
            while (await counts(database))["post"] < WHOLE + 5 and running.poll() is None:
                await asyncio.sleep(0.05)

        try:
            on(settings, five_more)
            running.send_signal(signal.SIGINT)
            printed, _ = running.communicate(timeout=20)
        finally:
            running.kill()
    assert running.returncode == 0, printed
    assert printed.endswith("Stopped.\n")
    assert on(settings, counts)["post"] >= WHOLE + 5


def test_live_demo_does_not_post_without_a_pause(run: Run) -> None:
    assert run("demo", "--live", "--every", "0").exit_code == 2
