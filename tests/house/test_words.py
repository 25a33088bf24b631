"""No page says a word that is in no message: read in a language which brackets every message."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from babel.support import NullTranslations
from quart import Quart

from microblog.database import Database
from microblog.edge import language, templates
from microblog.runtime import DATABASE_AWAY, EXTENSION
from tests.house.provoked import answers
from tests.people import MakePost, MakeUser, Visit
from tests.web.scene import Scene, set_up

ALLOWED = {
    "Microblog",
    "English",
    "again",
    "mina",
    "bora",
    "chul",
    "newcomer",
    "Rain",
    "over",
    "seoul",
}
SILENT = {"script", "style", "relative-time", "code", "kbd", "textarea"}
SPOKEN = {"title", "aria-label", "placeholder", "alt"}
# What scripts read and nobody sees; every other data attribute holds words.
TECHNICAL = {
    *("data-language", "data-live-epoch", "data-live-cursor", "data-live-topics"),
    *("data-count", "data-refresh", "data-read"),
}
WRAPPED = re.compile("⟦[^⟦⟧]*⟧")
WORD = re.compile("[A-Za-z]{2,}")


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
        self.names_language = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in SILENT
        # What languages are called is Unicode's to know, not ours to translate.
        self.names_language = tag == "option" and bool(dict(attrs).get("value"))
        for name, value in attrs:
            if name in SPOKEN or (name.startswith("data-") and name not in TECHNICAL):
                self.words.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in SILENT

    def handle_data(self, data: str) -> None:
        if not self.silent and not self.names_language:
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
    setup = f"/setup?token={token}"
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
    ):
        for more in ({}, {"csrf_token": "stale"}):
            answer = await reader.post(path, fields | more, page=page)
            assert answer.status_code >= 400
            assert untranslated(await answer.get_data(as_text=True)) == [], path


async def test_no_error_and_no_note_has_words_of_its_own(
    pseudo: None, scene: Scene, visit: Visit
) -> None:
    mina = await visit(scene.mina)
    for path, fields in (
        (f"/post/{scene.post.id}/delete", {"next": "/user/mina"}),
        ("/edit_profile", {"display_name": "mina", "about_me": ""}),
        ("/follow/mina", {"next": "/user/mina"}),
    ):
        assert (await mina.post(path, fields, page="/user/bora")).status_code == 303
        page = await mina.text("/user/mina")
        assert 'class="flash' in page
        assert untranslated(page) == []
    found = await answers(scene.app, mina, {})
    scene.app.extensions[EXTENSION].not_ready = DATABASE_AWAY
    for answer in [*found.values(), await mina.get("/")]:
        assert untranslated(await answer.get_data(as_text=True)) == [], answer.status
