"""A query as a store is asked it: terms, and how each store writes them.

`queries.search` makes a plan once it knows whose posts are asked for. A store may propose too
much, where it cannot say a term exactly, but never too little: what it proposes is held against
the texts themselves afterwards.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from microblog.core import search_tokens
from microblog.core.search_query import Query
from microblog.core.search_tokens import Term

Subject: TypeAlias = Literal["post", "user"]
Source: TypeAlias = Callable[[int, int], Awaitable[list[int]]]
"""Finds ids below the first argument, greatest first, at most as many as the second says."""

SUBJECTS: tuple[Subject, ...] = ("post", "user")


@dataclass(frozen=True, slots=True)
class Document:
    """What an index keeps of a post or a person: its tokens in order, and when it was made."""

    id: int
    tokens: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """Texts that have all `wanted`, one of `among` if there are any, and none of `unwanted`."""

    wanted: tuple[Term, ...]
    among: tuple[str, ...] = ()
    unwanted: tuple[Term, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


def plan(query: Query, authors: Sequence[int], unwanted_authors: Sequence[int]) -> Plan:
    """Make the plan of a query, whose authors were looked up."""
    marks = tuple(Term((mark,)) for mark in query.marks)
    unwanted = (*query.unwanted_marks, *map(search_tokens.author, unwanted_authors))
    among = tuple(map(search_tokens.author, authors))
    wanted = (*query.terms, *marks)
    return Plan(
        wanted if wanted or among else (Term((search_tokens.EVERY,)),),
        among,
        (*query.unwanted, *(Term((mark,)) for mark in unwanted)),
        query.since,
        query.until,
    )


def matches(asked: Plan, document: Document) -> bool:
    """Tell whether a document is what a plan looks for, as every store should."""

    def says(term: Term) -> bool:
        return any(True for _ in search_tokens.found(term, document.tokens))

    return (
        all(map(says, asked.wanted))
        and (not asked.among or not set(asked.among).isdisjoint(document.tokens))
        and not any(map(says, asked.unwanted))
        and (asked.since is None or document.at >= asked.since)
        and (asked.until is None or document.at < asked.until)
    )


def exact_parts(term: Term) -> tuple[Term, ...]:
    """Return what a store asks instead of a term, where it knows no phrase with an open end."""
    if term.open and len(term.tokens) > 1:
        return Term(term.tokens[:-1]), Term(term.tokens[-1:], open=True)
    return (term,)


def is_exact(term: Term) -> bool:
    """Tell whether every store can say a term as it is."""
    return len(exact_parts(term)) == 1


def fts5(asked: Plan) -> str:
    """Write a plan as SQLite's FTS5 is asked (sqlite.org/fts5.html, 3)."""

    def written(term: Term) -> str:
        return f'"{" ".join(term.tokens)}"{" *" if term.open else ""}'

    parts = [written(term) for term in asked.wanted]
    if asked.among:
        parts.append("(" + " OR ".join(f'"{token}"' for token in asked.among) + ")")
    unwanted = "".join(f" NOT {written(term)}" for term in asked.unwanted)
    return f"({' AND '.join(parts)}){unwanted}"


def tsquery(asked: Plan) -> str:
    """Write a plan as PostgreSQL's `tsquery`."""

    def written(term: Term) -> str:
        words = " <-> ".join(f"'{token}'" for token in term.tokens)
        return f"({words}{':*' if term.open else ''})"

    parts = [written(term) for term in asked.wanted]
    if asked.among:
        parts.append("(" + " | ".join(f"'{token}'" for token in asked.among) + ")")
    parts += [f"!{written(term)}" for term in asked.unwanted]
    return " & ".join(parts)


def tsvector(tokens: Sequence[str]) -> str:
    """Write tokens as PostgreSQL's `tsvector`, each with its places."""
    places: dict[str, list[str]] = {}
    for number, token in enumerate(tokens, 1):
        places.setdefault(token, []).append(str(number))
    return " ".join(f"'{token}':{','.join(found)}" for token, found in places.items())


def boolean_mode(asked: Plan) -> tuple[list[str], list[str]]:
    """Write a plan as MariaDB's full-text searches in boolean mode: those that all must find, and
    those that must not.

    It knows no open phrase, and answers wrongly where a phrase stands beside anything else: so
    each phrase and each beginning is asked apart.
    """
    parts = [each for term in asked.wanted for each in exact_parts(term)]
    simple = [f"+{each.tokens[0]}" for each in parts if _is_simple(each)]
    if asked.among:
        simple.append(f"+({' '.join(asked.among)})")
    wanted = [" ".join(simple)] if simple else []
    wanted += [_in_boolean_mode(each) for each in parts if not _is_simple(each)]
    return wanted, [_in_boolean_mode(term) for term in asked.unwanted if is_exact(term)]


def _is_simple(term: Term) -> bool:
    return len(term.tokens) == 1 and not term.open


def _in_boolean_mode(term: Term) -> str:
    if len(term.tokens) > 1:
        return f'"{" ".join(term.tokens)}"'
    return f"{term.tokens[0]}{'*' if term.open else ''}"
