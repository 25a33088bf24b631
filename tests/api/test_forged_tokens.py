"""Access tokens that we did not make, or did not make for this: none opens anything."""

import base64
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from sqlalchemy import func, select

from microblog import create_app
from microblog.core.access_tokens import AUDIENCE, ISSUER, key_id
from microblog.core.errors import SettingError
from microblog.core.tokens import SHORTEST_KEY_BYTES, derive_key
from microblog.database import Database
from microblog.models import Follow, Post, TokenFamily
from microblog.settings import Settings
from tests.api.programs import Program
from tests.conftest import both_databases
from tests.people import MakePost, MakeUser, access_token

pytestmark = pytest.mark.S11

SECRET = "test" * 16
KEY = derive_key(SECRET, "access-token")
PUBLIC_KEY = b"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQ==\n-----END PUBLIC KEY-----\n"
DEEP = b"[" * 9000


class Smith:
    """Makes tokens for one person's family that are right but for what the test changes."""

    def __init__(self, user_id: str, family_id: str) -> None:
        now = int(time.time())
        self.headers: dict[str, Any] = {"alg": "HS256", "typ": "JWT", "kid": key_id(KEY)}
        self.claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "typ": "access",
            "sub": user_id,
            "sid": family_id,
            "iat": now,
            "exp": now + 600,
            "jti": "forged",
        }

    def token(
        self,
        claims: dict[str, Any] | None = None,
        headers: dict[str, Any] | None = None,
        *,
        key: bytes = KEY,
        algorithm: str = "sha256",
        signature: bytes | None = None,
    ) -> str:
        """Sign a token; a changed claim or header of None is left out."""
        parts = (self.headers | (headers or {}), self.claims | (claims or {}))
        said = [{k: v for k, v in part.items() if v is not None} for part in parts]
        signed = b".".join(encoded(json.dumps(part).encode()) for part in said)
        if signature is None:
            signature = hmac.digest(key, signed, algorithm)
        return (signed + b"." + encoded(signature)).decode()


