"""`docs/configuration.md` and `.env.example` say what is so: their lists are the code's, their
examples run.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from quart import Quart

from microblog.cli import reference
from microblog.core.errors import SettingError
from microblog.settings import Settings, declared, variable
from tests.cli.conftest import Run, empty_folder, process, run

__all__ = ["empty_folder", "run"]

ROOT = Path(__file__).parents[2]
PATH = ROOT / "docs" / "configuration.md"
DOCUMENT = PATH.read_text("utf-8")
LIST = DOCUMENT.partition(reference.BEGIN)[2].partition(reference.END)[0]
BLOCKS = [
    re.sub(r"^ {3}", "", block, flags=re.MULTILINE)
    for block in re.findall(r"^ *```(?:python)?\n(.+?)^ *```$", DOCUMENT, re.DOTALL | re.MULTILINE)
]


def block(beginning: str) -> str:
    """Return the one example that begins so."""
    (found,) = [each for each in BLOCKS if each.startswith(beginning)]
    return found


def meant(folder: Path, text: str) -> Settings:
    """Read an example as an env file."""
    path = folder / "example.env"
    path.write_text(text, encoding="utf-8")
    return Settings.from_env({}, path)


# --- The list -----------------------------------------------------------------------------------


def test_list_of_settings_is_that_of_the_code() -> None:
    told = "run: uv run microblog config --document docs/configuration.md"
    assert reference.renewed(DOCUMENT) == DOCUMENT, told


def test_list_has_every_setting_with_all_that_is_to_be_known_of_it() -> None:
    rows = {
        row[0].partition("<br>")[0].strip("`"): row
        for row in (re.split(r" (?<!\\)\| ", line.strip("| ")) for line in LIST.splitlines())
        if row[0].startswith("`MICROBLOG_")
    }
    assert set(rows) == {variable(item.name) for item in declared()}
    assert {len(row) for row in rows.values()} == {6}
    assert all(cell for row in rows.values() for cell in row)
    assert rows["MICROBLOG_POSTS_PER_PAGE"] == [
        "`MICROBLOG_POSTS_PER_PAGE`<br>`POSTS_PER_PAGE`",
        "whole number from 1 to 200",
        "posts",
        "`25`",
        "`25`",
        "Posts on a page of a timeline.",
    ]


def test_list_is_written_by_a_command_where_it_has_its_place(run: Run, empty_folder: Path) -> None:
    (empty_folder / "it.md").write_text(
        f"Before\n{reference.BEGIN}\nOf yesterday\n{reference.END}\nAfter\n"
    )
    run.works("config", "--document", "it.md")
    assert (empty_folder / "it.md").read_text().count("`MICROBLOG_SITE_NAME`") == 1
    assert "Of yesterday" not in (empty_folder / "it.md").read_text()
    (empty_folder / "other.md").write_text("Nothing\n")
    assert "no place for the list" in run.fails("config", "--document", "other.md")


def test_names_that_readers_of_the_tutorial_know_are_understood() -> None:
    known = {alias for item in declared() for alias in item.metadata["aliases"]}
    mail = {f"MAIL_{what}" for what in ("SERVER", "PORT", "USE_TLS", "USERNAME", "PASSWORD")}
    others = {"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "ELASTICSEARCH_URL", "MS_TRANSLATOR_KEY"}
    assert known >= {*mail, *others, "ADMINS", "LANGUAGES", "POSTS_PER_PAGE"}


# --- The examples -------------------------------------------------------------------------------


def test_python_object_makes_an_application() -> None:
    names: dict[str, Any] = {}
    exec(block("from microblog import create_app"), names)
    assert isinstance(names["app"], Quart)


def test_env_file_means_what_is_said(tmp_path: Path) -> None:
    text = block("# A comment.")
    settings = meant(tmp_path, text)
    assert (settings.site_name, settings.posts_per_page) == ("우리 마을", 50)
    parts = meant(tmp_path, text + "DB_PROTOCOL=postgresql\nDB_USER=mina\nDB_HOST=db")
    assert parts.database.password == "p@/:$word"


def test_address_and_its_parts_are_understood(tmp_path: Path) -> None:
    whole = meant(tmp_path, block("DATABASE_URL=")).database
    assert whole.render_as_string() == "postgresql+asyncpg://user:***@host:5432/microblog"
    parts = meant(tmp_path, block("DB_PROTOCOL=")).database
    assert (
        parts.render_as_string() == "mysql+aiomysql://microblog:***@db.example.org:3306/microblog"
    )
    assert parts.password == "p@/:$word"


def test_wrong_value_is_answered_in_these_words(run: Run) -> None:
    said = block("$ POSTS_PER_PAGE=many").splitlines()
    for command in (("serve",), ("config",), ("db", "upgrade")):
        assert f"Error: {run.fails(*command, POSTS_PER_PAGE='many')}" == said[1]
    with pytest.raises(SettingError) as caught:
        Settings.from_env({"POSTS_PER_PAGE": "many"})
    assert f"Error: {caught.value}" == said[1]


def test_env_file_is_named_at_launch_and_by_a_variable(run: Run, empty_folder: Path) -> None:
    launched, loaded = block("microblog --env-file").splitlines()
    (empty_folder / "village.env").write_text(
        f"DATABASE_URL=sqlite:///{empty_folder / 'village.db'}\nMICROBLOG_SITE_NAME=Our village\n"
    )
    first, *words, last = launched.split()
    assert (first, last) == ("microblog", "serve")
    run.env.pop("MICROBLOG_DATABASE_URL", None)
    assert "Our village" in run.works(*words, "config")
    setting, *words = loaded.split()
    name, _, path = setting.partition("=")
    (empty_folder / "alembic.ini").write_text(f"[alembic]\nscript_location = {ROOT / 'alembic'}\n")
    done = process(*words, folder=empty_folder, **{name: path})
    assert done.returncode == 0, done.stderr
    assert (empty_folder / "village.db").stat().st_size > 0
    wrong = process(*words, folder=empty_folder, POSTS_PER_PAGE="many")
    assert (wrong.returncode, "Traceback" in wrong.stderr) == (255, False)
    assert "POSTS_PER_PAGE 'many' is not a whole number" in wrong.stdout + wrong.stderr


def test_quart_finds_the_application_by_its_file_of_switches(empty_folder: Path) -> None:
    (empty_folder / ".quartenv").write_bytes((ROOT / ".quartenv").read_bytes())
    (empty_folder / ".env").write_text("POSTS_PER_PAGE=7\n")
    done = process("quart", "config", folder=empty_folder)
    assert done.returncode == 0, done.stderr
    assert re.search(r"POSTS_PER_PAGE +7 +environment: POSTS_PER_PAGE", done.stdout)


def test_example_of_an_env_file_names_settings_and_good_values(tmp_path: Path) -> None:
    text = (ROOT / ".env.example").read_text()
    chosen = re.sub(r"^#(?=[A-Z_]+=)", "", text, flags=re.MULTILINE)
    named = re.findall(r"^([A-Z_]+)=", chosen, re.MULTILINE)
    assert len(named) == len(set(named)) >= 25
    assert set(named) <= {variable(item.name) for item in declared()}
    chosen = re.sub(r"(MAIL_PASSWORD|TRANSLATOR_KEY)=$", r"\1=word", chosen, flags=re.MULTILINE)
    assert meant(tmp_path, chosen).posts_per_page == 25
    assert meant(tmp_path, text) == Settings()
