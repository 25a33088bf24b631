"""A small place with people and posts, and a walk along all its addresses.

Routes are read from the application, so a route that is added later is walked by itself; where an
example below does not suit it, the test that sends good requests fails and asks for a better one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from quart import Quart
from werkzeug.routing import IntegerConverter, Rule

from microblog import export_files
from microblog.actions import (
    accounts,
    avatars,
    departures,
    drafts,
    follows,
    links,
    messages,
    sessions,
    tokens,
)
from microblog.actions.messages import Letter
from microblog.core.drafts import Written
from microblog.core.pictures import Squares
from microblog.core.tasks import ExportPosts, Prune, State
from microblog.core.tokens import link_token, setup_token
from microblog.database import Database
from microblog.models import Job, User
from microblog.queries import access, jobs
from microblog.queries.rows import PostRow
from microblog.runtime import EXTENSION
from microblog.web import assets
from tests.people import PASSWORD, MakePost, MakeUser

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
RESETS = ("choose_password", "reset_password")
PICTURE = Squares("0123456789abcdef", {96: b"a picture", 400: b"a larger one"})
EDITS = ("edit", "save", "history")
CONFIRMATIONS = ("look_at_confirmation", "confirm")
Example = dict[str, str]


@dataclass
class Scene:
    """Mina reads; she follows Chul, and Bora, whom she doesn't follow, follows her.

    Mina has an export, a draft, and a job that waits until tomorrow. She asks `question`, to which
    Bora has an `answer`. Bora and Chul wrote to her; Bora has a picture. Dana and Evan may leave;
    Fay is suspended.
    The walk may delete `post` and the message, but not `kept_post`.
    """

    app: Quart
    mina: User
    bora: User
    post: PostRow
    kept_post: PostRow
    question: PostRow
    answer: PostRow
    job_id: int
    export_id: int
    message_id: int
    links: dict[str, str]
    leavers: dict[str, User]
    database: Database
    session_id: int = 1
    family_id: int = 1

    async def reader(self, rule: Rule) -> User:
        """Return who is to ask for a route, after all that she needs there was made.

        Mina is an administrator for their pages alone: with one, there is no setting up.
        """
        now, life = datetime.now(UTC), timedelta(days=1)
        role = "admin" if rule.rule.startswith("/admin/") else "member"
        async with self.database.write() as tx:
            await accounts.set_role(tx, self.mina, role)
            how: Any = {"life": life, "device": "Firefox/1 (Linux)"}
            token = await sessions.open_session(tx, self.mina.id, now, remembered=False, **how)
            self.family_id = (await tokens.issue(tx, self.mina.id, now, **how)).family_id
            found = await access.session(tx, token, now)
        assert found is not None
        self.session_id = found[0].id
        return self.leavers.get(rule.endpoint, self.mina)

    @property
    def arguments(self) -> Example:
        """Examples for the parts of addresses, by name."""
        version = assets.versions()["css"]
        some = {"username": "bora", "name": "seoul", "post_id": str(self.post.id), "who": "bora"}
        some |= {"job_id": str(self.job_id), "export_id": str(self.export_id)}
        some |= {"message_id": str(self.message_id)}
        some |= {"session_id": str(self.session_id), "family_id": str(self.family_id)}
        some |= {"picture": PICTURE.name, "size": "96"}
        some |= {"question_id": str(self.question.id), "state": "open"}
        return some | {"version": version, "path": "x", "user_id": str(self.bora.id)}

    @property
    def fields(self) -> Example:
        """Examples for the fields of forms, by name: one body that suits every form."""
        runtime = self.app.extensions[EXTENSION]
        account = {"username": "newcomer", "email": "newcomer@example.org"}
        words = {"title": "Forged question", "body": "Forged", "tags": ""}
        words |= {"answer_id": str(self.answer.id)}
        words |= {"post": "Forged", "display_name": "Forged", "about_me": "Forged", "draft": ""}
        words |= {"message": "Forged", "messages_from": "followed"}
        choices = {"language": "ko", "theme": "dark", "up_to": "", "remember_me": "y"}
        words |= {"reason": "Spam", "old_password": PASSWORD}
        token = setup_token(runtime.secret, runtime.hub.epoch)
        return {**account, "password": PASSWORD, "password2": PASSWORD, **words, **choices} | {
            "token": token,
            "next": "/",
        }

    def form(self, rule: Rule) -> Example:
        """Return the fields of a good request."""
        special: dict[str, Example] = {
            "auth.log_in": {"username": "bora"},
            "program_tokens.make": {"name": "cron", "scopes": "read", "days": "90"},
            "drafts.keep": {"context": "post"},
            "account.rename": {"username": "mina_k"},
            "edits.save": {"version": self.kept_post.version},
            "translations.translate": {"post_id": str(self.kept_post.id), "dest_language": "de"},
            "setup.make_administrator": {"username": "first", "email": "first@example.org"},
        }
        return self.fields | special.get(rule.endpoint, {})

    def values(self, rule: Rule) -> Example:
        """Return examples for the parts of a route's address."""
        special: dict[str, Example] = {
            **{f"resets.{name}": {"token": self.links["reset"]} for name in RESETS},
            **{f"addresses.{name}": {"token": self.links["confirm"]} for name in CONFIRMATIONS},
            **{f"edits.{name}": {"post_id": str(self.kept_post.id)} for name in EDITS},
            "people.unfollow": {"username": "chul"},
            "drafts.show": {"context": "post"},
            "messages.clear": {"username": "chul"},
            "administration.restore": {"username": "fay"},
            "administration.suspend": {"username": "gil"},
            "assets.static_file": {"name": "css/microblog.css"},
        }
        known = self.arguments | special.get(rule.endpoint, {})
        return {name: known.get(name, "1") for name in rule.arguments}

    def address(self, rule: Rule, other: Example | None = None) -> str:
        """Return an address of a route, its parts filled with examples, or with others."""
        values = self.values(rule) | (other or {})
        built = rule.build({name: _converted(rule, name, value) for name, value in values.items()})
        assert built is not None, f"{rule.endpoint} needs an example"
        return built[1]

    def unsafe(self) -> Iterator[tuple[Rule, str]]:
        """Go along the routes of pages that change something, each with its method."""
        for rule in self._pages():
            for method in sorted((rule.methods or set()) - SAFE_METHODS):
                yield rule, method

    def readable(self) -> Iterator[Rule]:
        """Go along the routes that answer GET, pages or not."""
        for rule in self.app.url_map.iter_rules():
            if not rule.websocket and "GET" in (rule.methods or set()):
                yield rule

    def _pages(self) -> Iterator[Rule]:
        for rule in self.app.url_map.iter_rules():
            if not rule.websocket and not rule.rule.startswith("/api"):
                yield rule


