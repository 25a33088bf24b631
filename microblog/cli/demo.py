"""`microblog demo`: invented people who follow one another and write, through the actions.

Nobody who exists ever speaks here: an author is somebody that this command made, known by an
address in a domain that no mail reaches.
"""

import asyncio
import random
import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

import click

from microblog.actions import accounts, follows, posts
from microblog.actions.accounts import NewAccount
from microblog.actions.posts import Draft
from microblog.cli import demo_questions
from microblog.cli.demo_english import ENGLISH
from microblog.cli.demo_korean import KOREAN
from microblog.cli.demo_people import DOMAIN, RESIDENTS, Resident
from microblog.cli.demo_texts import bodies
from microblog.cli.opening import opened
from microblog.cli.plainly import PlainCommand, given_settings, sentence
from microblog.core import passwords
from microblog.core.cursors import Window
from microblog.core.errors import Unavailable
from microblog.database import Database, Tx
from microblog.models import User
from microblog.queries import posts as post_queries
from microblog.queries import questions as question_queries
from microblog.queries import users
from microblog.settings import Settings

POSTS = 500
BATCH_POSTS = 25
SPAN = timedelta(days=14)
FOLLOWED = (4, 9)  # the fewest and the most that one of them follows
CHEAP_ROUNDS = 4  # enough: what is hashed is 256 random bits, which nobody tries


@click.command(cls=PlainCommand)
@click.option("--live", is_flag=True, help="Go on posting until Ctrl+C.")
@click.option(
    "--every",
    type=click.FloatRange(min=0.1),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="The time between two posts of --live.",
)
def demo(live: bool, every: float) -> None:
    """Fill the microblog with invented people and posts, to look round in.

    Twenty people, whom they follow, and 500 posts in English and Korean of the last two weeks, with
    questions and answers at the end.
    Works beside a running server. What was interrupted is completed by the next run.
    """
    try:
        asyncio.run(_demo(given_settings(), every if live else None))
    except KeyboardInterrupt:
        click.echo("Stopped.")


async def _demo(settings: Settings, every_seconds: float | None) -> None:
    async with opened(settings) as database:
        people = await _make_people(database)
        there = sum(person.post_count for person in people)
        if there < POSTS:
            await _make_follows(database, people)
            await _write_posts(database, people, there)
        if await _ask_questions(database, people) or there < POSTS:
            written = max(there, POSTS) + demo_questions.POSTS
            click.echo(f"{len(people)} invented people are here, with {written} posts.")
        else:
            click.echo(f"The {len(people)} demo people are here already, with {there} posts.")
        click.echo(
            "Nobody knows their passwords. To log in as one of them, set one: "
            f"microblog user password {people[0].username}"
        )
        if every_seconds is not None:
            await _keep_posting(database, people, max(there, POSTS), every_seconds)


async def _make_people(database: Database) -> list[User]:
    """Return the demo's people, in their order, made where they are not there yet."""
    # Before the transaction: hashing must keep nobody waiting for the database.
    hashed = [passwords.hash_password(secrets.token_urlsafe(32), CHEAP_ROUNDS) for _ in RESIDENTS]
    now = datetime.now(UTC)
    async with database.write() as tx:
        return [
            await _known(tx, resident) or await _register(tx, resident, password, now - SPAN)
            for resident, password in zip(RESIDENTS, hashed, strict=True)
        ]


async def _known(tx: Tx, resident: Resident) -> User | None:
    """Return a demo person; raises ClickException where somebody else has their address."""
    found = await users.by_login(tx, _email(resident))
    if found is not None and found.username not in _usernames(resident):
        raise click.ClickException(
            f"{found.username} has the address {_email(resident)}, which is the demo's: "
            "nothing was done."
        )
    return found


async def _register(tx: Tx, resident: Resident, password_hash: str, now: datetime) -> User:
    """Make a demo person; raises Invalid where even their second name is taken."""
    name, second_name = _usernames(resident)
    if await users.is_taken(tx, name):
        name = second_name
    account = NewAccount(name, _email(resident), password_hash, language=resident.language)
    made = await accounts.register(tx, account, now)
    await accounts.edit_profile(tx, made, resident.display_name, resident.about_me)
    return made


