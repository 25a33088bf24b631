"""A language more: one command, one file, and a server that speaks it, as the document says."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from microblog.cli import main, translate
from tests.services import AppServer, clean_environment

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "translating.md").read_text()
CATALOGUE = "microblog/translations/fr/LC_MESSAGES/messages.po"


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkout of one's own, whose catalogues may be changed."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("microblog", "templates", "static", "alembic"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.pyc"))
    yield folder
    shutil.rmtree(folder)


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env={**clean_environment(), "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def blocks() -> tuple[str, str]:
    """Return the document's command with its output, and its translations."""
    found = re.findall(r"```\n(.+?)\n```", DOCUMENT, re.DOTALL)
    command = next(block for block in found if block.startswith("$ microblog"))
    return command, next(block for block in found if block.startswith("msgid"))


def test_document_s_language_is_begun_filled_in_and_spoken(copied: Path) -> None:
    command, translations = blocks()
    asked, _, answer = command.partition("\n")
    done = run(copied, *asked.removeprefix("$ ").split())
    assert done.returncode == 0, done.stderr
    assert done.stdout.replace(f"{copied.resolve()}/", "") == f"{answer}\n"

    path = copied / CATALOGUE
    catalogue = path.read_text()
    for entry in translations.split("\n\n"):
        empty = re.sub(r'(msgstr(?:\[\d\])?) ".*"', r'\1 ""', entry)
        assert catalogue.count(empty) == 1, entry
        catalogue = catalogue.replace(empty, entry)
    path.write_text(catalogue)

    checked = run(copied, "microblog", "translate", "check")
    assert checked.returncode == 1
    flaws = [line for line in checked.stdout.splitlines() if line.startswith("fr: ")]
    assert all(line.startswith("fr: missing: ") for line in flaws)
    assert "fr: missing: 'Publish'" not in flaws
    assert "fr: missing: 'Home'" in flaws
    updated = run(copied, "microblog", "translate", "update")
    assert f"fr: {len(flaws) + 3} messages, {len(flaws)} to be translated." in updated.stdout
    assert path.read_text() == catalogue
    assert_spoken(copied)


def assert_spoken(copied: Path) -> None:
    """Let somebody who reads French sign up and look around."""
    with AppServer({"PYTHONPATH": str(copied), "MICROBLOG_BCRYPT_ROUNDS": "4"}) as server:
        how = {"base_url": server.url, "timeout": 20, "follow_redirects": True}
        headers = {"Accept-Language": "fr-CA,en;q=0.5"}
        with httpx.Client(**how, headers=headers, trust_env=False) as http:
            page = http.get("/auth/register").text
            token = re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]
            words = "a long enough sentence"
            account = {"username": "mina", "email": "m@example.org", "csrf_token": token}
            page = http.post(
                "/auth/register", data=account | {"password": words, "password2": words}
            ).text
            assert '<html lang="fr"' in page
            assert ">Publier</button>" in page
            assert 'data-one="{n} nouveau message" data-other="{n} nouveaux messages"' in page
            assert "data-many=" in page
            assert ">Home<" in page, "what is not translated is English"
            assert re.search(r'value="fr" lang="fr"[^>]*>Français<', page)
            assert '<option value="ko">Coréen</option>' in page
            assert http.get("/api/nothing").json()["title"] == "Not found"


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("xx", "no language that is known here"),
        ("../fr", "no language that is known here"),
        ("", "no language that is known here"),
        ("en", "English needs no catalogue"),
        ("ko", "is there already"),
        ("ko_KR@x", "no language that is known here"),
    ],
)
def test_language_that_cannot_be_begun_is_refused_in_a_sentence(
    word: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(translate, "TRANSLATIONS", tmp_path)
    translate.path_of("ko").parent.mkdir(parents=True)
    translate.path_of("ko").touch()
    done = CliRunner().invoke(main, ["translate", "init", word])
    assert done.exit_code == 1
    assert told in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["ko"]


@pytest.mark.parametrize(("word", "folder"), [("pt-BR", "pt-BR"), ("zh_Hant", "zh-Hant")])
def test_tag_is_written_as_cldr_writes_it_and_each_language_has_its_plurals(
    word: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(translate, "TRANSLATIONS", tmp_path)
    done = CliRunner().invoke(main, ["translate", "init", word])
    assert done.exit_code == 0, done.output
    source = (tmp_path / folder / "LC_MESSAGES" / "messages.po").read_text()
    assert f'"Language: {folder}' in source
    assert ("msgstr[1]" in source) == (word == "pt-BR")
    assert CliRunner().invoke(main, ["translate", "check"]).exit_code == 1


def test_compiled_catalogue_stands_beside_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = translate.path_of("ko")
    monkeypatch.setattr(translate, "TRANSLATIONS", tmp_path)
    path = translate.path_of("ko")
    path.parent.mkdir(parents=True)
    shutil.copy(source, path)
    done = CliRunner().invoke(main, ["translate", "compile"])
    assert done.exit_code == 0, done.output
    assert "게시".encode() in path.with_suffix(".mo").read_bytes()
