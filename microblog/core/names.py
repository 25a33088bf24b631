"""What people may call themselves: usernames, addresses, display names, a few words about them.

`actions.users` calls these at sign-up and on the edit pages; `markup` uses the pattern to find
mentions. Whether a name is taken is not decided here.
"""

import unicodedata
from typing import Final

import regex

from microblog.core import text as texts
from microblog.core.errors import Invalid, Message, message

USERNAME_PATTERN: Final = "[A-Za-z][A-Za-z0-9_]{2,29}"
"""Fit for `re.fullmatch` and for the `pattern` of an HTML field."""

LONGEST_USERNAME: Final = 30
LONGEST_DISPLAY_NAME: Final = 50
LONGEST_TOKEN_NAME: Final = 60
LONGEST_ABOUT_ME: Final = 500
LONGEST_EMAIL: Final = 254
"""Bytes: RFC 5321 4.5.3.1.3 less the angle brackets."""

# Names that would be believed to speak for this place, and so also when they are disguised.
_OFFICIAL_WORDS = """
    abuse admin administrator help hostmaster microblog mod moderator official owner postmaster
    root security staff support system webmaster
"""
_OTHER_WORDS = """
    about account all anonymous api app auth blog console contact daemon deleted edit_profile
    email everybody everyone explore export_posts favicon feed feeds follow followers following
    healthz here home index info legal live login logout mail main manifest me message messages
    metrics news no_reply nobody none noreply notifications null password post posts privacy
    profile public question questions readyz register robots rules search send_message session
    sessions settings setup signin signout signup static status tag tags terms timeline
    timelines token tokens translate undefined unfollow unknown user username users web welcome
    www you
"""
_OFFICIAL: Final = frozenset(_OFFICIAL_WORDS.split())

RESERVED: Final = _OFFICIAL | frozenset(_OTHER_WORDS.split())
"""Lower-case names that nobody can take: addresses of ours, and words that mean no person."""

_LOOKS_LIKE = str.maketrans("0134578l", "oieastbi", "_")
_SPACES = regex.compile(r"\s+")
_LOCAL_PART = regex.compile(
    r"""[^\p{C}\p{Z}"(),.:;<>@\[\]\\]+(?:\.[^\p{C}\p{Z}"(),.:;<>@\[\]\\]+)*+"""
)
_DOMAIN = regex.compile(
    r"(?:[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?\.)+"
    r"[\p{L}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?"
)


def check_username(name: str) -> None:
    """Refuse what cannot be a username; raises Invalid for the field `username`.

    A username is 3 to 30 characters: an ASCII letter, then ASCII letters, digits and `_`. That
    keeps out letters of other alphabets which look the same (UTS 39).
    """
    problem = _username_flaw(name)
    if problem:
        raise Invalid({"username": [problem]})


def _username_flaw(name: str) -> Message | None:
    stranger = next((letter for letter in name if not letter.isascii()), None)
    if stranger:
        shown = stranger if stranger.isprintable() else f"U+{ord(stranger):04X}"
        return message(
            "Use the letters a to z: “%(letter)s” is not one of them, even if it looks like one.",
            letter=shown,
        )
    if not 3 <= len(name) <= LONGEST_USERNAME:
        return message("Use 3 to %(limit)s characters.", limit=LONGEST_USERNAME)
    if not name[0].isalpha():
        return message("Begin with a letter.")
    if not regex.fullmatch(USERNAME_PATTERN, name):
        return message("Use letters, digits and _ only.")
    if is_reserved(name):
        return message("This name is reserved.")
    return None


def is_reserved(name: str) -> bool:
    """Tell whether a username is kept back, also one disguised as official ("adm1n", "r_o_o_t")."""
    return name.lower() in RESERVED or _skeleton(name) in _OFFICIAL_SKELETONS


def _skeleton(name: str) -> str:
    """Fold what reads as the same word: digits as letters, "rn" as "m", underscores as nothing."""
    return name.lower().translate(_LOOKS_LIKE).replace("rn", "m").replace("vv", "w")


_OFFICIAL_SKELETONS: Final = frozenset(map(_skeleton, _OFFICIAL))


def check_email(address: str) -> str:
    """Return an e-mail address with its domain in lower case; raises Invalid for `email`.

    Takes what mail servers take in practice (RFC 5321 without quoted local parts, RFC 6531 with
    its letters of every script), at most `LONGEST_EMAIL` bytes. Whether it receives mail only a
    mail can show. A domain stays as it was typed, in Unicode or as `xn--…`.
    """
    problem = Invalid({"email": [message("This is not an e-mail address.")]})
    if len(address) > LONGEST_EMAIL:
        raise problem
    local, at, domain = unicodedata.normalize("NFC", address.strip()).rpartition("@")
    domain = domain.lower()
    if not (at and _LOCAL_PART.fullmatch(local) and _DOMAIN.fullmatch(domain)):
        raise problem
    if texts.size_bytes(local) > 64 or texts.size_bytes(local + at + domain) > LONGEST_EMAIL:
        raise problem
    return local + at + domain


def clean_display_name(text: str) -> str:
    """Return a name as it is shown: one line, single spaces, nothing that turns the text around.

    Empty where nothing would show, so that the username stands in. At most
    `LONGEST_DISPLAY_NAME` grapheme clusters; raises Invalid for `display_name`.
    """
    return _taken("display_name", _SPACES.sub(" ", texts.clean(text)), LONGEST_DISPLAY_NAME)


def clean_token_name(text: str) -> str:
    """Return what somebody calls a token, cleaned as a shown name is, empty where nothing shows.

    At most `LONGEST_TOKEN_NAME` grapheme clusters; raises Invalid for `name`.
    """
    return _taken("name", _SPACES.sub(" ", texts.clean(text)), LONGEST_TOKEN_NAME)


def check_about_me(text: str) -> str:
    """Return what somebody says about themselves, cleaned as a post is, empty allowed.

    At most `LONGEST_ABOUT_ME` grapheme clusters; raises Invalid for `about_me`.
    """
    return _taken("about_me", texts.clean(text), LONGEST_ABOUT_ME)


def _taken(field: str, cleaned: str, limit: int) -> str:
    if problem := texts.flaw(cleaned, limit):
        raise Invalid({field: [problem]})
    return cleaned if texts.is_visible(cleaned) else ""
