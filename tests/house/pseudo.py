"""A language that puts brackets around every message: what is outside of them is in none."""

import re
from html.parser import HTMLParser

from babel.support import NullTranslations

ALLOWED = {
    "example",
    "org",
    "Microblog",
    "English",
    "Korean",
    "again",
    "mina",
    "bora",
    "chul",
    "newcomer",
    *("dana", "evan", "fay", "gil", "Spam", "mina_k"),
    *("test", "Firefox", "Linux"),
    "Rain",
    "over",
    "seoul",
    "Seoul",
}
SILENT = {"script", "style", "relative-time", "code", "kbd", "textarea"}
SPOKEN = {"title", "aria-label", "placeholder", "alt"}
# What scripts read and nobody sees; every other data attribute holds words.
TECHNICAL = {
    *("data-language", "data-live-epoch", "data-live-cursor", "data-live-topics"),
    *("data-count", "data-refresh", "data-read", "data-job", "data-state", "data-final"),
    *("data-search", "data-draft", "data-draft-url", "data-people", "data-tags"),
    *("data-search", "data-question", "data-only", "data-similar"),
}
WRAPPED = re.compile("⟦[^⟦⟧]*⟧")
WORD = re.compile("[A-Za-z]{2,}")


class Pseudo(NullTranslations):
    """Puts brackets around every message."""

    def ugettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ungettext(self, singular: str, plural: str, n: int) -> str:
        return f"⟦{singular if n == 1 else plural}⟧"


class Seen(HTMLParser):
    """Collects what a page shows or says."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.silent = 0
        self.names_language = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in SILENT
        # What languages are called is Unicode's to know, not ours to translate.
        self.names_language = tag == "option" and bool(dict(attrs).get("value"))
        for name, value in attrs:
            if name in SPOKEN or (name.startswith("data-") and name not in TECHNICAL):
                self.words.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in SILENT

    def handle_data(self, data: str) -> None:
        if not self.silent and not self.names_language:
            self.words.append(data)


def untranslated(page: str) -> list[str]:
    """Return the words of a page that are in no message."""
    assert "⟦" in page
    return [word for text in Seen(page).words for word in bare(text)]


def bare(text: str) -> list[str]:
    """Return the words of a text that are in no message."""
    while WRAPPED.search(text):
        text = WRAPPED.sub("", text)
    return [word for word in WORD.findall(text) if word not in ALLOWED]
