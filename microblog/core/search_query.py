"""The language in which people search. Pages and API parse with it, `queries.search` answers.

    rain "heavy rain" -snow #seoul @mina from:bora has:link lang:ko before:2026-02 after:2025-12-24

A new operator is one function and its line in `OPERATORS`; what is no operator is text, so that
"12:30" and "https://example.org" can be looked for.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from microblog.core import names, search_tokens
from microblog.core.errors import Invalid, Message, message
from microblog.core.markup import tag_name
from microblog.core.questions import STATES
from microblog.core.search_tokens import Term

LONGEST_QUERY: Final = 200
"""Characters of a query."""

MOST_PARTS: Final = 20
"""Parts of a query: words, phrases, operators."""

ME: Final = "me"

_PART = re.compile(
    r'(?P<minus>-?)(?:(?P<operator>[A-Za-z]+):(?P<value>"[^"]*"?|\S*)|"(?P<phrase>[^"]*)"?'
    r"|(?P<word>\S+))"
)
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", re.ASCII)
_IS: Final = {
    "question": search_tokens.QUESTION,
    **{state: search_tokens.question(state) for state in STATES},
}
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}", re.ASCII)


@dataclass(slots=True)
class Query:
    """What is looked for.

    `terms` and `unwanted` are of the text; `marks` and `unwanted_marks` are tokens of what a post
    is. Posts are by one of `authors` (usernames, or `ME`) where there are any, by none of
    `unwanted_authors`, not before `since`, and before `until`.
    """

    text: str = ""
    terms: list[Term] = field(default_factory=list)
    unwanted: list[Term] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    unwanted_marks: list[str] = field(default_factory=list)
    authors: list[str] = field(default_factory=list)
    unwanted_authors: list[str] = field(default_factory=list)
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked for."""
        return not self.text


class _Refused(Exception):
    """A part that cannot be understood, with the sentence that says so."""

    def __init__(self, sentence: Message) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def parse(text: str) -> Query:
    """Understand a query; raises Invalid for the field `q`, with all that is wrong with it."""
    text = " ".join(text.replace("\0", " ").split())
    query = Query(text)
    if len(text) > LONGEST_QUERY:
        raise _invalid(
            message("This is too long: %(limit)s characters at most.", limit=LONGEST_QUERY)
        )
    parts = list(_PART.finditer(text))
    if len(parts) > MOST_PARTS:
        raise _invalid(message("These are too many parts: %(limit)s at most.", limit=MOST_PARTS))
    problems = []
    for part in parts:
        try:
            _take(query, part)
        except _Refused as refused:
            problems.append(refused.sentence)
    if problems:
        raise _invalid(*problems)
    if text and not _asks(query):
        raise _invalid(message("Nothing of this can be found. Write letters, numbers or emoji."))
    return query


def names_of(text: str) -> Term | None:
    """Return what finds people and tags: all of the text, whose last word may go on."""
    return search_tokens.term(text[:LONGEST_QUERY], unfinished=True)


def _invalid(*sentences: Message) -> Invalid:
    return Invalid({"q": list(sentences)})


def _asks(query: Query) -> bool:
    found = (query.terms, query.unwanted, query.marks, query.unwanted_marks, query.authors)
    return any(found) or bool(query.unwanted_authors or query.since or query.until)


def _take(query: Query, part: re.Match[str]) -> None:
    wanted = not part["minus"]
    operator = (part["operator"] or "").lower()
    if operator in OPERATORS:
        OPERATORS[operator](query, part["value"].strip('"'), wanted)
    elif part["phrase"] is not None:
        _text(query, part["phrase"], wanted)
    else:
        _word(query, part[0].removeprefix("-"), wanted)


def _word(query: Query, word: str, wanted: bool) -> None:
    marks = query.marks if wanted else query.unwanted_marks
    name = tag_name(word[1:]) if word.startswith("#") else None
    if name is not None:
        marks.append(search_tokens.tag(name))
    elif word.startswith("@") and re.fullmatch(names.USERNAME_PATTERN, word[1:]):
        marks.append(search_tokens.mention(word[1:]))
    else:
        _text(query, word, wanted)


def _text(query: Query, text: str, wanted: bool) -> None:
    term = search_tokens.term(text)
    if term is not None:
        (query.terms if wanted else query.unwanted).append(term)


# --- Operators ----------------------------------------------------------------------------------


def _from(query: Query, value: str, wanted: bool) -> None:
    name = value.removeprefix("@")
    if name.lower() != ME and not re.fullmatch(names.USERNAME_PATTERN, name):
        raise _Refused(message("“from:” needs a username, for example from:mina or from:me."))
    (query.authors if wanted else query.unwanted_authors).append(name.lower())


def _has(query: Query, value: str, wanted: bool) -> None:
    if value.lower() != "link":
        raise _Refused(message("“has:” knows this only: has:link."))
    (query.marks if wanted else query.unwanted_marks).append(search_tokens.LINK)


def _is(query: Query, value: str, wanted: bool) -> None:
    mark = _IS.get(value.lower())
    if mark is None:
        raise _Refused(message("“is:” knows these: is:question, is:open, is:answered."))
    (query.marks if wanted else query.unwanted_marks).append(mark)


def _lang(query: Query, value: str, wanted: bool) -> None:
    if not _LANGUAGE.fullmatch(value):
        raise _Refused(message("“lang:” needs the code of a language, for example lang:ko."))
    (query.marks if wanted else query.unwanted_marks).append(search_tokens.language(value))


def _before(query: Query, value: str, wanted: bool) -> None:
    begins, _ = _period("before", value)
    if wanted:
        query.until = begins if query.until is None else min(query.until, begins)
    else:
        query.since = begins if query.since is None else max(query.since, begins)


def _after(query: Query, value: str, wanted: bool) -> None:
    _, ends = _period("after", value)
    if wanted:
        query.since = ends if query.since is None else max(query.since, ends)
    else:
        query.until = ends if query.until is None else min(query.until, ends)


def _period(operator: str, value: str) -> tuple[datetime, datetime]:
    """Return when a day, a month or a year begins and when it has ended, in UTC."""
    found = _DATE.fullmatch(value)
    try:
        if found is None:
            raise ValueError
        year, month, day = (int(part) if part else None for part in found.groups())
        begins = datetime(year or 0, month or 1, day or 1, tzinfo=UTC)
        if day:
            return begins, begins + timedelta(days=1)
        if month:
            return begins, (begins + timedelta(days=31)).replace(day=1)
        return begins, begins.replace(year=begins.year + 1)
    except (ValueError, OverflowError):
        raise _Refused(
            message(
                "“%(written)s” is no date. Write it like this: %(operator)s:2026-01-31.",
                written=value,
                operator=operator,
            )
        ) from None


OPERATORS: Final[dict[str, Callable[[Query, str, bool], None]]] = {
    "from": _from,
    "has": _has,
    "is": _is,
    "lang": _lang,
    "before": _before,
    "after": _after,
}
"""What each operator adds to a query; called with its value and whether it is wanted."""
