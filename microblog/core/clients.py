"""What a client calls itself (RFC 9110, 10.1.5), in words by which its owner recognises it."""

from dataclasses import dataclass
from typing import Final

import regex

LONGEST_PROGRAM: Final = 40

# The first that is found counts: most browsers claim to be the ones below them, too.
_BROWSERS = (
    ("Edge", r"Edg(?:e|A|iOS)?/"),
    ("Opera", r"OPR/|Opera"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Whale", r"Whale/"),
    ("Vivaldi", r"Vivaldi/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrome/|CriOS/|Chromium/"),
    ("Safari", r"Version/[\d.]+ .*Safari/"),
)
_SYSTEMS = (
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("Android", r"Android"),
    ("ChromeOS", r"CrOS"),
    ("Windows", r"Windows"),
    ("macOS", r"Macintosh|Mac OS X"),
    ("Linux", r"Linux|X11"),
)
_PROGRAM = regex.compile(r"[A-Za-z][\w .-]*+(?=/|$)")


@dataclass(frozen=True, slots=True)
class Client:
    """A browser and what it runs on, or a program; empty where it does not say."""

    name: str
    system: str = ""


def describe(user_agent: str) -> Client:
    """Say what somebody used; made-up names are cut, and odd ones are nothing."""
    browser, system = _first(_BROWSERS, user_agent), _first(_SYSTEMS, user_agent)
    if browser or user_agent.startswith("Mozilla/"):
        return Client(browser, system)
    program = _PROGRAM.match(user_agent)
    return Client(program[0].strip()[:LONGEST_PROGRAM] if program else "")


def _first(known: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for name, mark in known if regex.search(mark, user_agent)), "")
