"""How a setting is written down: the places where variables stand, and the parsing of each kind.

`settings` and `mail_settings` alone call this. A parser raises ValueError for what it cannot take;
the tables there know the setting's name and an example, so the sentence for the owner is made
there.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from dotenv.parser import parse_stream
from sqlalchemy import URL

from microblog.core.errors import SettingError
from microblog.core.tokens import SHORTEST_KEY_BYTES

Network: TypeAlias = IPv4Network | IPv6Network
ENVIRONMENT = "environment"
_DATABASE_PARTS = ("USER", "PASSWORD", "HOST", "PORT", "DATABASE")
_SWITCHES = {"1": True, "true": True, "yes": True, "on": True} | {
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}
A_LOT = 1_000_000_000
A_CENTURY_OF_DAYS = 36_500
_USUAL_PORTS = {"http": 80, "https": 443}


class Refused(ValueError):
    """A value that cannot be taken; says what it is not."""


# --- How a setting is declared ------------------------------------------------------------------


def setting(
    default: Any,
    read: Callable[[str], Any],
    example: str,
    text: str,
    *aliases: str,
    unit: str = "",
    hidden: bool = False,
) -> Any:
    """Declare a field of a settings class; `hidden` where its value may hold a secret."""
    metadata = {"read": read, "example": example, "text": text, "aliases": aliases, "unit": unit}
    return field(default=default, metadata=metadata | {"hidden": hidden})


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return f"MICROBLOG_{name.upper()}"


# --- Where variables stand ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Layer:
    """A place with variables: the environment, or an env file by its path."""

    place: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: the variable, and the place it stood in."""

    variable: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelt:
    """Settings that know by which variables they came, to name them when one is wrong."""

    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False, repr=False)

    def spelling(self, name: str) -> str:
        """Return the variable that a setting came from, or could come from."""
        found = self.origins.get(name)
        return found.variable if found else variable(name)


def layers(environ: Mapping[str, str], env_file: Path | None) -> list[Layer]:
    """Return the places to look in, the strongest first; raises SettingError.

    The env file is the given one, else the one that `MICROBLOG_ENV_FILE` names, else `.env` in
    the working folder where there is one.
    """
    found = [Layer(ENVIRONMENT, environ)]
    named = env_file or (Path(p) if (p := environ.get("MICROBLOG_ENV_FILE")) else None)
    if named is not None and not named.exists():
        raise SettingError(f"The env file {named} does not exist.")
    path = named or Path(".env")
    if named is not None or path.is_file():
        found.append(Layer(str(path), _read_file(path)))
    return found


def _read_file(path: Path) -> dict[str, str]:
    """Read an env file. A `$` in a value is a `$`: passwords have them."""
    values: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8-sig") as file:
            for binding in parse_stream(file):
                if binding.error:
                    raise SettingError(
                        f"The env file {path} cannot be understood at line "
                        f"{binding.original.line}. A line is for example: "
                        "MICROBLOG_SITE_NAME=Our village"
                    )
                if binding.key is not None and binding.value is not None:
                    values[binding.key] = binding.value
    except UnicodeDecodeError:
        raise SettingError(f"The env file {path} is not in UTF-8.") from None
    except OSError as error:
        raise SettingError(f"The env file {path} cannot be read: {error.strerror}.") from None
    return values


def find(found: list[Layer], names: tuple[str, ...]) -> tuple[str, Origin] | None:
    """Return the strongest raw value of a setting, or None. An empty one counts as not set."""
    for layer in found:
        for name in names:
            if raw := layer.values.get(name, ""):
                return raw, Origin(name, layer.place)
    return None


