"""What the owner can set. Read from the environment or an env file by the command line, or at
start where a plain server imports `microblog:app`; handed to `create_app` as one frozen object.

Precedence, highest first: an object given to `create_app`, the environment, the env file
(`MICROBLOG_ENV_FILE` or `--env-file`, else `.env` in the working folder), the default.
"""

import os
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from microblog import database_address, environment, resources, variables
from microblog.access_settings import AccessSettings
from microblog.core.errors import SettingError
from microblog.core.kinds import Refused, words_of
from microblog.mail_settings import MailSettings
from microblog.search_settings import SearchSettings
from microblog.translator_settings import TranslatorSettings
from microblog.variables import (
    A_CENTURY_OF_DAYS,
    A_LOT,
    Network,
    Origin,
    setting,
    variable,
    whole,
)

__all__ = ["LANGUAGES", "Settings", "declared", "variable"]

LANGUAGES = resources.languages()
LOG_LEVELS = ("debug", "info", "warning", "error")
BELLS = ("auto", "memory", "sqlite", "postgres", "redis")
_OWN_BELLS = {"sqlite": "sqlite", "postgresql": "postgres"}  # MariaDB wakes nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(MailSettings, SearchSettings, TranslatorSettings, AccessSettings):
    """Every setting with its default. The variable is `MICROBLOG_` and the name in capitals."""

    data_dir: Path = setting(
        Path("var"),
        variables.folder,
        "var",
        "Folder of the embedded database and of the server's own secret.",
    )
    database_url: str | None = setting(
        None,
        variables.database_url,
        "postgresql://user:password@localhost/microblog",
        "The database. Default: the file microblog.db in the data folder.",
        "DATABASE_URL",
        "SQLALCHEMY_DATABASE_URI",
        "SQLALCHEMY_DATABASE_URL",
        hidden=True,
    )
    redis_url: str | None = setting(
        None,
        variables.redis_url,
        "redis://localhost:6379/0",
        "Redis, which wakes the other processes and machines.",
        "REDIS_URL",
        hidden=True,
    )
    bell: str = setting(
        "auto",
        variables.one_of(*BELLS),
        "postgres",
        "How processes wake one another. auto: by Redis where it is set, else by the database.",
    )
    public_url: str | None = setting(
        None,
        variables.origin,
        "https://blog.example.org",
        "The address people use. Needed behind a proxy and for mail; https makes cookies secure.",
    )
    trusted_proxies: tuple[Network, ...] = setting(
        (),
        variables.networks,
        "127.0.0.1/32",
        "Addresses of proxies whose X-Forwarded-For is believed.",
        unit="networks",
    )
    site_name: str = setting(
        "Microblog", variables.text, "Our village", "The name shown on every page."
    )
    languages: tuple[str, ...] = setting(
        LANGUAGES,
        variables.some_of(*LANGUAGES),
        "en,ko",
        "Languages offered; the first is the default. Without it, all that have a catalogue.",
        "LANGUAGES",
    )
    posts_per_page: int = setting(
        25, whole(1, 200), "25", "Posts on a page of a timeline.", "POSTS_PER_PAGE", unit="posts"
    )
    members_only: bool = setting(
        False, variables.switch, "true", "Whether posts and people are shown to members only."
    )
    sign_up_open: bool = setting(True, variables.switch, "false", "Whether anyone may sign up.")
    session_hours: int = setting(
        24,
        whole(1, 24 * A_CENTURY_OF_DAYS),
        "24",
        "Life of a sign-in, extended while used.",
        unit="hours",
    )
    remember_days: int = setting(
        30,
        whole(1, A_CENTURY_OF_DAYS),
        "30",
        "Life of a sign-in with “remember me”, extended while used.",
        unit="days",
    )
    login_tries: int = setting(
        10,
        whole(1, A_LOT),
        "10",
        "Tries to log in per account and address in five minutes.",
        unit="tries",
    )
    sign_ups_per_hour: int = setting(
        20, whole(1, A_LOT), "20", "Sign-ups per address in an hour.", unit="sign-ups"
    )
    posts_per_minute: int = setting(
        30, whole(1, A_LOT), "30", "Posts that one person may write in a minute.", unit="posts"
    )
    guess_languages: bool = setting(
        True,
        variables.switch,
        "false",
        "Whether the language of a post is guessed by its words too, not by its script alone. "
        "Takes 70 MB of a process in which somebody writes.",
    )
    bcrypt_rounds: int = setting(
        12, whole(4, 16), "12", "Cost of a password hash.", unit="powers of two"
    )
    log_retention_days: int = setting(
        7,
        whole(1, A_CENTURY_OF_DAYS),
        "7",
        "How long the log of events is kept for resuming.",
        unit="days",
    )
    log_retention_events: int = setting(
        1_000_000, whole(1, A_LOT), "1000000", "How many events the log keeps.", unit="events"
    )
    heartbeat_seconds: int = setting(
        25,
        whole(1, A_LOT),
        "25",
        "Time between two heartbeats on a live connection.",
        unit="seconds",
    )
    sockets_per_person: int = setting(
        50,
        whole(1, A_LOT),
        "50",
        "Live connections one person may hold in a process.",
        unit="sockets",
    )
    sockets_per_process: int = setting(
        10_000,
        whole(1, A_LOT),
        "10000",
        "Live connections a process holds at most.",
        unit="sockets",
    )
    requests_per_process: int = setting(
        256,
        whole(1, A_LOT),
        "256",
        "Requests a process works on at once; more are told to come again.",
        unit="requests",
    )
    export_hours: int = setting(
        48,
        whole(1, 168),
        "48",
        "How long the export of somebody's posts can be downloaded.",
        unit="hours",
    )
    jobs_concurrency: int = setting(
        4,
        whole(0, 1_000),
        "0",
        "Jobs a process does at once beside serving; 0 where “microblog jobs” runs elsewhere.",
        unit="jobs",
    )
    pool_size: int = setting(
        5, whole(1, 1_000), "5", "Database connections kept open by a process.", unit="connections"
    )
    pool_overflow: int = setting(
        10, whole(0, 1_000), "10", "Further connections opened under load.", unit="connections"
    )
    pool_timeout_seconds: int = setting(
        5, whole(1, A_LOT), "5", "How long a request waits for a connection.", unit="seconds"
    )
    log_level: str = setting("info", variables.one_of(*LOG_LEVELS), "debug", "How much is logged.")

    def __post_init__(self) -> None:
        """Check every value and give it its normal form; raises SettingError."""
        for item in declared():
            value = getattr(self, item.name)
            # What is no text can only come from a program, which may want half a second.
            if value is not None and not isinstance(value, float):
                object.__setattr__(self, item.name, _read(item, value, self.spelling(item.name)))
        _ = self.database, self.bell_in_use, self.translator_in_use
        self.check_mail()

    @property
    def database(self) -> URL:
        """The database's address with its asynchronous driver."""
        if self.database_url is None:
            return URL.create("sqlite", database=str(self.data_dir / "microblog.db"))
        return database_address.parse(self.database_url, self.spelling("database_url"))

    @property
    def bell_in_use(self) -> str:
        """The bell that is asked for, or that fits; raises SettingError for one that cannot be."""
        vendor = _OWN_BELLS.get(self.database.get_backend_name())
        if self.bell == "auto":
            return (vendor or "memory") if self.redis_url is None else "redis"
        name = self.spelling("bell")
        if self.bell == "redis" and self.redis_url is None:
            raise SettingError(f"{name} is 'redis', and {self.spelling('redis_url')} is not set.")
        if self.bell in {"sqlite", "postgres"} and self.bell != vendor:
            possible = f"memory, redis or {vendor}" if vendor else "memory or redis"
            raise SettingError(
                f"{name} is '{self.bell}', and the database is another: it can be auto, {possible}."
            )
        return self.bell

    @property
    def mails_people(self) -> bool:
        """Whether people can be sent mail, whose links lead to the configured address only."""
        return self.mailer_in_use != "none" and self.public_url is not None

    @property
    def is_secure(self) -> bool:
        """Whether people reach the server over HTTPS only."""
        return self.public_url is not None and self.public_url.startswith("https://")

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str] | None = None, env_file: Path | None = None
    ) -> "Settings":
        """Read the settings from the environment and an env file; raises SettingError."""
        layers = environment.layers(os.environ if environ is None else environ, env_file)
        values: dict[str, Any] = {}
        origins: dict[str, Origin] = {}
        for item in declared():
            found = environment.find(layers, (variable(item.name), *item.metadata["aliases"]))
            if found is None and item.name == "database_url":
                found = environment.database_from_parts(layers)
            if found is not None:
                values[item.name], origins[item.name] = found
        return cls(**values, origins=origins)


def declared() -> list[Field[Any]]:
    """Return the declared settings in order.

    `metadata` has text, unit, example, aliases, and `hidden`, where a value may hold a secret.
    """
    own = [item for item in fields(Settings) if item.name != "origins"]
    outside = {item.name for part in (MailSettings, TranslatorSettings) for item in fields(part)}
    return sorted(own, key=lambda item: item.name in outside)


def _read(item: Field[Any], value: Any, name: str) -> Any:
    raw = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    try:
        return item.metadata["read"](raw)
    except ValueError as error:
        what = str(error) if isinstance(error, Refused) else words_of(item.metadata["read"])
        shown = "" if item.metadata["hidden"] else f" '{raw}'"
        unit = f" ({item.metadata['unit']})" if item.metadata["unit"] else ""
        raise SettingError(
            f"{name}{shown} is not {what}{unit}. For example: {name}={item.metadata['example']}"
        ) from None
