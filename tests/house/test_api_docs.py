"""docs/api.md: its commands are carried out one after the other, as a reader would."""

import re
import shlex
from pathlib import Path

import httpx

from tests.people import PASSWORD, MakeUser
from tests.serving import Serving

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "api.md").read_text()
EXAMPLES = ROOT / "examples"
COMMANDS = re.findall(r"^\$ (curl .+)$", DOCUMENT, re.MULTILINE)
WITH_VALUE = {"-u", "-X", "-H", "-d"}


class Reader:
    """Somebody at a shell, with variables; knows what of curl the document uses."""

    def __init__(self, site: str) -> None:
        self.known = {"SITE": site, "TOKEN": "", "REFRESH": ""}

    async def run(self, command: str) -> httpx.Response:
        filled = re.sub(r"\$([A-Z]+)", lambda found: self.known[found[1]], command)
        _, *words = shlex.split(filled)
        given: dict[str, list[str]] = {}
        address = ""
        while words:
            word = words.pop(0)
            if word in WITH_VALUE:
                given.setdefault(word, []).append(words.pop(0))
            elif not word.startswith("-"):
                address = word
        headers = dict(each.split(": ", 1) for each in given.get("-H", []))
        if "-u" in given:
            name = given["-u"][0].partition(":")[0]
            auth = httpx.BasicAuth(name, PASSWORD)
        else:
            auth = None
        body = given.get("-d", [None])[0]
        method = given.get("-X", ["POST" if body else "GET"])[0]
        async with (
            httpx.AsyncClient(auth=auth, headers=headers, trust_env=False, timeout=30) as http,
            http.stream(method, address, content=body) as answer,
        ):
            if answer.headers["Content-Type"].startswith("text/event-stream"):
                async for line in answer.aiter_lines():
                    if line.startswith("event: post.published"):
                        return answer
            await answer.aread()
        return answer


async def test_every_command_does_what_is_said(server: Serving, make_user: MakeUser) -> None:
    await make_user("mina")
    reader = Reader(server.url)
    statuses = []
    for command in COMMANDS:
        answer = await reader.run(command)
        statuses.append(answer.status_code)
        if "/api/tokens" in command:
            said = answer.json()
            reader.known |= {"TOKEN": said["access_token"], "REFRESH": said["refresh_token"]}
        if "short" in command:
            assert set(answer.json()["errors"]) == {"username", "email", "password"}
    assert len(COMMANDS) >= 10
    assert [status for status in statuses if status not in {200, 201}] == [422]


def test_client_of_the_document_is_the_one_that_is_run() -> None:
    (shown,) = re.findall(r"^```python\n(.+?)^```$", DOCUMENT, re.DOTALL | re.MULTILINE)
    program = (EXAMPLES / "follow.py").read_text()
    assert program.endswith(f'"""\n\n{shown}')
    _, _, functions = shown.partition("\n\n\n")
    functions, _, _ = functions.partition("\n\n\nif ")
    assert len([line for line in functions.splitlines() if line]) <= 30


def test_every_example_is_told_of() -> None:
    names = {path.name for path in EXAMPLES.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert {name for name in names if f"(../examples/{name}" in DOCUMENT} == names - {"__pycache__"}