def encoded(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")


def seconds_from_now(seconds: int) -> int:
    return int(time.time()) + seconds


def deep_claims(smith: Smith) -> str:
    signed = encoded(json.dumps(smith.headers).encode()) + b"." + encoded(DEEP)
    return (signed + b"." + encoded(hmac.digest(KEY, signed, "sha256"))).decode()


Forgery = Callable[[Smith], str]
FORGERIES: dict[str, Forgery] = {
    "no algorithm": lambda s: s.token(headers={"alg": "none"}, signature=b""),
    "no algorithm, signed": lambda s: s.token(headers={"alg": "none"}),
    "no algorithm, in capitals": lambda s: s.token(headers={"alg": "NONE"}, signature=b""),
    "no algorithm named": lambda s: s.token(headers={"alg": None}),
    "no signature": lambda s: s.token(signature=b""),
    "another signature": lambda s: s.token(signature=b"x" * 32),
    "our key, HS384": lambda s: s.token(headers={"alg": "HS384"}, algorithm="sha384"),
    "our key, HS512": lambda s: s.token(headers={"alg": "HS512"}, algorithm="sha512"),
    "our key as that of RS256": lambda s: s.token(headers={"alg": "RS256"}),
    "our key as that of EdDSA": lambda s: s.token(headers={"alg": "EdDSA"}),
    "a public key as ours": lambda s: s.token(key=PUBLIC_KEY),
    "the server's secret itself as the key": lambda s: s.token(key=SECRET.encode()),
    "the key of another purpose": lambda s: s.token(key=derive_key(SECRET, "csrf")),
    "an empty key": lambda s: s.token(key=b""),
    "wrong typ": lambda s: s.token({"typ": "refresh"}),
    "no typ": lambda s: s.token({"typ": None}),
    "wrong aud": lambda s: s.token({"aud": "elsewhere"}),
    "no aud": lambda s: s.token({"aud": None}),
    "wrong iss": lambda s: s.token({"iss": "elsewhere"}),
    "no iss": lambda s: s.token({"iss": None}),
    "expired": lambda s: s.token({"exp": seconds_from_now(-1)}),
    "no exp": lambda s: s.token({"exp": None}),
    "exp that is no time": lambda s: s.token({"exp": "never"}),
    "nbf in the future": lambda s: s.token({"nbf": seconds_from_now(60)}),
    "iat in the future": lambda s: s.token({"iat": seconds_from_now(60)}),
    "no iat": lambda s: s.token({"iat": None}),
    "no jti": lambda s: s.token({"jti": None}),
    "no sub": lambda s: s.token({"sub": None}),
    "no sid": lambda s: s.token({"sid": None}),
    "sid that is no number": lambda s: s.token({"sid": "x"}),
    "another's sub": lambda s: s.token({"sub": str(int(s.claims["sub"]) + 1)}),
    "a family that is not there": lambda s: s.token({"sid": "999"}),
    "crit": lambda s: s.token(headers={"crit": ["exp"]}),
    "crit of an unknown extension": lambda s: s.token(headers={"crit": ["x"], "x": 1}),
    "crit that is empty": lambda s: s.token(headers={"crit": []}),
    "no kid": lambda s: s.token(headers={"kid": None}),
    "kid of another key": lambda s: s.token(headers={"kid": key_id(b"another")}),
    "kid that is a path": lambda s: s.token(headers={"kid": "../../../dev/null"}, key=b""),
    "kid that is SQL": lambda s: s.token(headers={"kid": "' UNION SELECT 'x"}, key=b"x"),
    "kid that is a list": lambda s: s.token(headers={"kid": [s.headers["kid"]]}),
    "a key in the header": lambda s: s.token(
        headers={"jwk": {"kty": "oct", "k": "eHh4eA"}, "jku": "https://elsewhere.example/"},
        key=b"xxxx",
    ),
    "a header that is too deep": lambda s: (encoded(DEEP) + b".e30.x").decode(),
    "claims that are too deep": deep_claims,
    "no token": lambda s: "",
    "no JSON": lambda s: "a.b.c",
    "two parts": lambda s: s.token().rpartition(".")[0],
    "letters of other alphabets": lambda s: s.token() + "é",
}


async def state(database: Database) -> list[Any]:
    """Return what a forged token could change."""
    async with database.read() as read:
        posts = (await read.execute(select(Post.id, Post.body, Post.deleted_at))).all()
        follows = await read.scalar(select(func.count()).select_from(Follow))
        revoked = list(await read.scalars(select(TokenFamily.revoked_at)))
    return [posts, follows, revoked]


@pytest.fixture
async def smith(
    database: Database, settings: Settings, make_user: MakeUser, make_post: MakePost
) -> Smith:
    mina = await make_user("mina")
    await make_user("june")
    await make_post(mina, "untouched")
    good = await access_token(database, settings, mina)
    claims = jwt.decode(good, options={"verify_signature": False})
    return Smith(str(mina.id), claims["sid"])


@both_databases
async def test_token_that_is_right_in_everything_opens(smith: Smith, stranger: Program) -> None:
    # Without this the forgeries below might be refused for some other fault.
    stranger.token = smith.token()
    assert len((await stranger.json("GET", "/api/timelines/home"))["items"]) == 1


@both_databases
@pytest.mark.parametrize("forgery", FORGERIES)
async def test_forged_token_opens_nothing_and_changes_nothing(
    smith: Smith, stranger: Program, database: Database, forgery: str
) -> None:
    stranger.token = FORGERIES[forgery](smith)
    before = await state(database)
    post_id = before[0][0].id
    for method, path, how in (
        ("GET", "/api/timelines/home", {}),
        ("GET", "/api/posts", {}),
        ("POST", "/api/posts", {"json": {"body": "forged"}}),
        ("DELETE", f"/api/posts/{post_id}", {}),
        ("PUT", "/api/me/following/june", {}),
        ("DELETE", "/api/tokens", {}),
    ):
        answer = await stranger.call(method, path, **how)
        assert answer.status_code == 401, (method, path)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert await state(database) == before


@both_databases
async def test_token_counts_in_the_authorization_header_alone(
    smith: Smith, stranger: Program
) -> None:
    token = smith.token()
    for path, headers in (
        (f"/api/timelines/home?access_token={token}", {}),
        ("/api/timelines/home", {"Cookie": f"session={token}; access_token={token}"}),
        ("/api/timelines/home", {"X-Access-Token": token}),
        ("/api/timelines/home", {"Authorization": token}),
        ("/api/timelines/home", {"Authorization": f"Token {token}"}),
    ):
        assert (await stranger.call("GET", path, headers=headers)).status_code == 401


@pytest.mark.parametrize("variable", ["SECRET_KEY", "MICROBLOG_SECRET_KEY"])
def test_short_key_is_no_start(variable: str) -> None:
    short = "x" * (SHORTEST_KEY_BYTES - 1)
    with pytest.raises(SettingError) as refusal:
        Settings.from_env({variable: short})
    assert variable in str(refusal.value)
    assert short not in str(refusal.value)
    assert Settings.from_env({variable: short + "x"}).secret_key == short + "x"


async def test_short_key_is_no_start_where_settings_are_given_too() -> None:
    with pytest.raises(SettingError):
        async with create_app(Settings(secret_key="x")).test_app():
            pytest.fail("it serves")