def _email(resident: Resident) -> str:
    return f"{resident.username}@{DOMAIN}"


def _usernames(resident: Resident) -> tuple[str, str]:
    """Return what somebody is called: the second name where the first belongs to somebody real."""
    return resident.username, f"{resident.username}_demo"


async def _make_follows(database: Database, people: Sequence[User]) -> None:
    chance = _chance("follows")
    pairs = []
    for follower in people:
        others = [person for person in people if person.id != follower.id]
        pairs += [(follower, one) for one in chance.sample(others, chance.randint(*FOLLOWED))]
    now = datetime.now(UTC)
    with click.progressbar(pairs, label="Making friends") as bar:
        for follower, followed in bar:
            async with database.write() as tx:
                await follows.follow(tx, follower, followed, now)


async def _write_posts(database: Database, people: Sequence[User], there: int) -> None:
    """Write the posts that are missing, from two weeks ago, or the newest post, until now."""
    now = datetime.now(UTC)
    async with database.read() as read:
        newest = (await post_queries.everything(read, None, Window(1))).items
    start = max([now - SPAN, *(post.created_at for post in newest)])
    chance = _chance(f"times {there}")
    moments = sorted(start + (now - start) * chance.random() for _ in range(POSTS - there))
    written = zip(islice(_writings(people), there, POSTS), moments, strict=True)
    with click.progressbar(length=len(moments), label="Writing posts ") as bar:
        while batch := list(islice(written, BATCH_POSTS)):
            await _publish(database, batch)
            bar.update(len(batch))


async def _publish(database: Database, batch: Sequence[tuple[tuple[User, str], datetime]]) -> None:
    """Publish several posts in one transaction, which is quicker by far than one in each.

    Every author's row is taken before the first post takes the log, and in one order: a server
    that runs beside must not wait for this transaction while this one waits for it.
    """
    last_seen = {author.id: moment for (author, _), moment in batch}
    async with database.write() as tx:
        for author_id in sorted(last_seen):
            await accounts.seen(tx, {author_id}, last_seen[author_id])
        for (author, body), moment in batch:
            await posts.publish(tx, author, Draft(body, language=author.language), moment)


async def _ask_questions(database: Database, people: Sequence[User]) -> bool:
    """Let them ask and answer, unless they have; tell whether they did."""
    first = people[demo_questions.EXCHANGES[0].asker]
    async with database.read() as read:
        there = (await question_queries.by_author(read, first.id, None, Window(1))).items
    if not there:
        async with database.write() as tx:
            await demo_questions.hold(tx, people, datetime.now(UTC))
    return not there


async def _keep_posting(
    database: Database, people: Sequence[User], there: int, every_seconds: float
) -> None:
    click.echo(f"A post every {every_seconds:g} seconds. Stop with Ctrl+C.")
    for author, body in islice(_writings(people), there, None):
        await asyncio.sleep(every_seconds)
        try:
            await _publish(database, [((author, body), datetime.now(UTC))])
        except Unavailable as error:
            click.echo(sentence(error), err=True)
        else:
            click.echo(f"{author.username}: {body.splitlines()[0]}")


def _writings(people: Sequence[User]) -> Iterator[tuple[User, str]]:
    """Yield who writes what, without end and each time the same."""
    chance = _chance("posts")
    texts = {"en": bodies(ENGLISH, chance), "ko": bodies(KOREAN, chance)}
    authors = {
        language: [
            person
            for person, resident in zip(people, RESIDENTS, strict=True)
            if resident.language == language
        ]
        for language in texts
    }
    while True:
        language = chance.choice(("en", "ko"))
        author, name, other = chance.sample(authors[language], 3)
        body = next(texts[language]).format(name=name.username, other=other.username)
        yield author, body


def _chance(what: str) -> random.Random:
    return random.Random(f"microblog demo: {what}")  # noqa: S311 - not for secrets
