"""No page says a word that is in no message: read in a language which brackets every message."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest
from babel.support import NullTranslations
from quart import Quart

from microblog.database import Database
from microblog.edge import language, templates
from microblog.render.mail import compose
from microblog.runtime import DATABASE_AWAY, EXTENSION
from microblog.settings import Settings
from tests.house.provoked import answers
from tests.mailboxes import text_of
from tests.people import PASSWORD, MakePost, MakeUser, Visit
from tests.render.test_mail import SECRET, SETTINGS, VALUES, task
from tests.web.scene import Scene, set_up

ALLOWED = {"Microblog", "English", "mina", "bora", "chul", "newcomer", "Rain", "over", "seoul"}
ALLOWED |= {"example", "org"}
SILENT = {"script", "style", "relative-time", "code", "kbd", "textarea"}
SPOKEN = {"title", "aria-label", "placeholder", "alt"}
# What scripts read and nobody sees; every other data attribute holds words.
TECHNICAL = {
    *("data-language", "data-live-epoch", "data-live-cursor", "data-live-topics"),
    *("data-count", "data-refresh", "data-read", "data-job", "data-state", "data-final"),
}
WRAPPED = re.compile("⟦[^⟦⟧]*⟧")
WORD = re.compile("[A-Za-z]{2,}")


NEW = "quite another sentence"
# What a mail tells that is no sentence: what things are called.
TOLD = (
    "Firefox",
    "Our village",
    "KeyError",
    "in show",
    "microblog/web/posts.py",
    "/post/",
    "UTC",
)
TOLD += ("GET", "int:post_id", "0123456789abcdef", " at ", "February", "AM")


class Pseudo(NullTranslations):
    """Puts brackets around every message."""

    def ugettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ungettext(self, singular: str, plural: str, n: int) -> str:
        return f"⟦{singular if n == 1 else plural}⟧"


class Seen(HTMLParser):
    """Collects what a page shows or says."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.silent = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in SILENT
        for name, value in attrs:
            if name in SPOKEN or (name.startswith("data-") and name not in TECHNICAL):
                self.words.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in SILENT

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.words.append(data)


def untranslated(page: str) -> list[str]:
    """Return the words of a page that are in no message."""
    assert "⟦" in page
    found = []
    for text_ in Seen(page).words:
        rest = text_
        while WRAPPED.search(rest):
            rest = WRAPPED.sub("", rest)
        found += [word for word in WORD.findall(rest) if word not in ALLOWED]
    return found


@pytest.fixture
def pseudo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Speak that language in every page."""
    monkeypatch.setattr(language, "catalogue", lambda _: Pseudo())
    templates.forget()
    yield
    templates.forget()


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
        for reader in readers:
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
        (stranger, "/auth/reset_password_request", {"email": "x"}, "/auth/login"),
        (stranger, f"/auth/reset_password/{link}", {"password": "short"}, "/auth/login"),
        (stranger, f"/auth/reset_password/{link}", {"password": PASSWORD}, "/auth/login"),
        (stranger, "/auth/reset_password/over", {}, "/auth/login"),
        (stranger, "/auth/confirm_address/over", {}, "/auth/login"),
        (mina, "/settings/account", {"email": "x"}, "/settings/account"),
        (mina, "/settings/account", {"email": "a@example.org"}, "/settings/account"),
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
