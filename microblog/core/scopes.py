"""What a token may be used for, and how one that a person makes is to be.

Who signs in with a password may do everything. A token that somebody makes for a program has
scopes, and whatever its scopes are it cannot take the account over.
"""

from collections.abc import Collection

from microblog.core import names
from microblog.core.errors import Forbidden, Invalid, Message, message
from microblog.core.tokens import random_token

READ, WRITE, LIVE, ADMIN = "read", "write", "live", "admin"
SCOPES = (READ, WRITE, LIVE, ADMIN)
PASSWORD = "password"  # noqa: S105 - what no made token may: it takes a sign-in with the password
MOST_TOKENS = 50
DAYS = (7, 30, 90, 365)
"""For how long a token may be made to last; 0 stands for always."""
PREFIX = "mbt_"
"""Begins every made token: where one leaks, programs that look for secrets find it."""


class OutOfScope(Forbidden):
    """Say that a token may not be used for this, and which scope that takes."""

    def __init__(self, scope: str) -> None:
        if scope == PASSWORD:
            super().__init__(message("This takes tokens that were got with the password."))
        else:
            super().__init__(message("This token lacks the scope “%(scope)s”.", scope=scope))
        self.scope = scope


def needed_by(method: str) -> str:
    """Return the scope that a call takes, unless it says otherwise."""
    return READ if method in {"GET", "HEAD", "OPTIONS"} else WRITE


def new_token() -> str:
    """Make a token of 256 random bits, 47 characters that may stand in a header."""
    return PREFIX + random_token()


def check(
    name: str, asked: Collection[str], days: int, *, is_admin: bool
) -> tuple[str, tuple[str, ...]]:
    """Return a token's cleaned name and its scopes in order; raises Invalid for all flaws."""
    found: dict[str, list[Message]] = {}
    cleaned = ""
    try:
        cleaned = names.clean_token_name(name)
        if not cleaned:
            found["name"] = [message("Give the token a name, so that you know it again.")]
    except Invalid as invalid:
        found |= dict(invalid.errors)
    allowed = SCOPES if is_admin else SCOPES[:-1]
    if not asked or set(asked) - set(allowed):
        found["scopes"] = [message("Choose what the token may be used for.")]
    if days and days not in DAYS:
        found["days"] = [message("Choose how long the token is to last.")]
    if found:
        raise Invalid(found)
    return cleaned, tuple(scope for scope in SCOPES if scope in asked)
