"""`microblog config` and `microblog routes`: what is in force, and what is answered."""

import json
from typing import Any

import pytest

from microblog.cli.config import masked, shown
from microblog.settings import Settings, declared
from tests.cli.conftest import Run

SECRET = "correct horse battery staple " * 2


def as_json(run: Run, *words: str, **env: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(run.works(*words, "config", "--json", **env))
    return found


def test_every_setting_is_shown_with_its_value_and_origin(run: Run, tmp_path: Any) -> None:
    path = tmp_path / "my.env"
    path.write_text("POSTS_PER_PAGE=9\nMICROBLOG_MEMBERS_ONLY=yes\n")
    found = as_json(run, "--env-file", str(path), MICROBLOG_SITE_NAME="우리 마을")
    assert list(found) == [item.name for item in declared()]
    assert found["site_name"] == {
        "variable": "MICROBLOG_SITE_NAME",
        "value": "우리 마을",
        "origin": "environment: MICROBLOG_SITE_NAME",
    }
    assert found["posts_per_page"] == {
        "variable": "POSTS_PER_PAGE",
        "value": 9,
        "origin": f"{path}: POSTS_PER_PAGE",
    }
    assert found["members_only"]["value"] is True
    assert found["languages"] == {
        "variable": "MICROBLOG_LANGUAGES",
        "value": ["en", "ko"],
        "origin": "default",
    }


def test_table_has_a_line_for_each_setting_in_straight_columns(run: Run) -> None:
    head, *lines = run.works("config", MICROBLOG_SITE_NAME="마을").splitlines()
    assert len(lines) == len(declared())
    (hangul,) = [line for line in lines if "마을" in line]
    # Each of the two syllables takes two columns.
    assert hangul.index("environment") == head.index("From") - 2
    assert all("environment" in line or line[head.index("From") :] == "default" for line in lines)


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_secrets_are_masked(run: Run, form: tuple[str, ...]) -> None:
    printed = run.works(
        "config",
        *form,
        MICROBLOG_SECRET_KEY=SECRET,
        MICROBLOG_DATABASE_URL="postgresql://mina:geheim%40@db.example.org/blog?password=geheim",
        MICROBLOG_REDIS_URL="redis://:geheim@cache.example.org:6379/0",
        MS_TRANSLATOR_KEY="geheim-key",
        MAIL_SERVER="localhost",
        MAIL_USERNAME="blog",
        MAIL_PASSWORD="mail-geheim",
        MAIL_FROM="blog@example.org",
        SECRET_KEY_FALLBACKS=SECRET.replace(" ", "-"),
        ELASTICSEARCH_URL="https://elastic:geheim@search.example.org:9200",
    )
    assert "correct horse" not in printed
    assert "correct-horse" not in printed
    assert "https://elastic:***@search.example.org:9200" in printed
    assert "geheim" not in printed
    assert "postgresql+asyncpg://mina:***@db.example.org/blog" in printed
    assert "redis://:***@cache.example.org:6379/0" in printed


def test_password_given_in_parts_is_masked(run: Run) -> None:
    run.env.pop("MICROBLOG_DATABASE_URL", None)
    parts = {"DB_PROTOCOL": "postgresql", "DB_USER": "mina", "DB_PASSWORD": "p@/:geheim"}
    found = as_json(run, **parts, DB_HOST="db", DB_DATABASE="blog")["database_url"]
    assert found["value"] == "postgresql+asyncpg://mina:***@db/blog"
    assert found["origin"] == "environment: DB_PROTOCOL"


def test_secret_that_is_made_is_told_by_its_place(run: Run, settings: Settings) -> None:
    del run.env["MICROBLOG_SECRET_KEY"]
    assert str(settings.data_dir / "secret_key") in as_json(run)["secret_key"]["value"]


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("sqlite:////var/lib/microblog.db", "sqlite:////var/lib/microblog.db"),
        ("redis://cache:6379/0", "redis://cache:6379/0"),
        ("redis://mina:p@cache/0?password=p&db=1", "redis://mina:***@cache/0?password=***&db=1"),
        ("postgresql://mina@/blog?host=/run", "postgresql://mina@/blog?host=/run"),
    ],
)
def test_only_passwords_are_masked_in_an_address(address: str, shown: str) -> None:
    assert masked(address) == shown


def test_misspelt_variable_is_told_with_the_right_one(run: Run) -> None:
    done = run("config", MICROBLOG_SITENAME="x")
    assert done.exit_code == 0
    assert done.stderr == (
        "There is no setting MICROBLOG_SITENAME: it is passed over. "
        "Did you mean MICROBLOG_SITE_NAME?\n"
    )


def test_misspelt_variable_of_the_env_file_is_told_too(run: Run, tmp_path: Any) -> None:
    path = tmp_path / "my.env"
    path.write_text("MICROBLOG_POST_PER_PAGE=9\n")
    done = run("--env-file", str(path), "config")
    assert "Did you mean MICROBLOG_POSTS_PER_PAGE?" in done.stderr


@pytest.mark.parametrize("name", [item.name for item in declared() if item.metadata["hidden"]])
def test_no_hidden_setting_is_shown(name: str) -> None:
    value = ("a-secret-" * 5,) if name == "secret_key_fallbacks" else "x://me:a-secret-@host/"
    if not name.endswith("_url"):
        value = value if isinstance(value, tuple) else "a-secret-" * 5
    settings = Settings()
    object.__setattr__(
        settings, name, value if name != "database_url" else "mysql://a:a-secret-@b/c"
    )
    assert "a-secret-" not in str(shown(settings, name))


def test_routes_shows_methods_path_and_endpoint(run: Run) -> None:
    lines = [line.split() for line in run.works("routes").splitlines()]
    assert lines[0] == ["Methods", "Path", "Endpoint"]
    assert ["GET", "/explore", "timelines.explore"] in lines
    assert ["POST", "/posts", "posts.publish"] in lines
    assert ["WebSocket", "/live", "live.live"] in lines
    paths = [words[-2] for words in lines[1:]]
    assert paths == sorted(paths)
