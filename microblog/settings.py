"""What the owner can set. Read from the environment or an env file by the command line, or at
start where a plain server imports `microblog:app`; handed to `create_app` as one frozen object.

Precedence, highest first: an object given to `create_app`, the environment, the env file
(`MICROBLOG_ENV_FILE` or `--env-file`, else `.env` in the working folder), the default.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from microblog.core.errors import SettingError
from microblog.core.tokens import SHORTEST_KEY_BYTES

Network = IPv4Network | IPv6Network
_ASYNC_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_DATABASE_PARTS = ("USER", "PASSWORD", "HOST", "PORT", "DATABASE")


def _text(raw: str) -> str:
    return raw


def _whole(raw: str) -> int:
    value = int(raw)
    if value < 0:
        raise ValueError
    return value


def _positive(raw: str) -> int:
    value = int(raw)
    if value < 1:
        raise ValueError
    return value


def _switch(raw: str) -> bool:
    return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[
        raw.lower()
    ]


def _words(raw: str) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[\s,]+", raw) if word)


def _networks(raw: str) -> tuple[Network, ...]:
    return tuple(ip_network(word) for word in _words(raw))


def _origin(raw: str) -> str:
    parts = urlsplit(raw)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path not in {"", "/"}:
        raise ValueError
    return f"{parts.scheme}://{parts.netloc}"


def _secret(raw: str) -> str:
    if len(raw.encode()) < SHORTEST_KEY_BYTES:
        raise ValueError
    return raw


def database_url(raw: str) -> URL:
    """Parse a database address and give it the driver this program uses; raises SettingError."""
    try:
        url = make_url(raw)
    except ArgumentError:
        raise SettingError("DATABASE_URL is not an address like postgresql://…") from None
    vendor = "postgresql" if url.drivername.startswith("postgres") else url.get_backend_name()
    if vendor not in _ASYNC_DRIVERS:
        raise SettingError(
            f"DATABASE_URL names '{url.drivername}'. Use sqlite:///file.db or postgresql://…"
        )
    if vendor == "sqlite" and url.database in {None, "", ":memory:"}:
        raise SettingError("DATABASE_URL must name a file, for example sqlite:///var/microblog.db")
    return url.set(drivername=_ASYNC_DRIVERS[vendor])


def _setting(
    default: Any, read: Callable[[str], Any], example: str, text: str, *aliases: str, unit: str = ""
) -> Any:
    metadata = {"read": read, "example": example, "text": text, "aliases": aliases, "unit": unit}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting with its default. The variable is `MICROBLOG_` and the name in capitals."""

    data_dir: Path = _setting(
        Path("var"), Path, "var", "Folder of the embedded database and of the server's own secret."
    )
    database_url: str | None = _setting(
        None,
        _text,
        "postgresql://user:password@localhost/microblog",
        "The database. Default: the file microblog.db in the data folder.",
        "DATABASE_URL",
        "SQLALCHEMY_DATABASE_URI",
        "SQLALCHEMY_DATABASE_URL",
    )
    redis_url: str | None = _setting(
        None,
        _text,
        "redis://localhost:6379/0",
        "Redis, which wakes the other processes and machines.",
        "REDIS_URL",
    )
    secret_key: str | None = _setting(
        None,
        _secret,
        "the output of: openssl rand -hex 32",
        "Signs cookies and tokens. Default: made at the first start and kept in the data folder.",
        "SECRET_KEY",
        unit="at least 32 bytes",
    )
    public_url: str | None = _setting(
        None,
        _origin,
        "https://blog.example.org",
        "The address people use. Needed behind a proxy; https makes cookies secure.",
    )
    trusted_proxies: tuple[Network, ...] = _setting(
        (),
        _networks,
        "127.0.0.1/32",
        "Addresses of proxies whose X-Forwarded-For is believed.",
        unit="networks",
    )
    site_name: str = _setting("Microblog", _text, "Our village", "The name shown on every page.")
    languages: tuple[str, ...] = _setting(
        ("en", "ko"), _words, "en,ko", "Languages offered; the first is the default.", "LANGUAGES"
    )
    posts_per_page: int = _setting(
        25, _positive, "25", "Posts on a page of a timeline.", "POSTS_PER_PAGE", unit="posts"
    )
    members_only: bool = _setting(
        False, _switch, "true", "Whether posts and people are shown to members only."
    )
    sign_up_open: bool = _setting(True, _switch, "false", "Whether anyone may sign up.")
    session_hours: int = _setting(
        24, _positive, "24", "Life of a sign-in, extended while used.", unit="hours"
    )
    remember_days: int = _setting(
        30,
        _positive,
        "30",
        "Life of a sign-in with “remember me”, extended while used.",
        unit="days",
    )
    access_token_seconds: int = _setting(
        600, _positive, "600", "Life of an access token of the API.", unit="seconds"
    )
    refresh_token_days: int = _setting(
        30, _positive, "30", "Life of a refresh token of the API.", unit="days"
    )
    login_tries: int = _setting(
        10,
        _positive,
        "10",
        "Tries to log in per account and address in five minutes.",
        unit="tries",
    )
    sign_ups_per_hour: int = _setting(
        20, _positive, "20", "Sign-ups per address in an hour.", unit="sign-ups"
    )
    posts_per_minute: int = _setting(
        30, _positive, "30", "Posts that one person may write in a minute.", unit="posts"
    )
    bcrypt_rounds: int = _setting(
        12, _positive, "12", "Cost of a password hash.", unit="powers of two"
    )
    log_retention_days: int = _setting(
        7, _positive, "7", "How long the log of events is kept for resuming.", unit="days"
    )
    log_retention_events: int = _setting(
        1_000_000, _positive, "1000000", "How many events the log keeps.", unit="events"
    )
    heartbeat_seconds: int = _setting(
        25, _positive, "25", "Time between two heartbeats on a live connection.", unit="seconds"
    )
    sockets_per_person: int = _setting(
        50, _positive, "50", "Live connections one person may hold in a process.", unit="sockets"
    )
    sockets_per_process: int = _setting(
        10_000, _positive, "10000", "Live connections a process holds at most.", unit="sockets"
    )
    pool_size: int = _setting(
        5, _positive, "5", "Database connections kept open by a process.", unit="connections"
    )
    pool_overflow: int = _setting(
        10, _whole, "10", "Further connections opened under load.", unit="connections"
    )
    pool_timeout_seconds: int = _setting(
        5, _positive, "5", "How long a request waits for a connection.", unit="seconds"
    )
    log_level: str = _setting("info", str.lower, "debug", "How much is logged.")

    origins: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def database(self) -> URL:
        """The database's address with its asynchronous driver."""
        if self.database_url is None:
            return URL.create("sqlite+aiosqlite", database=str(self.data_dir / "microblog.db"))
        return database_url(self.database_url)

    @property
    def is_secure(self) -> bool:
        """Whether people reach the server over HTTPS only."""
        return self.public_url is not None and self.public_url.startswith("https://")

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str] | None = None, env_file: Path | None = None
    ) -> "Settings":
        """Read the settings from the environment and an env file; raises SettingError."""
        environ = os.environ if environ is None else environ
        layers = [("environment", dict(environ)), *_env_file(environ, env_file)]
        values: dict[str, Any] = {}
        origins: dict[str, str] = {}
        for item in declared():
            for name, raw, origin in _given(item, layers):
                values[item.name] = _read(item, name, raw)
                origins[item.name] = f"{origin}: {name}"
                break
        if values.get("database_url") is None and (parts := _database_from_parts(layers)):
            values["database_url"], origins["database_url"] = parts, "DB_* variables"
        settings = cls(**values, origins=origins)
        settings.check()
        return settings

    def check(self) -> None:
        """Refuse values that contradict one another; raises SettingError."""
        _ = self.database
        if self.redis_url and urlsplit(self.redis_url).scheme not in {"redis", "rediss", "unix"}:
            raise SettingError("REDIS_URL must look like redis://localhost:6379/0")
        if not self.languages or set(self.languages) - {"en", "ko"}:
            raise SettingError("LANGUAGES may name en and ko, for example: en,ko")
        if self.log_level not in {"debug", "info", "warning", "error"}:
            raise SettingError("MICROBLOG_LOG_LEVEL is debug, info, warning or error")
        if not 4 <= self.bcrypt_rounds <= 20:
            raise SettingError("MICROBLOG_BCRYPT_ROUNDS lies between 4 and 20, for example 12")


