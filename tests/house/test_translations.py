"""The Korean catalogue is complete and fits the code, and errors speak from it."""

import re
from datetime import datetime
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from click.testing import CliRunner
from quart import Quart
from sqlalchemy import text
from werkzeug.datastructures import MultiDict
from wtforms.csrf.session import SessionCSRF

from microblog.cli import main, translate
from microblog.database import Database
from microblog.edge import errors, forms, language
from microblog.queries import schema
from microblog.runtime import EXTENSION
from microblog.web.compose import PostForm
from tests.house.provoked import answers
from tests.people import Visit

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


def check(path: Path, before: str, after: str) -> list[str]:
    """Return what the check has against a catalogue with one change."""
    source = path.read_text()
    assert source.count(before) == 1
    path.write_text(source.replace(before, after))
    done = CliRunner().invoke(main, ["translate", "check"])
    assert done.exit_code == 1
    return done.stdout.splitlines()


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
    assert "ko: missing: 'Publish'" in found


def test_check_names_what_is_fuzzy(copied: Path) -> None:
    found = check(copied, 'msgid "Publish"', '#, fuzzy\nmsgid "Publish"')
    assert "ko: fuzzy: 'Publish'" in found


@pytest.mark.parametrize("mark", ["", "#~ "])
def test_check_names_what_nobody_uses_and_update_takes_it_out(copied: Path, mark: str) -> None:
    unused = f'{mark}msgid "Gone"\n{mark}msgstr "없음"\n\n'
    before = '#: templates/people/edit_profile.html\nmsgid "About me"'
    found = check(copied, before, unused + before)
    assert "ko: obsolete: 'Gone'" in found
    assert CliRunner().invoke(main, ["translate", "update"]).exit_code == 0
    assert "Gone" not in copied.read_text()


@pytest.mark.parametrize(
    "wrong", ["%(names)s 님의 글", "글", "%(name)d 님의 글", "100% %(name)s", "<b>%(name)s"]
)
def test_check_names_what_has_other_places_or_markup(copied: Path, wrong: str) -> None:
    found = check(copied, 'msgstr "%(name)s 님의 글"', f'msgstr "{wrong}"')
    assert "ko: other places or markup than in English: 'Post by %(name)s'" in found


def test_init_begins_a_catalogue_that_is_not_there(copied: Path) -> None:
    copied.unlink()
    assert CliRunner().invoke(main, ["translate", "init", "ko"]).exit_code == 0
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
