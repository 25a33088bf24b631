"""Why somebody is not there, for how long they may come back, and what an administrator says."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from microblog.core import text as texts
from microblog.core.errors import Invalid, message

RETURN_DAYS: Final = 30
MAY_RETURN: Final = timedelta(days=RETURN_DAYS)
"""How long somebody who deactivated their account may come back by logging in."""

RENAME_DAYS: Final = 7
BETWEEN_NAMES: Final = timedelta(days=RENAME_DAYS)
"""How long a person keeps a username at least."""

LONGEST_REASON: Final = 500


class Left(StrEnum):
    """Why an account is not active."""

    SELF = "self"
    SUSPENDED = "suspended"
    DELETED = "deleted"


class DeedKind(StrEnum):
    """What administrators do that is written down."""

    SUSPEND = "suspend"
    RESTORE = "restore"


def clean_reason(text: str) -> str:
    """Return a reason as it is kept; raises Invalid for `reason` where it is empty or too long."""
    cleaned = texts.clean(text)
    problem = texts.flaw(cleaned, LONGEST_REASON)
    if problem is None and not texts.is_visible(cleaned):
        problem = message("Say why: the person will read it.")
    if problem is not None:
        raise Invalid({"reason": [problem]})
    return cleaned
