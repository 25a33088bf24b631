"""How a setting is written down: its variable, where it came from, and the parsing of each kind.

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

from microblog.core.kinds import Refused, kind
from microblog.core.tokens import SHORTEST_KEY_BYTES

Network: TypeAlias = IPv4Network | IPv6Network
_SWITCHES = {"1": True, "true": True, "yes": True, "on": True} | {
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}
A_LOT = 1_000_000_000
A_CENTURY_OF_DAYS = 36_500
_USUAL_PORTS = {"http": 80, "https": 443}


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


# --- Where a value came from -------------------------------------------------------------------


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


# --- What stands in them -----------------------------------------------------------------------


@kind("a text")
def text(raw: str) -> str:
    return raw


@kind("an address of a database")
def database_url(raw: str) -> str:
    return raw  # the settings make more of it, once the whole is known


@kind("a path")
def folder(raw: str) -> Path:
    try:
        return Path(raw).expanduser()
    except RuntimeError as error:  # "~nobody/": there is no such home
        raise ValueError from error


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from `low` to `high`."""

    @kind(f"a whole number from {low} to {high}")
    def read(raw: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", raw) or not low <= int(raw) <= high:
            raise ValueError
        return int(raw)

    return read


@kind("true or false")
def switch(raw: str) -> bool:
    if raw.lower() not in _SWITCHES:
        raise ValueError
    return _SWITCHES[raw.lower()]


def one_of(*allowed: str) -> Callable[[str], str]:
    """Return a parser of one word out of several, in any case."""

    @kind(f"one of {', '.join(allowed)}")
    def read(raw: str) -> str:
        if raw.lower() not in allowed:
            raise ValueError
        return raw.lower()

    return read


def some_of(*allowed: str) -> Callable[[str], tuple[str, ...]]:
    """Return a parser of a list of different words, at least one."""

    @kind(f"a choice of {', '.join(allowed)}")
    def read(raw: str) -> tuple[str, ...]:
        found = tuple(dict.fromkeys(words(raw)))
        if not found or set(found) - set(allowed):
            raise ValueError
        return found

    return read


@kind("a list of networks")
def networks(raw: str) -> tuple[Network, ...]:
    return tuple(ip_network(word) for word in words(raw))


def words(raw: str) -> list[str]:
    """Return the parts of a list, divided by commas or spaces."""
    return [word for word in re.split(r"[\s,]+", raw) if word]


@kind("an address of a site, https:// and its name")
def origin(raw: str) -> str:
    """Return a site's origin as browsers write it: lower case, the usual port left out."""
    parts = urlsplit(raw)
    more = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in _USUAL_PORTS or not parts.hostname or more:
        raise ValueError
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = parts.port in {None, _USUAL_PORTS[parts.scheme]}
    return f"{parts.scheme}://{host}" if usual else f"{parts.scheme}://{host}:{parts.port}"


@kind("an address that begins with http:// or https://")
def address(raw: str) -> str:
    """Return an http address without a slash at its end."""
    parts = urlsplit(raw)
    _ = parts.port  # raises where it is none
    if parts.scheme not in _USUAL_PORTS or not parts.hostname or parts.query or parts.fragment:
        raise ValueError
    if "@" in parts.netloc:
        raise Refused("an address without a name and a password in it")
    return raw.rstrip("/")


@kind("one word")
def word(raw: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", raw):
        raise ValueError
    return raw


@kind("a key of letters, digits and signs")
def key(raw: str) -> str:
    """Return a service's key, which travels in a header."""
    if not re.fullmatch(r"[!-~]{1,500}", raw):
        raise ValueError
    return raw


@kind("a secret")
def secret(raw: str) -> str:
    if len(raw.encode("utf-8", "surrogateescape")) < SHORTEST_KEY_BYTES:
        raise ValueError
    return raw


@kind("a list of secrets")
def secrets(raw: str) -> tuple[str, ...]:
    return tuple(secret(part) for part in raw.split(",") if part)


@kind("an address that begins with redis://, rediss:// or unix://")
def redis_url(raw: str) -> str:
    parts = urlsplit(raw)
    if parts.scheme not in {"redis", "rediss", "unix"} or not (parts.netloc or parts.path):
        raise ValueError
    _ = parts.port  # raises where it is none
    return raw


@kind("an address that begins with http:// or https://")
def web_url(raw: str) -> str:
    parts = urlsplit(raw)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError
    _ = parts.port  # raises where it is none
    return raw.rstrip("/")


@kind("a name of small letters, digits, - and _")
def index_name(raw: str) -> str:
    if not re.fullmatch("[a-z][a-z0-9_-]{0,39}", raw):
        raise ValueError
    return raw
