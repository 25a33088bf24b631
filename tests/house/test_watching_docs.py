"""docs/watching.md: its commands run, its example is a line of the log, its table is complete."""

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import structlog

from microblog.live.figures import EACH_SECONDS
from microblog.settings import Settings
from tests.serving import Serving, serving

DOCUMENT = (Path(__file__).parents[2] / "docs" / "watching.md").read_text()
HERE = "http://127.0.0.1:8000"


async def test_commands_of_the_document_run(server: Serving) -> None:
    commands = re.findall(r"^\$ (curl .+)$", DOCUMENT, re.MULTILINE)
    assert len(commands) == 3
    async with httpx.AsyncClient() as http:
        for command in commands:
            *_, url = shlex.split(command)
            assert url.startswith(HERE)
            assert (await http.get(url.replace(HERE, server.url))).status_code == 200, command


async def test_table_has_every_figure_with_its_labels(server: Serving) -> None:
    rows = re.findall(r"^\| `(microblog_\w+)` \| ?(.*?) ?\| .+ \|$", DOCUMENT, re.MULTILINE)
    told = {name: re.findall(r"`(\w+)`", labels) for name, labels in rows}
    measures = server.runtime.measures
    measures.jobs.labels("prune", "done").inc()
    measures.mails.labels("sent").inc()
    async with httpx.AsyncClient(base_url=server.url) as http:
        await http.get("/healthz")
        text = (await http.get("/metrics")).text
    kinds: dict[str, str] = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))
    assert kinds.keys() == told.keys()
    for name, labels in told.items():
        sample = name + ("_count" if kinds[name] == "histogram" else "")
        found = re.search(rf"^{sample}(?:\{{(.*)\}})? ", text, re.MULTILINE)
        assert found is not None, name
        assert set(re.findall(r'(\w+)="', found[1] or "")) == set(labels), name


async def test_line_of_the_log_is_as_it_is_shown(settings: Settings, tmp_path: Path) -> None:
    (shown,) = re.findall(r"^(\{\"method\".+\})$", DOCUMENT, re.MULTILINE)
    before = structlog.get_config()
    file = tmp_path / "log"
    try:
        async with (
            serving(replace(settings, log_level="info", log_file=file)) as server,
            httpx.AsyncClient(base_url=server.url) as http,
        ):
            await http.get("/explore")
    finally:
        structlog.configure(**before)
    lines: list[dict[str, Any]] = [json.loads(line) for line in file.read_text().splitlines()]
    (line,) = [line for line in lines if line.get("path") == "/explore"]
    assert [(key, type(value)) for key, value in line.items()] == [
        (key, type(value)) for key, value in json.loads(shown).items()
    ]


def test_numbers_of_the_document_are_those_of_the_program() -> None:
    usual = Settings()
    assert (usual.log_file_bytes, usual.log_files_kept, EACH_SECONDS) == (10_000_000, 10, 2.0)
    assert {
        text for text in ("(10 MB)", "(10)", "every two seconds") if text not in DOCUMENT
    } == set()
