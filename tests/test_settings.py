"""Where settings come from, which place wins, and what is said of a wrong one."""

from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from microblog import create_app
from microblog.core import passwords
from microblog.core.errors import SettingError
from microblog.runtime import EXTENSION
from microblog.settings import Settings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, so that no `.env` of the checkout is seen."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def env_file(folder: Path, *lines: str, name: str = "my.env") -> Path:
    path = folder / name
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def refusal(environ: dict[str, str]) -> str:
    with pytest.raises(SettingError) as caught:
        Settings.from_env(environ)
    return str(caught.value)


# --- Precedence --------------------------------------------------------------------------------


def test_without_any_variable_the_defaults_hold() -> None:
    settings = Settings.from_env({})
    assert settings == Settings()
    assert settings.origins == {}
    assert settings.posts_per_page == 25
    assert settings.database.render_as_string() == "sqlite:///var/microblog.db"


def test_env_file_wins_over_the_default(elsewhere: Path) -> None:
    path = env_file(elsewhere, "MICROBLOG_SITE_NAME=Our village")
    settings = Settings.from_env({}, path)
    assert settings.site_name == "Our village"
    assert settings.origins["site_name"].place == str(path)


def test_environment_wins_over_the_env_file(elsewhere: Path) -> None:
    path = env_file(elsewhere, "MICROBLOG_SITE_NAME=file", "POSTS_PER_PAGE=7")
    settings = Settings.from_env({"MICROBLOG_SITE_NAME": "environment"}, path)
    assert settings.site_name == "environment"
    assert settings.origins["site_name"].place == "environment"
    assert settings.posts_per_page == 7


def test_environment_wins_also_by_another_name_of_the_setting(elsewhere: Path) -> None:
    path = env_file(elsewhere, "MICROBLOG_POSTS_PER_PAGE=7")
    assert Settings.from_env({"POSTS_PER_PAGE": "9"}, path).posts_per_page == 9


def test_own_name_wins_over_the_tutorials_name_in_the_same_place() -> None:
    both = {"POSTS_PER_PAGE": "7", "MICROBLOG_POSTS_PER_PAGE": "9"}
    assert Settings.from_env(both).posts_per_page == 9


def test_env_file_is_the_given_one_else_the_named_one_else_that_of_the_folder(
    elsewhere: Path,
) -> None:
    env_file(elsewhere, "MICROBLOG_SITE_NAME=dot", name=".env")
    named = {"MICROBLOG_ENV_FILE": str(env_file(elsewhere, "MICROBLOG_SITE_NAME=named", name="a"))}
    given = env_file(elsewhere, "MICROBLOG_SITE_NAME=given", name="b")
    assert Settings.from_env({}).site_name == "dot"
    assert Settings.from_env(named).site_name == "named"
    assert Settings.from_env(named, given).site_name == "given"


def test_empty_variable_counts_as_not_set(elsewhere: Path) -> None:
    path = env_file(elsewhere, "MICROBLOG_SITE_NAME=file", "REDIS_URL=")
    settings = Settings.from_env({"MICROBLOG_SITE_NAME": ""}, path)
    assert settings.site_name == "file"
    assert settings.redis_url is None


async def test_object_given_to_the_application_wins_over_the_environment(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MICROBLOG_SITE_NAME", "environment")
    app = create_app(replace(settings, site_name="object"))
    async with app.test_app():
        assert app.extensions[EXTENSION].settings.site_name == "object"


async def test_application_without_an_object_reads_the_environment_when_it_starts(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app()
    monkeypatch.setenv("MICROBLOG_SITE_NAME", "environment")
    monkeypatch.setenv("MICROBLOG_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("MICROBLOG_LOG_LEVEL", "error")
    async with app.test_app():
        assert app.extensions[EXTENSION].settings.site_name == "environment"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().site_name = "other"  # type: ignore[misc]


# --- Env files ---------------------------------------------------------------------------------


def test_env_file_may_have_quotes_comments_exports_hangul_and_dollars(elsewhere: Path) -> None:
    path = env_file(
        elsewhere,
        "\ufeff# a comment",
        'export MICROBLOG_SITE_NAME="우리 마을"  # our village',
        "SECRET_KEY='a$b{c}" + "x" * 40 + "'",
    )
    settings = Settings.from_env({}, path)
    assert settings.site_name == "우리 마을"
    assert settings.secret_key == "a$b{c}" + "x" * 40


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"MICROBLOG_SITE_NAME=a\nthis is no line\n", "line 2"),
        (b"MICROBLOG_SITE_NAME=\xff\xfe", "UTF-8"),
    ],
)
def test_broken_env_file_is_refused(elsewhere: Path, content: bytes, told: str) -> None:
    path = elsewhere / "broken.env"
    path.write_bytes(content)
    with pytest.raises(SettingError, match=told) as caught:
        Settings.from_env({}, path)
    assert str(path) in str(caught.value)


def test_env_file_that_is_not_there_or_a_folder_is_refused(elsewhere: Path) -> None:
    assert "absent.env does not exist" in refusal({"MICROBLOG_ENV_FILE": "absent.env"})
    assert "cannot be read" in refusal({"MICROBLOG_ENV_FILE": str(elsewhere)})


