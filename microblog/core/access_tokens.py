"""Access tokens of the API: JSON Web Tokens, signed and verified here alone (RFC 7519, RFC 9068).

Each key has a name (`kid`). The first key signs and all of them verify, so that a key can be
replaced while what it has signed stays good.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jwt
from jwt.utils import base64url_encode

from microblog.core.tokens import derive_key

ISSUER = "microblog"
AUDIENCE = "microblog-api"
SHORTEST_RSA_BITS = 2048
_REQUIRED = ["exp", "iat", "iss", "aud", "sub", "sid", "jti", "typ"]
_PRIVATE_KEY = re.compile(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)


class InvalidToken(Exception):
    """The access token is forged, expired, or not meant for this API."""


class InvalidKey(ValueError):
    """A file of keys cannot be used; says what it is not."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a valid access token says: whose it is and to which family of tokens it belongs."""

    user_id: int
    family_id: int


@dataclass(frozen=True, slots=True)
class _Key:
    signs: Any
    verifies: Any


class AccessKeys:
    """The keys of one algorithm by their names, the one that signs first."""

    def __init__(self, algorithm: str, keys: dict[str, _Key]) -> None:
        self.algorithm = algorithm
        self._keys = keys
        self._newest = next(iter(keys))

    @classmethod
    def of_secrets(cls, kept: Sequence[str]) -> "AccessKeys":
        """Derive a key of HS256 from each of the server's secrets, the one in force first."""
        derived = [derive_key(secret, "access-token") for secret in kept]
        return cls("HS256", {key_id(key): _Key(key, key) for key in derived})

    @classmethod
    def of_pem(cls, pem: bytes) -> "AccessKeys":
        """Read the keys of RS256 out of one or more RSA private keys, the one in force first.

        Raises InvalidKey where there is none, one is locked, too short or of another kind, or the
        package `cryptography` is not installed.
        """
        keys = {}
        for found in _PRIVATE_KEY.finditer(pem):
            private = open_rsa_key(found[0])
            public = private.public_key()
            keys[_thumbprint(public)] = _Key(private, public)
        if not keys:
            raise InvalidKey("a file with a private key in PEM")
        return cls("RS256", keys)

    def sign(self, access: Access, *, issued_at: int, ttl_seconds: int) -> str:
        """Sign an access token that expires `ttl_seconds` after `issued_at`."""
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "typ": "access",
            "sub": str(access.user_id),
            "sid": str(access.family_id),
            "iat": issued_at,
            "exp": issued_at + ttl_seconds,
            "jti": secrets.token_urlsafe(12),
        }
        key = self._keys[self._newest].signs
        return jwt.encode(claims, key, self.algorithm, headers={"kid": self._newest})

    def read(self, token: str) -> Access:
        """Verify an access token and return whose it is; raises InvalidToken.

        The algorithm is pinned, every claim is required, and a header that names a key which is
        not ours or a critical extension is refused (RFC 8725).
        """
        try:
            header = jwt.get_unverified_header(token)
            name = header.get("kid")
            key = self._keys.get(name) if isinstance(name, str) else None
            if key is None or "crit" in header:
                raise InvalidToken
            claims = jwt.decode(
                token,
                key.verifies,
                algorithms=[self.algorithm],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"require": _REQUIRED},
            )
            if claims["typ"] != "access":
                raise InvalidToken
            return Access(int(claims["sub"]), int(claims["sid"]))
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise InvalidToken from error

    def published(self) -> list[dict[str, Any]]:
        """Return the public keys as a JWK Set has them (RFC 7517, 5.1): none for HS256."""
        if self.algorithm != "RS256":
            return []
        return [
            _numbers(key.verifies) | {"kid": name, "use": "sig", "alg": self.algorithm}
            for name, key in self._keys.items()
        ]


def key_id(key: bytes) -> str:
    """Name a signing key without telling it."""
    return hashlib.sha256(b"kid" + key).hexdigest()[:12]


def open_rsa_key(pem: bytes) -> Any:
    """Return a private RSA key; raises InvalidKey for anything else."""
    # Not everybody's: with it 13 MB more of memory, which a small server has better uses for.
    try:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        raise InvalidKey("of use without a package: pip install 'microblog[rs256]'") from None
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        raise InvalidKey("a private key without a password") from None
    except ValueError:
        raise InvalidKey("a private key in PEM") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < SHORTEST_RSA_BITS:
        raise InvalidKey(f"an RSA key of {SHORTEST_RSA_BITS} bits or more")
    return key


def _numbers(public: Any) -> dict[str, str]:
    """Write a public key down as RFC 7518, 6.3.1, has it."""
    numbers = public.public_numbers()
    return {"e": _number(numbers.e), "kty": "RSA", "n": _number(numbers.n)}


def _number(value: int) -> str:
    return base64url_encode(value.to_bytes((value.bit_length() + 7) // 8)).decode()


def _thumbprint(public: Any) -> str:
    """Name a public key by itself (RFC 7638)."""
    canonical = json.dumps(_numbers(public), separators=(",", ":"), sort_keys=True)
    return base64url_encode(hashlib.sha256(canonical.encode()).digest()).decode()
