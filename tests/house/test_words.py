"""No page says a word that is in no message: read in a language which brackets every message."""

import re
from dataclasses import replace
from html import unescape

import pytest
from quart import Quart

from microblog.database import Database
from microblog.render.mail import compose
from microblog.runtime import DATABASE_AWAY, EXTENSION
from microblog.settings import Settings
from tests.house.provoked import answers
from tests.house.pseudo import untranslated
from tests.mailboxes import text_of
from tests.people import PASSWORD, MakePost, MakeUser, Visit
from tests.render.test_mail import SECRET, SETTINGS, VALUES, task
from tests.web.scene import Scene, set_up

NEW = "quite another sentence"
# What a mail tells that is no sentence: what things are called.
TOLD = (
    "Firefox <b>&",
    "Our village",
    "KeyError",
    "in show",
    "microblog/web/posts.py",
    "/post/",
    "UTC",
)
TOLD += ("GET", "int:post_id", "0123456789abcdef", " at ", "February", "AM")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With mail, so that all forms are shown."""
    return replace(settings, mailer="console", public_url="http://localhost")


@pytest.fixture
async def scene(app: Quart, database: Database, make_user: MakeUser, make_post: MakePost) -> Scene:
    return await set_up(app, database, make_user, make_post)


def test_word_outside_a_message_is_found() -> None:
    page = '<p title="Hello">⟦Good⟧ day</p><b data-sent="⟦a⟧">⟦by ⟦b⟧⟧</b><code>no</code>'
    assert untranslated(page) == ["Hello", "day"]


async def test_no_page_has_words_of_its_own(
    pseudo: None, scene: Scene, make_user: MakeUser, visit: Visit
) -> None:
    readers = [await visit(), await visit(scene.mina), await visit(await make_user("newcomer"))]
    looked_at = set()
    for rule in scene.readable():
        address = scene.address(rule)
        if rule.endpoint == "setup.administrator":
            address += f"?token={scene.fields['token']}"
        if rule.endpoint == "questions.similar":
            address += f"?title={scene.question.title}"
        owner = await visit(await scene.reader(rule))
        for reader in (*readers, owner):
            answer = await reader.get(address)
            if answer.mimetype == "text/html" and answer.status_code == 200:
                looked_at.add(rule.endpoint)
                assert untranslated(await answer.get_data(as_text=True)) == [], address
    assert len(looked_at) >= 12, looked_at


async def test_no_form_that_is_shown_again_has_words_of_its_own(
    pseudo: None, scene: Scene, visit: Visit
) -> None:
    stranger, mina = await visit(), await visit(scene.mina)
    wrong = {"username": "аdmin", "email": "x", "password": "short", "password2": "other"}
    token = scene.fields["token"]
    setup, link = f"/setup?token={token}", scene.links["reset"]
    for reader, path, fields, page in (
        (stranger, "/auth/login", {"username": "mina", "password": "wrong"}, "/auth/login"),
        (stranger, "/auth/register", wrong, "/auth/register"),
        (stranger, "/setup", wrong | {"token": token}, setup),
        (stranger, "/posts", {"post": "1"}, "/auth/login"),
        (mina, "/posts", {"post": ""}, "/"),
        (mina, "/posts", {"post": "1" * 501}, "/"),
        (mina, "/posts", {"post": "1", "idempotency_key": "1" * 201}, "/"),
        (mina, "/edit_profile", {"about_me": "1" * 501}, "/edit_profile"),
        (mina, "/notifications/read", {"id": "x"}, "/"),
        (mina, "/send_message/bora", {"message": ""}, "/messages/bora"),
        (mina, "/messages/bora/read", {"up_to": "x"}, "/messages/bora"),
        (mina, "/settings/messages", {"messages_from": "friends"}, "/settings/messages"),
        (stranger, "/auth/reset_password_request", {"email": "x"}, "/auth/login"),
        (stranger, f"/auth/reset_password/{link}", {"password": "short"}, "/auth/login"),
        (stranger, f"/auth/reset_password/{link}", {"password": PASSWORD}, "/auth/login"),
        (stranger, "/auth/reset_password/over", {}, "/auth/login"),
        (stranger, "/auth/confirm_address/over", {}, "/auth/login"),
        (mina, "/settings/account", {"email": "x"}, "/settings/account"),
        (mina, "/settings/account", {"email": "a@example.org"}, "/settings/account"),
        (mina, "/settings/username", {"username": "admin"}, "/settings/username"),
        (mina, "/settings/password", {"password": "short"}, "/settings/password"),
        (mina, "/settings/deactivate", {"password": "wrong"}, "/settings/deactivate"),
        (mina, "/settings/delete", {"password": "wrong"}, "/settings/delete"),
        (mina, "/admin/people/gil/suspend", {"reason": ""}, "/"),
    ):
        for more in ({}, {"csrf_token": "stale"}):
            answer = await reader.post(path, fields | more, page=page)
            assert answer.status_code >= 400
            assert untranslated(await answer.get_data(as_text=True)) == [], path


async def test_page_that_says_whom_to_ask_has_no_words_of_its_own(
    pseudo: None, scene: Scene, visit: Visit
) -> None:
    runtime = scene.app.extensions[EXTENSION]
    runtime.settings = replace(runtime.settings, mailer="none")
    for path in ("/auth/reset_password_request", "/settings/account"):
        for admins in ((), ("owner@example.org",)):
            runtime.settings = replace(runtime.settings, admins=admins)
            page = await (await visit(scene.mina)).text(path)
            assert set(untranslated(page)) <= {"owner"}, path


@pytest.mark.parametrize("template", VALUES)
def test_no_mail_has_words_of_its_own(pseudo: None, template: str) -> None:
    mail = compose(task(template), SETTINGS, SECRET)
    words = re.compile("|".join(map(re.escape, TOLD)))
    for part in (f"⟦⟧ {mail['Subject']}", text_of(mail), unescape(text_of(mail, "html"))):
        shown = words.sub("", re.sub(r"https?://[^\s<\"]+", "", part))
        assert untranslated(shown) == []


async def test_no_error_and_no_note_has_words_of_its_own(
    pseudo: None, scene: Scene, visit: Visit
) -> None:
    mina = await visit(scene.mina)
    for path, fields in (
        (f"/post/{scene.post.id}/delete", {"next": "/user/mina"}),
        ("/edit_profile", {"display_name": "mina", "about_me": ""}),
        ("/follow/mina", {"next": "/user/mina"}),
        ("/settings/account/confirm", {}),
        ("/settings/account", {"email": "new@example.org", "password": PASSWORD}),
        ("/auth/reset_password_request", {"email": "mina@example.org"}),
        (f"/auth/confirm_address/{scene.links['confirm']}", {}),
        (f"/auth/reset_password/{scene.links['reset']}", {"password": NEW, "password2": NEW}),
    ):
        assert (await mina.post(path, fields, page="/user/bora")).status_code == 303
        page = await mina.text("/user/mina")
        assert 'class="flash' in page
        assert untranslated(page) == []
    found = await answers(scene.app, mina, {})
    scene.app.extensions[EXTENSION].not_ready = DATABASE_AWAY
    for answer in [*found.values(), await mina.get("/")]:
        assert untranslated(await answer.get_data(as_text=True)) == [], answer.status