def _converted(rule: Rule, name: str, value: str) -> object:
    converter = rule._converters[name]
    return int(value) if isinstance(converter, IntegerConverter) else value


async def set_up(app: Quart, database: Database, make_user: MakeUser, make_post: MakePost) -> Scene:
    """Make the people, their posts, and a mailed link for each purpose."""
    mina, bora, chul = [await make_user(name) for name in ("mina", "bora", "chul")]
    dana, evan, fay, _gil = [await make_user(name) for name in ("dana", "evan", "fay", "gil")]
    now = datetime.now(UTC)
    async with database.write() as tx:
        await follows.follow(tx, mina, chul, now)
        await follows.follow(tx, bora, mina, now)
        await departures.suspend(tx, None, fay, "Spam", now)
        await avatars.change(tx, bora, PICTURE, now)
        await drafts.keep(tx, mina.id, "question", Written("Why?"), 0, now)
        tx.enqueue(Prune(), at=now + timedelta(days=1), user_id=mina.id)
        done = {"state": State.DONE, "attempt": 1, "progress": 100, "again": False}
        times = {"created_at": now, "finished_at": now}
        row = {"kind": ExportPosts.kind, "payload": {}, "user_id": mina.id, **done, **times}
        await tx.insert(Job, row)
        secret, life = app.extensions[EXTENSION].secret, timedelta(minutes=10)
        made = {
            purpose: await links.make(tx, secret, purpose, whose, whose.email, now, life)
            for purpose, whose in (("reset", chul), ("confirm", bora))
        }
        letters = [
            await messages.send(tx, sender, mina, Letter("Rain again"), now)
            for sender in (bora, chul)
        ]
    post = await make_post(mina, "Rain over #seoul, @bora")
    kept = await make_post(mina, "Rain again")
    question = await make_post(mina, "again", title="Rain over Seoul again?")
    answer = await make_post(bora, "Rain again", reply_to=question.id)
    waiting_id, export_id = await exported(app, database, mina)
    mailed = {purpose: link_token(secret, nonce) for purpose, nonce in made.items()}
    leavers = {"account.deactivate": dana, "account.delete": evan}
    ids = waiting_id, export_id, letters[0].id
    return Scene(app, mina, bora, post, kept, question, answer, *ids, mailed, leavers, database)


async def exported(app: Quart, database: Database, user: User) -> tuple[int, int]:
    """Put an archive where somebody's export ends; return the ids of what waits, and of it."""
    async with database.read() as read:
        waiting = await jobs.latest(read, user.id, Prune.kind)
        export = await jobs.latest(read, user.id, ExportPosts.kind)
    assert waiting is not None
    assert export is not None
    file = export_files.path(app.extensions[EXTENSION].settings.data_dir, user.id, export.id)
    file.parent.mkdir()
    file.write_bytes(b"an archive")
    return waiting.id, export.id
