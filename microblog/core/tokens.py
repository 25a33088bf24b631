"""Secrets that travel: random tokens, their digests, and what is derived from the server's own.

`actions.sessions`, `actions.tokens` and the surfaces call these. A random token is stored only
as its SHA-256, so a copy of the database opens nothing.
"""

import base64
import hashlib
import hmac
import secrets

SHORTEST_KEY_BYTES = 32


def random_token() -> str:
    """Make a token of 256 random bits, URL-safe, 43 characters."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """Return what the database keeps of a random token: its SHA-256, 32 bytes."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def derive_key(secret: str, purpose: str) -> bytes:
    """Derive an independent 32-byte key from the server's secret, one for each purpose."""
    return hmac.digest(secret.encode(), purpose.encode(), "sha256")


def successor(secret: str, spent_token: str) -> str:
    """Return the one refresh token that follows `spent_token`.

    It is derived, not drawn, so that two requests which spend the same token at once get the
    same answer, and a lost answer can be had again.
    """
    key = derive_key(secret, "refresh-token-successor")
    mac = hmac.digest(key, spent_token.encode(), "sha256")
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def link_token(secret: str, nonce: str) -> str:
    """Return the token of a mailed link, 256 bits: nobody can make it of the nonce alone.

    Derived, so that what waits to be mailed holds no token, and a repeated mail has the same.
    """
    mac = hmac.digest(derive_key(secret, "mailed-link"), nonce.encode(), "sha256")
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def device_mark(secret: str, sign: str) -> bytes:
    """Return what is kept of a sign by which a device is recognised: it tells nothing of it."""
    return hmac.digest(
        derive_key(secret, "known-device"), sign.encode("utf-8", "replace"), "sha256"
    )


def setup_token(secret: str, epoch: str) -> str:
    """Return the token of the first administrator's link; good while there is none."""
    mac = hmac.digest(derive_key(secret, "setup"), epoch.encode(), "sha256")
    return base64.urlsafe_b64encode(mac[:18]).decode()