def database_from_parts(found: list[Layer]) -> tuple[str, Origin] | None:
    """Put an address together from `DB_PROTOCOL`, `DB_USER` …; None where there is no protocol."""
    protocol = find(found, ("DB_PROTOCOL", "DB_PROTOCAL"))
    if protocol is None:
        return None
    parts = [find(found, (f"DB_{part}",)) for part in _DATABASE_PARTS]
    user, password, host, port, database = (part[0] if part else None for part in parts)
    try:
        number = int(port) if port else None
    except ValueError:
        raise SettingError(f"DB_PORT '{port}' is not a number. For example: DB_PORT=5432") from None
    url = URL.create(protocol[0], user, password, host, number, database)
    return url.render_as_string(hide_password=False), protocol[1]


# --- What stands in them -----------------------------------------------------------------------


def text(raw: str) -> str:
    return raw


def folder(raw: str) -> Path:
    try:
        return Path(raw).expanduser()
    except RuntimeError as error:  # "~nobody/": there is no such home
        raise ValueError from error


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from `low` to `high`."""

    def read(raw: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", raw) or not low <= int(raw) <= high:
            raise Refused(f"a whole number from {low} to {high}")
        return int(raw)

    return read


def switch(raw: str) -> bool:
    if raw.lower() not in _SWITCHES:
        raise Refused("true or false")
    return _SWITCHES[raw.lower()]


def one_of(*allowed: str) -> Callable[[str], str]:
    """Return a parser of one word out of several, in any case."""

    def read(raw: str) -> str:
        if raw.lower() not in allowed:
            raise Refused(f"one of {', '.join(allowed)}")
        return raw.lower()

    return read


def some_of(*allowed: str) -> Callable[[str], tuple[str, ...]]:
    """Return a parser of a list of different words, at least one."""

    def read(raw: str) -> tuple[str, ...]:
        found = tuple(dict.fromkeys(words(raw)))
        if not found or set(found) - set(allowed):
            raise Refused(f"a choice of {', '.join(allowed)}")
        return found

    return read


def networks(raw: str) -> tuple[Network, ...]:
    return tuple(ip_network(word) for word in words(raw))


def words(raw: str) -> list[str]:
    """Return the parts of a list, divided by commas or spaces."""
    return [word for word in re.split(r"[\s,]+", raw) if word]


def origin(raw: str) -> str:
    """Return a site's origin as browsers write it: lower case, the usual port left out."""
    parts = urlsplit(raw)
    more = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in _USUAL_PORTS or not parts.hostname or more:
        raise ValueError
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = parts.port in {None, _USUAL_PORTS[parts.scheme]}
    return f"{parts.scheme}://{host}" if usual else f"{parts.scheme}://{host}:{parts.port}"


def address(raw: str) -> str:
    """Return an http address without a slash at its end."""
    parts = urlsplit(raw)
    _ = parts.port  # raises where it is none
    if parts.scheme not in _USUAL_PORTS or not parts.hostname or parts.query or parts.fragment:
        raise Refused("an address that begins with http:// or https://")
    if "@" in parts.netloc:
        raise Refused("an address without a name and a password in it")
    return raw.rstrip("/")


def word(raw: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", raw):
        raise Refused("one word")
    return raw


def key(raw: str) -> str:
    """Return a service's key, which travels in a header."""
    if not re.fullmatch(r"[!-~]{1,500}", raw):
        raise Refused("a key of letters, digits and signs")
    return raw


def secret(raw: str) -> str:
    if len(raw.encode("utf-8", "surrogateescape")) < SHORTEST_KEY_BYTES:
        raise ValueError
    return raw


def secrets(raw: str) -> tuple[str, ...]:
    return tuple(secret(part) for part in raw.split(",") if part)


def redis_url(raw: str) -> str:
    parts = urlsplit(raw)
    if parts.scheme not in {"redis", "rediss", "unix"} or not (parts.netloc or parts.path):
        raise ValueError
    _ = parts.port  # raises where it is none
    return raw


def web_url(raw: str) -> str:
    parts = urlsplit(raw)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError
    _ = parts.port  # raises where it is none
    return raw.rstrip("/")


def index_name(raw: str) -> str:
    if not re.fullmatch("[a-z][a-z0-9_-]{0,39}", raw):
        raise Refused("a name of small letters, digits, - and _")
    return raw
