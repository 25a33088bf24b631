"""No word outside a message in what is no page: problems of the API, mails, scripts."""

import re
from pathlib import Path
from typing import Any

import pytest
from quart import Quart

from microblog.database import Database
from microblog.settings import Settings
from tests.api.programs import Program
from tests.house.provoked import answers
from tests.house.pseudo import SPOKEN, WRAPPED, bare
from tests.people import MakeUser, Visit, access_token

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*") if path.is_file())
SCRIPTS = sorted((ROOT / "static" / "js").rglob("*.js"))
JSON = {"Accept": "application/json"}

# What is left of a template without its logic, its comments and its markup.
LOGIC = re.compile(r"{#.*?#}|{%.*?%}|{{.*?}}", re.DOTALL)
UNSEEN = re.compile(r"<(script|style|code|kbd)\b.*?</\1>|<![^>]*>", re.DOTALL)
ATTRIBUTE = re.compile(rf'\s(?:{"|".join(sorted(SPOKEN))})="([^"]*)"')
MARKUP = re.compile(r"<[^>]*>")

COMMENT = re.compile(r"/\*.*?\*/|(?<![:'\"])//[^\n]*", re.DOTALL)
LITERAL = re.compile(r"'([^'\n]*)'|\"([^\"\n]*)\"|`([^`]*)`")
# Two words and more that begin like a sentence, or one that ends like one.
SENTENCE = re.compile(r"[A-Z][a-z]+(?:,? [A-Za-z]+)+|[A-Za-z]{2,}[.!?…]$")


def words_of_template(source: str) -> list[str]:
    text = UNSEEN.sub(" ", LOGIC.sub(" ", source))
    return bare(" ".join([*ATTRIBUTE.findall(text), MARKUP.sub(" ", text)]))


def sentences_of_script(source: str) -> list[str]:
    literals = ("".join(found) for found in LITERAL.findall(COMMENT.sub("", source)))
    return [text for text in literals if SENTENCE.search(text)]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_template_has_no_words_outside_its_messages(path: Path) -> None:
    assert words_of_template(path.read_text()) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_script_takes_its_sentences_from_the_page(path: Path) -> None:
    assert sentences_of_script(path.read_text()) == []


def test_words_that_stand_there_are_found() -> None:
    mail = 'Dear {{ name }},\n{% if new %}{{ _("Welcome") }}{% endif %} {# a note #} https'
    assert words_of_template(mail) == ["Dear", "https"]
    assert words_of_template('<p title="Good {{ x }}" class="no">{{ _("day") }}</p>') == ["Good"]
    script = (
        "say('Post deleted') // Not this\n/* Nor this one */ fetch('/a b', 'POST'); x = 'Done.'"
    )
    assert sentences_of_script(script) == ["Post deleted", "Done."]


# --- The API -------------------------------------------------------------------------------------


def said(problem: dict[str, Any]) -> list[str]:
    """Return all sentences of a problem; `error` is the status in English, for programs."""
    fields = [one for found in problem.get("errors", {}).values() for one in found]
    return [problem["title"], problem["detail"], problem["message"], *fields]


async def test_no_problem_of_a_page_has_words_of_its_own(
    pseudo: None, app: Quart, visit: Visit
) -> None:
    for answer in (await answers(app, await visit(), JSON)).values():
        for sentence in said(await answer.get_json()):
            assert WRAPPED.search(sentence)
            assert bare(sentence) == [], sentence


async def test_no_problem_of_the_api_has_words_of_its_own(
    pseudo: None, app: Quart, database: Database, settings: Settings, make_user: MakeUser
) -> None:
    mina = await make_user("mina")
    program = Program(app, await access_token(database, settings, mina))
    account = {"username": "а", "email": "x", "password": "short"}
    headers = {"Idempotency-Key": "x" * 201}
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/api/posts", {"json": {}}),
        ("POST", "/api/posts", {"json": {"body": 5, "more": 1, "language": "xx"}}),
        ("POST", "/api/posts", {"json": {"body": "", "language": None}}),
        ("POST", "/api/posts", {"json": {"body": "1", "language": "xx"}}),
        ("POST", "/api/posts", {"json": {"body": "1"}, "headers": headers}),
        ("POST", "/api/posts", {"json": [1]}),
        ("POST", "/api/posts", {"data": b"{"}),
        ("POST", "/api/users", {"json": account}),
        ("POST", "/api/tokens", {"auth": ("mina", "wrong")}),
        ("PUT", "/api/tokens", {"json": {"refresh_token": "x"}}),
        ("PUT", "/api/me/following/mina", {}),
        ("GET", "/api/users?page=0", {}),
        ("GET", "/api/posts?before=x", {}),
        ("GET", "/api/posts/0", {}),
        ("GET", "/api/nothing", {}),
        ("PATCH", "/api/posts", {}),
        ("POST", "/api/posts/1/translation", {"json": {"to": "xx"}}),
    ]
    for method, path, how in calls:
        answer = await program.call(method, path, **how)
        assert answer.status_code >= 400, (method, path)
        for sentence in said(await answer.get_json(force=True)):
            assert WRAPPED.search(sentence), (method, path, sentence)
            assert bare(sentence) == [], (method, path, sentence)
