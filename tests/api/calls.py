"""Calls of the API, one of each kind at least, with all that they need; and who makes it there."""

from datetime import UTC, datetime, timedelta
from typing import Any

from quart import Quart

from microblog.actions import exports, links, messages, tokens
from microblog.actions.messages import Letter
from microblog.core.tasks import ExportPosts
from microblog.core.tokens import link_token
from microblog.database import Database
from microblog.models import User
from microblog.runtime import EXTENSION
from tests import images
from tests.jobs.conftest import jobs_of, until
from tests.people import PASSWORD, MakePost

EDIT = {"json": {"body": "Hello again"}, "headers": {"If-Match": "*"}}
TRANSLATION = "/api/posts/{post_id}/translation"
DRAFT = "/api/drafts/{context}"
Call = tuple[str, str, str, dict[str, Any]]

PICTURE = {"headers": {"Content-Type": "image/png"}, "data": images.picture("PNG")}
NOTIFICATIONS: list[Call] = [
    ("GET", "/api/notifications", "/api/notifications?since=0", {}),
    ("PUT", "/api/notifications/read", "/api/notifications/read", {"json": {}}),
]
AROUND = ("followers", "following", "posts")
SIGN_UP = {"username": "anna", "email": "anna@example.org", "password": PASSWORD}


ABOUT_DRAFTS: list[Call] = [
    ("PUT", DRAFT, "/api/drafts/post", {"json": {"body": "Good mor"}}),
    ("GET", "/api/drafts", "/api/drafts", {}),
    ("GET", DRAFT, "/api/drafts/post", {}),
    ("DELETE", DRAFT, "/api/drafts/post", {}),
]


def around_oneself(family_id: int) -> list[Call]:
    """Return the calls that are about oneself."""
    return [
        ("GET", "/api/tokens", "/api/tokens", {}),
        ("DELETE", "/api/tokens/{family_id}", f"/api/tokens/{family_id}", {}),
        ("GET", "/api/me", "/api/me", {}),
        ("PATCH", "/api/me", "/api/me", {"json": {"about_me": "Seoul"}}),
        ("PUT", "/api/me", "/api/me", {"json": {"display_name": "Mina"}}),
        ("PUT", "/api/users/{who}", "/api/users/mina", {"json": {}}),
    ]


def around(post_id: int) -> list[Call]:
    """Return the calls that are about posts."""
    return [
        ("GET", "/api/posts", "/api/posts", {}),
        ("POST", "/api/posts", "/api/posts", {"json": {"body": "`code` and https://a.example"}}),
        ("POST", "/api/posts", "/api/posts", {"json": {"body": "Yes", "reply_to": str(post_id)}}),
        ("GET", "/api/posts/{post_id}", f"/api/posts/{post_id}", {}),
        ("GET", "/api/posts/{post_id}/thread", f"/api/posts/{post_id}/thread", {}),
        ("GET", "/api/posts/{post_id}/replies", f"/api/posts/{post_id}/replies", {}),
        ("POST", TRANSLATION, TRANSLATION.format(post_id=post_id), {"json": {"to": "ko"}}),
        ("PATCH", "/api/posts/{post_id}", f"/api/posts/{post_id}", EDIT),
        ("GET", "/api/posts/{post_id}/history", f"/api/posts/{post_id}/history", {}),
        ("DELETE", "/api/posts/{post_id}", f"/api/posts/{post_id}", {}),
    ]


async def sent(database: Database, sender: User, other: User) -> int:
    """Send a message and return its id."""
    async with database.write() as tx:
        row = await messages.send(tx, sender, other, Letter("Hello"), datetime.now(UTC))
    return row.id


def between_two(message_id: int) -> list[Call]:
    """Return the calls that are about private messages with June."""
    one, all_of_them = "/api/messages/{who}/{message_id}", "/api/messages/{who}"
    read = ("PUT", f"{all_of_them}/read", "/api/messages/june/read", {"json": {}})
    return [
        ("GET", "/api/messages", "/api/messages", {}),
        ("POST", "/api/messages", "/api/messages", {"json": {"to": "june", "body": "Hi"}}),
        ("GET", all_of_them, "/api/messages/june", {}),
        read,
        ("DELETE", one, f"/api/messages/june/{message_id}", {}),
        ("DELETE", all_of_them, "/api/messages/june", {}),
    ]


