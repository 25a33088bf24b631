"""Which passwords are taken, how they are stored, how one is compared.

`actions.users` and `actions.sessions` call these, hashing in a thread: one hash takes about a
quarter of a second of one processor, by design.
"""

import base64
import hashlib
import hmac
import unicodedata
from functools import lru_cache
from importlib import resources
from typing import Final

import bcrypt
import regex

from microblog.core.errors import Invalid, Message, message

SHORTEST: Final = 8
"""Code points, as NIST SP 800-63B counts them."""

MAX_BYTES: Final = 1_024

ROUNDS: Final = 12
"""bcrypt's cost: each step more doubles the work."""

# Not a secret: it keeps these digests apart from any other program's, so that none of theirs can
# be tried here as it is. To change it is to lose every password.
_DOMAIN: Final = b"microblog password v1"

# Costs above 16 would let one damaged row hold a thread for minutes.
_HASH = regex.compile(r"\$2[aby]\$(?:0[4-9]|1[0-6])\$[./A-Za-z0-9]{53}")


def check(password: str, *, username: str = "", email: str = "", site: str = "") -> None:
    """Refuse a password that is easily guessed or not storable; raises Invalid for `password`.

    Length and a list of what everybody tries are all that is asked (NIST SP 800-63B 5.1.1.2):
    rules on digits and signs make passwords worse. `site` is this place's own name.
    """
    problem = _flaw(password, {username, email, email.partition("@")[0], site} - {""})
    if problem:
        raise Invalid({"password": [problem]})


def _flaw(password: str, own_words: set[str]) -> Message | None:
    if len(password) > MAX_BYTES or _size_bytes(password) > MAX_BYTES:
        return message("Use %(limit)s bytes at most.", limit=MAX_BYTES)
    normal = _normal(password)
    if len(normal) < SHORTEST:
        return message("Use %(limit)s characters or more.", limit=SHORTEST)
    if not _is_unicode(normal):
        return message("This holds a broken character.")
    # A longer word is no password; and to normalise a flood of accents takes very long.
    words = {_normal(word).casefold() for word in own_words if len(word) <= MAX_BYTES}
    if normal.casefold() in words:
        return message("Use something other than your name or address.")
    if normal.casefold() in common():
        return message("This password is too common.")
    return None


def hash_password(password: str, rounds: int = ROUNDS) -> str:
    """Return what is stored of a checked password: bcrypt over base64 of an HMAC-SHA-384.

    bcrypt alone reads 72 bytes, about 24 Hangul syllables, and stops at NUL; the 64 letters of
    the digest carry every byte. Raises ValueError for a lone surrogate, which `check` refuses.
    """
    return bcrypt.hashpw(_digest(password), bcrypt.gensalt(rounds)).decode("ascii")


def verify(password: str, hashed: str) -> bool:
    """Tell whether `password` is the one that `hashed` was made of; never raises.

    A hash that is none of ours, an impossible password or one over `MAX_BYTES` is simply wrong.
    """
    if len(password) > MAX_BYTES or _size_bytes(password) > MAX_BYTES:
        return False
    if not _is_unicode(password) or not _HASH.fullmatch(hashed):
        return False
    try:
        return bcrypt.checkpw(_digest(password), hashed.encode("ascii"))
    except ValueError:  # 22 letters of salt can still end in bits that bcrypt never writes
        return False


@lru_cache(maxsize=4)
def dummy_hash(rounds: int = ROUNDS) -> str:
    """Return a hash to verify against where there is no account, so that this takes as long.

    Nobody's password is behind it. Made once a process, at the price of one hash.
    """
    return hash_password("nobody's password", rounds)


@lru_cache(maxsize=1)
def common() -> frozenset[str]:
    """Load the passwords of 8 characters and more that are tried first, case folded."""
    file = resources.files("microblog.core").joinpath("common_passwords.txt")
    lines = file.read_text(encoding="utf-8").splitlines()
    return frozenset(line.casefold() for line in lines if line and not line.startswith("# "))


def _digest(password: str) -> bytes:
    mac = hmac.new(_DOMAIN, _normal(password).encode("utf-8"), hashlib.sha384)
    return base64.b64encode(mac.digest())


def _normal(password: str) -> str:
    """NFC, as RFC 8265 has it (OpaqueString): a Mac types Hangul in pieces, a phone in one."""
    return unicodedata.normalize("NFC", password)


def _size_bytes(password: str) -> int:
    return len(password.encode("utf-8", "surrogatepass"))


def _is_unicode(password: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in password)