# --- The database's address --------------------------------------------------------------------

PARTS = {
    "DB_USER": "mi/na",
    "DB_PASSWORD": "p@/:",
    "DB_HOST": "db.example.org",
    "DB_PORT": "5433",
    "DB_DATABASE": "blog",
}


@pytest.mark.parametrize("name", ["DB_PROTOCOL", "DB_PROTOCAL"])
@pytest.mark.parametrize(
    ("protocol", "driver"),
    [
        ("postgresql", "postgresql+asyncpg"),
        ("postgresql+psycopg2", "postgresql+asyncpg"),
        ("postgres", "postgresql+asyncpg"),
        ("mysql", "mysql+aiomysql"),
        ("mysql+pymysql", "mysql+aiomysql"),
        ("mariadb", "mysql+aiomysql"),
    ],
)
def test_database_may_be_given_in_parts_with_any_password(
    name: str, protocol: str, driver: str
) -> None:
    url = Settings.from_env({name: protocol, **PARTS}).database
    assert url.drivername == driver
    assert (url.username, url.password) == ("mi/na", "p@/:")
    assert (url.host, url.port, url.database) == ("db.example.org", 5433, "blog")


def test_parts_of_the_database_may_stand_in_different_places(elsewhere: Path) -> None:
    path = env_file(elsewhere, *[f"{name}={value}" for name, value in PARTS.items()])
    url = Settings.from_env({"DB_PROTOCOL": "postgresql", "DB_HOST": "other"}, path).database
    assert (url.host, url.password) == ("other", "p@/:")


def test_whole_address_wins_over_the_parts() -> None:
    environ = {"DATABASE_URL": "sqlite:///a.db", "DB_PROTOCOL": "postgresql", **PARTS}
    assert Settings.from_env(environ).database.database == "a.db"


@pytest.mark.parametrize(
    "name",
    [
        "MICROBLOG_DATABASE_URL",
        "DATABASE_URL",
        "SQLALCHEMY_DATABASE_URI",
        "SQLALCHEMY_DATABASE_URL",
    ],
)
@pytest.mark.parametrize(
    ("scheme", "driver"),
    [
        ("postgres", "postgresql+asyncpg"),
        ("postgresql", "postgresql+asyncpg"),
        ("postgresql+psycopg", "postgresql+asyncpg"),
        ("mysql", "mysql+aiomysql"),
        ("mysql+mysqldb", "mysql+aiomysql"),
        ("mariadb+mariadbconnector", "mysql+aiomysql"),
    ],
)
def test_address_is_understood_by_each_name_and_scheme(name: str, scheme: str, driver: str) -> None:
    settings = Settings.from_env({name: f"{scheme}://mina:p%40%2F%3A@localhost/blog"})
    assert settings.database.drivername == driver
    assert settings.database.password == "p@/:"
    assert settings.origins["database_url"].variable == name


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "mysql+pymysql://a:geheim@b",
        "mariadb://a:geheim@b/",
        "mysql://a:geheim@b/c?nonsense=1",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql://a:geheim@b:port/c",
        "postgresql://a:geheim@b:99999/c",
        "oracle://geheim@b",
    ],
)
@pytest.mark.parametrize("name", ["DATABASE_URL", "SQLALCHEMY_DATABASE_URI"])
def test_wrong_address_is_refused_without_telling_its_password(name: str, url: str) -> None:
    told = refusal({name: url})
    assert told.startswith(f"{name} ")
    assert f"For example: {name}=" in told
    assert "geheim" not in told


def test_wrong_part_of_an_address_is_refused_by_its_name() -> None:
    assert "DB_PORT=5432" in refusal({"DB_PROTOCOL": "postgresql", "DB_PORT": "many"})
    told = refusal({"DB_PROTOCOL": "oracle", **PARTS})
    assert "For example: DB_PROTOCOL=postgresql" in told
    told = refusal({"DB_PROTOCOL": "mysql+pymysql", "DB_USER": "mina"})
    assert "DB_PROTOCOL must name a database" in told


# --- What is meant ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://Blog.Example.org/", "https://blog.example.org"),
        ("https://blog.example.org:443", "https://blog.example.org"),
        ("http://blog.example.org:8080", "http://blog.example.org:8080"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
    ],
)
def test_public_address_is_kept_as_browsers_write_an_origin(written: str, meant: str) -> None:
    assert Settings.from_env({"MICROBLOG_PUBLIC_URL": written}).public_url == meant


def test_home_of_the_owner_is_understood_in_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/mina")
    settings = Settings.from_env({"MICROBLOG_DATA_DIR": "~/blog"})
    assert settings.data_dir == Path("/home/mina/blog")


def test_highest_cost_of_a_password_is_one_that_can_be_verified() -> None:
    hashed = passwords.hash_password("a long enough sentence", 4)
    dearest = hashed.replace("$04$", "$16$")
    assert Settings(bcrypt_rounds=16).bcrypt_rounds == 16
    assert passwords._HASH.fullmatch(dearest)


def test_list_may_be_separated_by_spaces_and_keeps_its_order() -> None:
    assert Settings.from_env({"LANGUAGES": "ko en, ko"}).languages == ("ko", "en")