async def family(database: Database, user: User) -> int:
    """Sign a program in, to be signed out; return its id."""
    async with database.write() as tx:
        life = timedelta(days=1)
        grant = await tokens.issue(tx, user.id, datetime.now(UTC), life=life, device="reader/2.1")
    return grant.family_id


async def around_questions(asker: User, make_post: MakePost) -> list[Call]:
    """Return the calls that are about questions."""
    question = await make_post(asker, "Near the harbour", title="Where is the best bread?")
    answer = await make_post(asker, "At Kim's", reply_to=question.id)
    accepted, filled = "/api/questions/{}/accepted", {"json": {"answer_id": str(answer.id)}}
    asked = {"title": "And the best cake?", "body": "In town", "tags": ["cake"]}
    return [
        ("GET", "/api/questions", "/api/questions", {}),
        ("POST", "/api/questions", "/api/questions", {"json": asked}),
        ("PUT", accepted.format("{question_id}"), accepted.format(question.id), filled),
        ("DELETE", accepted.format("{question_id}"), accepted.format(question.id), {}),
    ]


async def link(app: Quart, database: Database, user: User) -> str:
    """Return the token of a link for a new password."""
    secret = app.extensions[EXTENSION].secret
    async with database.write() as tx:
        now = datetime.now(UTC)
        nonce = await links.make(tx, secret, "reset", user, user.email, now, timedelta(minutes=10))
    return link_token(secret, nonce)


def of_the_beginning(refresh: str) -> list[Call]:
    """Return the calls with which one begins."""
    return [
        ("GET", "/api", "/api", {}),
        ("POST", "/api/tokens", "/api/tokens", {"auth": ("mina", PASSWORD), "headers": {}}),
        ("PUT", "/api/tokens", "/api/tokens", {"json": {"refresh_token": refresh}}),
    ]


def around_people(user_id: int) -> list[Call]:
    """Return the calls that are about people, and what they all write."""
    return [
        ("GET", "/api/users", "/api/users", {}),
        ("POST", "/api/users", "/api/users", {"json": SIGN_UP}),
        *(("GET", "/api/users/{who}", f"/api/users/{who}", {}) for who in ("june", user_id)),
        ("GET", "/api/timelines/home", "/api/timelines/home?limit=1", {}),
        ("GET", "/api/timelines/public", "/api/timelines/public", {}),
        ("GET", "/api/timelines/tags/{tag}", "/api/timelines/tags/서울", {}),
        *(("GET", f"/api/users/{{who}}/{of}", f"/api/users/june/{of}", {}) for of in AROUND),
        ("GET", "/api/search", "/api/search?q=Hello", {}),
        ("GET", "/api/events", "/api/events?topics=home&since=0", {}),
        ("PUT", "/api/me/avatar", "/api/me/avatar", PICTURE),
        ("DELETE", "/api/me/avatar", "/api/me/avatar", {}),
        ("PUT", "/api/me/following/{who}", "/api/me/following/june", {}),
        ("DELETE", "/api/me/following/{who}", "/api/me/following/june", {}),
    ]


async def around_exports(database: Database, user: User) -> list[Call]:
    """Return the calls around an export, which is made before."""
    async with database.write() as tx:
        await exports.start(tx, user)

    async def is_made() -> bool:
        return all(row.finished_at for row in await jobs_of(database, ExportPosts.kind))

    await until(is_made)
    (job,) = await jobs_of(database, ExportPosts.kind)
    path = "/api/exports/{export_id}"
    return [
        ("GET", path, path.format(export_id=job.id), {}),
        ("GET", f"{path}/file", f"{path}/file".format(export_id=job.id), {}),
        ("POST", "/api/exports", "/api/exports", {}),
    ]


def of_administrators(username: str) -> list[Call]:
    """Return the calls that keep somebody out and let them in again."""
    path, reason = "/api/users/{who}/suspension", {"json": {"reason": "Unwanted advertising"}}
    return [(method, path, path.format(who=username), dict(reason)) for method in ("PUT", "DELETE")]


def of_the_end(link: str) -> list[Call]:
    """Return the calls after which one's tokens are no good, the last of all."""
    new = {"token": link, "new_password": "another sentence"}
    return [
        ("DELETE", "/api/tokens", "/api/tokens", {}),
        ("POST", "/api/tokens/reset", "/api/tokens/reset", {"json": {"email": "a@example.org"}}),
        ("PUT", "/api/tokens/reset", "/api/tokens/reset", {"json": new}),
        ("DELETE", "/api/me", "/api/me", {"json": {"password": PASSWORD}}),
    ]
