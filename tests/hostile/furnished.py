"""A place for requests that are made out of the API's document: people, and what they wrote."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from microblog.actions import accounts, messages, posts, tokens
from microblog.actions.accounts import NewAccount
from microblog.actions.messages import Letter
from microblog.actions.posts import Draft
from microblog.database import Database, open_database
from microblog.models import User
from microblog.settings import Settings
from tests.people import hashed

PASSWORD = "neither short nor easily guessed"
CROWD = 20
"""People of each role, so that a limit a person is not the end of a call's tests."""

LIFE = timedelta(days=1)


@dataclass
class Place:
    """Who may ask, by role, and the values that lead to something, by the names of parameters."""

    people: dict[str, list[str]]
    known: dict[str, list[str]] = field(default_factory=dict)

    def keep(self, **values: object) -> None:
        """Keep values that lead to something."""
        for name, value in values.items():
            self.known.setdefault(name, []).append(str(value))


async def furnish(path: Path) -> Place:
    """Fill the SQLite file of a server that does not run yet."""
    database = open_database(Settings(database_url=f"sqlite:///{path}"))
    members, admins = await _people(database, "member"), await _people(database, "admin")
    place = Place({"user": [one.email for one in members], "admin": [one.email for one in admins]})
    writer, (reader, *_), (ruler, *_) = members[-1], members, admins
    question, answer = await _question(database, writer, reader)
    place.keep(question_id=question, answer_id=answer, context="post")
    for one in (writer, reader, ruler):
        place.keep(who=one.username, family_id=await _sign_in(database, place, one))
        place.keep(who=one.id, context=f"reply:{question}")
        post = await _post(database, one, Draft("Hello #seoul"))
        place.keep(post_id=post, reply_to=post)
        await _post(database, writer, Draft(f"Indeed @{one.username}", reply_to=post))
    for one in (reader, ruler):
        place.keep(message_id=await _send(database, one, writer))
        place.keep(message_id=await _send(database, writer, one))
    await database.close()
    return place


async def _people(database: Database, role: str) -> list[User]:
    now, secret, made = datetime.now(UTC), hashed(PASSWORD), []
    async with database.write() as tx:
        for number in range(CROWD):
            name = f"{role}_{number}"
            account = NewAccount(f"a_{name}", f"{name}@example.net", secret, role=role)
            made.append(await accounts.register(tx, account, now))
    return made


async def _question(database: Database, asker: User, other: User) -> tuple[int, int]:
    title = "Where is the best bread?"
    asked = await _post(database, asker, Draft("Near the harbour", title=title))
    return asked, await _post(database, other, Draft("At Kim's", reply_to=asked))


async def _post(database: Database, author: User, draft: Draft) -> int:
    async with database.write() as tx:
        return (await posts.publish(tx, author, draft, datetime.now(UTC))).id


async def _send(database: Database, sender: User, other: User) -> int:
    async with database.write() as tx:
        return (await messages.send(tx, sender, other, Letter("Hi"), datetime.now(UTC))).id


async def _sign_in(database: Database, place: Place, user: User) -> int:
    """Sign a program in, and keep its refresh token; return the id of its family."""
    async with database.write() as tx:
        grant = await tokens.issue(tx, user.id, datetime.now(UTC), life=LIFE, device="reader/2.1")
    place.keep(refresh_token=grant.refresh_token)
    return grant.family_id


def settings(translator: Mapping[str, object]) -> dict[str, str]:
    """Return the settings of the server: what can be limited by them is not, what can be done is.

    `translator` are those of a translation service.
    """
    many = ("POSTS_PER_MINUTE", "SIGN_UPS_PER_HOUR", "LOGIN_TRIES", "RESETS_PER_HOUR")
    more = ("TRANSLATIONS_PER_HOUR", "ACCESS_TOKEN_SECONDS", "CALLS_PER_MINUTE")
    lifted = {f"MICROBLOG_{name}": "1000000" for name in many + more}
    return lifted | {
        "MICROBLOG_MAILER": "console",
        "MICROBLOG_PUBLIC_URL": "http://localhost",
        **{f"MICROBLOG_{name}".upper(): str(value) for name, value in translator.items()},
    }
