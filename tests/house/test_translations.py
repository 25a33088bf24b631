"""Korean is complete, the catalogue fits the code, and no page says a word that isn't in it."""

import re
from collections.abc import Iterator
from datetime import datetime
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.support import NullTranslations
from click.testing import CliRunner
from quart import Quart
from sqlalchemy import text
from werkzeug.datastructures import MultiDict
from wtforms.csrf.session import SessionCSRF

from microblog.cli import main, translate
from microblog.core.errors import Unavailable
from microblog.database import Database
from microblog.edge import errors, forms, language
from microblog.queries import schema
from microblog.render import fragments
from microblog.runtime import DATABASE_AWAY, EXTENSION
from microblog.web.compose import PostForm
from tests.people import Browser, MakePost, MakeUser, Visit
from tests.web.scene import Scene, set_up

HANGUL = re.compile("[가-힣]")
PLACE = re.compile(r"%\(\w+\)[a-z]")
KOREAN = {"Accept-Language": "ko"}
JSON = {"Accept": "application/json"}


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the commands work on a copy of the Korean catalogue."""
    source = translate.path_of("ko").read_text()
    monkeypatch.setattr(translate, "TRANSLATIONS", tmp_path)
    path = translate.path_of("ko")
    path.parent.mkdir(parents=True)
    path.write_text(source)
    return path


def check(path: Path, before: str, after: str) -> str:
    """Return the first thing that the check has against a catalogue with one change."""
    source = path.read_text()
    assert source.count(before) == 1
    path.write_text(source.replace(before, after))
    done = CliRunner().invoke(main, ["translate", "check"])
    assert done.exit_code == 1
    return done.stdout.splitlines()[0]


def korean() -> Catalog:
    return read_po(BytesIO(translate.path_of("ko").read_bytes()), locale="ko")


# --- The catalogue -----------------------------------------------------------------------------


def test_check_finds_nothing() -> None:
    done = CliRunner().invoke(main, ["translate", "check"])
    assert done.exit_code == 0, done.output


def test_update_changes_nothing(copied: Path) -> None:
    before = copied.read_text()
    assert CliRunner().invoke(main, ["translate", "update"]).exit_code == 0
    assert copied.read_text() == before


def test_check_names_what_is_missing(copied: Path) -> None:
    found = check(copied, 'msgid "Publish"\nmsgstr "게시"', 'msgid "Publish"\nmsgstr ""')
    assert found == "ko: missing: 'Publish'"


def test_check_names_what_is_fuzzy(copied: Path) -> None:
    found = check(copied, 'msgid "Publish"', '#, fuzzy\nmsgid "Publish"')
    assert found == "ko: fuzzy: 'Publish'"


@pytest.mark.parametrize("mark", ["", "#~ "])
def test_check_names_what_nobody_uses_and_update_takes_it_out(copied: Path, mark: str) -> None:
    unused = f'{mark}msgid "Gone"\n{mark}msgstr "없음"\n\n'
    before = '#: templates/people/edit_profile.html\nmsgid "About me"'
    found = check(copied, before, unused + before)
    assert found == "ko: obsolete: 'Gone'"
    assert CliRunner().invoke(main, ["translate", "update"]).exit_code == 0
    assert "Gone" not in copied.read_text()


@pytest.mark.parametrize(
    "wrong", ["%(names)s 님의 글", "글", "%(name)d 님의 글", "100% %(name)s", "<b>%(name)s"]
)
def test_check_names_what_has_other_places_or_markup(copied: Path, wrong: str) -> None:
    found = check(copied, 'msgstr "%(name)s 님의 글"', f'msgstr "{wrong}"')
    assert found == "ko: other places or markup than in English: 'Post by %(name)s'"


def test_update_begins_a_catalogue_that_is_not_there(copied: Path) -> None:
    copied.unlink()
    assert CliRunner().invoke(main, ["translate", "update"]).exit_code == 0
    assert "nplurals=1" in copied.read_text()
    assert CliRunner().invoke(main, ["translate", "check"]).exit_code == 1


def test_catalogue_tells_no_person_no_date_and_no_line() -> None:
    source = translate.path_of("ko").read_text()
    assert "fuzzy" not in source
    assert not re.search(r"Translator|Team|Date|Generated|\w@\w|^#: .*:\d", source, re.MULTILINE)
    assert not re.search(r"^#: /", source, re.MULTILINE)


def test_every_korean_message_is_korean_with_the_same_places() -> None:
    messages = [message for message in korean() if message.id]
    assert len(messages) > 150
    for message in messages:
        english = message.id if isinstance(message.id, str) else message.id[-1]
        forms = [message.string] if isinstance(message.string, str) else message.string
        assert len(forms) == 1
        assert HANGUL.search(forms[0]), english
        assert sorted(PLACE.findall(forms[0])) == sorted(PLACE.findall(english))


async def test_what_wtforms_says_of_our_forms_is_korean(
    app: Quart, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = set()
    later = datetime.fromisoformat("2100-01-01")
    async with app.test_request_context("/"):
        good = forms.new_token()
        with language.speaking("ko"):
            for token in ("", "x##y", good):
                if token == good:
                    monkeypatch.setattr(SessionCSRF, "now", lambda _: later)
                fields = {"csrf_token": token, "idempotency_key": "x" * 201}
                form = PostForm(MultiDict(fields))
                assert not form.validate()
                said |= {one for found in form.errors.values() for one in found}
    borrowed = [text for texts in translate.BORROWED.values() for text in texts]
    assert len(said) == len(borrowed)
    assert all(HANGUL.search(sentence) for sentence in said), said


# --- What people and programs read ---------------------------------------------------------------


async def answers(app: Quart, browser: Browser, headers: dict[str, str]) -> dict[int, Any]:
    """Return an answer of each kind of error, by its status."""

    async def broken() -> None:
        raise RuntimeError("by intent")

    async def breathless(**_: str) -> None:
        raise Unavailable(3)

    app.view_functions |= {"timelines.explore": broken, "timelines.tag": breathless}
    client = browser.client
    asked = [
        await client.get("/?before=x", headers=headers),
        await client.post("/posts", headers=headers | {"Origin": "null"}),
        await client.get("/nowhere", headers=headers),
        await client.get("/posts", headers=headers),
        await client.post("/posts", form={"post": "x" * 300_000}, headers=headers),
        await client.get("/explore", headers=headers),
        await client.get("/tag/python", headers=headers),
    ]
    return {answer.status_code: answer for answer in asked}


async def test_problems_are_told_to_programs_in_korean(app: Quart, visit: Visit) -> None:
    found = await answers(app, await visit(), KOREAN | JSON)
    assert set(found) == {422, 403, 404, 405, 413, 500, 503}
    for answer in found.values():
        body = await answer.get_json()
        said = [body["title"], body["detail"], *body.get("errors", {}).values()]
        assert all(HANGUL.search(str(sentence)) for sentence in said), body


@pytest.mark.parametrize("status", [*range(400, 430), 431, 451, *range(500, 512)])
def test_every_status_has_a_title_and_a_sentence_in_korean(status: int) -> None:
    problem = errors.Problem(status, retry_after_seconds=3 if status == 429 else None)
    with language.speaking("ko"):
        assert HANGUL.search(problem.title)
        assert HANGUL.search(problem.detail)


async def test_database_that_is_not_ready_says_in_korean_what_to_run(
    app: Quart, database: Database, visit: Visit
) -> None:
    browser = await visit()
    async with database.write() as tx:
        await tx.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    async with database.read() as read:
        app.extensions[EXTENSION].not_ready = await schema.problem(read)
    answer = await browser.get("/", headers=KOREAN)
    page = await answer.get_data(as_text=True)
    assert answer.status_code == 503
    assert "microblog db upgrade" in page
    assert "다음을 실행하세요" in page


# --- A language in which every message shows its edges -------------------------------------------

ALLOWED = {"Microblog", "English", "mina", "bora", "chul", "newcomer", "Rain", "over", "seoul"}
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
    fragments.environment.cache_clear()
    yield
    fragments.environment.cache_clear()


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
