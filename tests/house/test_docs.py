"""The documents say what is so: their links lead somewhere, and their examples run."""

import re
import shlex
from pathlib import Path

import click
import httpx
import pytest

from microblog.cli import main
from microblog.live import inbound, socket, stream
from microblog.realtime import hub
from microblog.settings import declared, variable
from tests.people import PASSWORD, MakeUser
from tests.serving import Serving

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
README = (ROOT / "README.md").read_text()
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    text = document.read_text()
    targets = re.findall(r"\]\(([^)#]+)", text) + re.findall(r'src="([^"]+)"', text)
    missing = [t for t in targets if "://" not in t and not (document.parent / t).exists()]
    assert missing == []


SOURCES = (
    "templates/main/question.html",
    *(f"microblog/{layer}/questions.py" for layer in ("web", "core", "actions", "queries")),
    *("microblog/queries/events.py", "static/js/answers.js"),
)


def test_code_of_the_worked_example_is_the_code_that_runs() -> None:
    document = (ROOT / "docs" / "questions.md").read_text()
    pieces = re.findall(r"^```\w+\n(.+?)^```$", document, re.DOTALL | re.MULTILINE)
    code = "\n".join((ROOT / path).read_text() for path in SOURCES)
    assert [piece for piece in pieces if piece not in code] == []
    assert [path for path in SOURCES if path not in document] == []
    assert len(pieces) >= 10


def test_readme_begins_with_the_two_commands() -> None:
    blocks = re.findall(r"```\n(.+?)\n```", README, re.DOTALL)
    assert blocks[:2] == [
        "pip install uv && uv run microblog serve",
        "pip install uv && uv run pytest",
    ]


def test_every_command_of_the_readme_exists() -> None:
    context = click.Context(main)
    named = set(re.findall(r"`(?:uv run )?microblog ([a-z]+)", README))
    assert named >= {"serve", "demo", "user", "config"}
    assert [name for name in named if main.get_command(context, name) is None] == []


def test_every_variable_of_the_documents_is_a_setting() -> None:
    known = {variable(item.name) for item in declared()}
    known |= {alias for item in declared() for alias in item.metadata["aliases"]}
    named = {
        name
        for document in DOCUMENTS
        for name in re.findall(
            r"\b(MICROBLOG_[A-Z_]+|[A-Z]+_URL|SECRET_KEY)\b", document.read_text()
        )
    }
    assert named >= {"DATABASE_URL", "REDIS_URL", "SECRET_KEY"}
    assert named - known - {"MICROBLOG_ENV_FILE", "MICROBLOG_COPY_TO"} == set()


async def test_api_example_of_the_readme_runs(server: Serving, make_user: MakeUser) -> None:
    await make_user("mina")
    first, second = re.findall(r"^\$ curl (.+)$", README, re.MULTILINE)
    async with httpx.AsyncClient() as http:
        words = shlex.split(first)
        name = words[words.index("-u") + 1].partition(":")[0]
        answer = await http.request(
            words[words.index("-X") + 1], _here(words[-1], server), auth=(name, PASSWORD)
        )
        said = answer.json()
        assert said["expires_in"] == 600
        assert set(re.findall(r'"(\w+)":', README)) <= said.keys()
        words = shlex.split(second)
        header, _, value = words[words.index("-H") + 1].partition(": ")
        value = value.replace("eyJ…", said["access_token"])
        page = await http.get(_here(words[-1], server), headers={header: value})
        assert page.status_code == 200
        assert page.json()["items"] == []


def _here(address: str, server: Serving) -> str:
    return address.replace("http://127.0.0.1:8000", server.url)


def test_architecture_names_every_close_code_that_is_used() -> None:
    used = {
        inbound.BAD_FRAME,
        inbound.TOO_MANY,
        inbound.TOO_LARGE,
        stream.SESSION_ENDED,
        stream.NO_HEARTBEAT,
        stream.POLICY,
        hub.RESTARTING,
        socket.TRY_LATER,
    }
    rows = re.findall(r"^\| ([0-9, ]+) \|", ARCHITECTURE, re.MULTILINE)
    named = {int(code) for row in rows for code in row.split(",")}
    assert used <= named


def test_architecture_names_every_part_of_the_package() -> None:
    package = ROOT / "microblog"
    parts = {p.name for p in package.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    named = set(re.findall(r"`([a-z_]+(?:\.py|/))`", ARCHITECTURE))
    unnamed = {part for part in parts if part not in named and f"{part}/" not in named}
    assert unnamed == {"__init__.py", "__main__.py"}
