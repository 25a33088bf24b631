"""What the owner can set of secrets and tokens: what signs them, and how long they live. See
`settings`.
"""

from dataclasses import dataclass
from pathlib import Path

from microblog import variables
from microblog.variables import A_CENTURY_OF_DAYS, A_LOT, Spelt, setting, whole


@dataclass(frozen=True, kw_only=True)  # without slots it can stand beside another such part
class AccessSettings(Spelt):
    """The part of the settings that is about secrets and tokens."""

    secret_key: str | None = setting(
        None,
        variables.secret,
        "the output of: openssl rand -hex 32",
        "Signs cookies and tokens. Default: made at the first start and kept in the data folder.",
        "SECRET_KEY",
        unit="at least 32 bytes",
        hidden=True,
    )
    secret_key_fallbacks: tuple[str, ...] = setting(
        (),
        variables.secrets,
        "the former output of: openssl rand -hex 32",
        "Former secrets that stay good for what they have signed: nobody is logged out when the "
        "secret is replaced. Divided by commas.",
        "SECRET_KEY_FALLBACKS",
        unit="at least 32 bytes each",
        hidden=True,
    )
    access_token_key_file: Path | None = setting(
        None,
        variables.folder,
        "/etc/microblog/access_token.pem",
        "RSA private keys in PEM: access tokens are signed by the first (RS256), and good by any. "
        "Default: HS256, by the secret.",
    )
    access_token_seconds: int = setting(
        600, whole(1, A_LOT), "600", "Life of an access token of the API.", unit="seconds"
    )
    refresh_token_days: int = setting(
        30, whole(1, A_CENTURY_OF_DAYS), "30", "Life of a refresh token of the API.", unit="days"
    )
    calls_per_minute: int = setting(
        300, whole(1, A_LOT), "300", "Calls of the API with one token in a minute.", unit="calls"
    )