def declared() -> list[Field[Any]]:
    """Return the declared settings in order; `metadata` has text, unit, example and aliases."""
    return [item for item in fields(Settings) if item.name != "origins"]


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return f"MICROBLOG_{name.upper()}"


def _env_file(
    environ: Mapping[str, str], env_file: Path | None
) -> list[tuple[str, dict[str, str]]]:
    named = env_file or (Path(p) if (p := environ.get("MICROBLOG_ENV_FILE")) else None)
    if named is not None and not named.is_file():
        raise SettingError(f"The env file {named} does not exist.")
    path = named or Path(".env")
    if not path.is_file():
        return []
    read = dotenv_values(path, interpolate=False)
    return [(str(path), {key: value for key, value in read.items() if value is not None})]


def _given(
    item: Field[Any], layers: list[tuple[str, dict[str, str]]]
) -> list[tuple[str, str, str]]:
    """Return (variable, raw value, layer) for each place that sets `item`, the strongest first."""
    names = (variable(item.name), *item.metadata["aliases"])
    return [
        (name, values[name], layer)
        for layer, values in layers
        for name in names
        if values.get(name, "") != ""
    ]


def _read(item: Field[Any], name: str, raw: str) -> Any:
    try:
        return item.metadata["read"](raw)
    except (ValueError, KeyError):
        shown = "" if item.name == "secret_key" else f" '{raw}'"
        unit = f" ({item.metadata['unit']})" if item.metadata["unit"] else ""
        raise SettingError(
            f"{name}{shown} is not valid{unit}. For example: {name}={item.metadata['example']}"
        ) from None


def _database_from_parts(layers: list[tuple[str, dict[str, str]]]) -> str | None:
    merged: dict[str, str] = {}
    for _, values in reversed(layers):
        merged |= values
    protocol = merged.get("DB_PROTOCOL") or merged.get("DB_PROTOCAL")
    if not protocol:
        return None
    user, password, host, port, database = (merged.get(f"DB_{part}") for part in _DATABASE_PARTS)
    try:
        number = int(port) if port else None
    except ValueError:
        raise SettingError(f"DB_PORT '{port}' is not a number. For example: DB_PORT=5432") from None
    url = URL.create(protocol, user, password, host, number, database)
    return url.render_as_string(hide_password=False)
