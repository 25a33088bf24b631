"""The secrets and keys that sign: replaced without logging anybody out, and published."""

import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from quart import Quart

from microblog import create_app
from microblog.core.access_tokens import AUDIENCE, ISSUER
from microblog.core.errors import SettingError
from microblog.database import Database
from microblog.models import User
from microblog.secret_file import access_keys, secrets
from microblog.settings import Settings
from tests.api.programs import Program
from tests.api.test_forged_tokens import Smith, encoded
from tests.people import MakeUser, access_token, session_cookie

NEW = "renewed." * 8
HOME = "/api/timelines/home"


@pytest.fixture(scope="module")
def rsa_keys() -> list[RSAPrivateKey]:
    return [rsa.generate_private_key(65537, 2048) for _ in range(2)]


def pem(key: Any, password: bytes | None = None) -> bytes:
    lock = serialization.BestAvailableEncryption(password) if password else None
    coding = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    made: bytes = key.private_bytes(*coding, lock or serialization.NoEncryption())
    return made


def key_file(folder: Path, *keys: Any) -> Path:
    path = folder / "access_token.pem"
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(b"".join(map(pem, keys)))
    return path


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Quart]:
    app = create_app(settings)
    async with app.test_app():
        yield app


async def statuses(settings: Settings, token: str, cookie: str, refresh: str) -> list[int]:
    """Return how a server answers an access token, a session, and a spent refresh token."""
    async with serving(settings) as app:
        program = Program(app, token)
        home = await program.call("GET", HOME)
        page = await program.call("GET", "/settings/sessions", headers={"Cookie": cookie})
        pair = await Program(app).call("PUT", "/api/tokens", json={"refresh_token": refresh})
        return [home.status_code, page.status_code, pair.status_code]


async def test_new_secret_logs_nobody_out_and_a_forgotten_one_does(
    settings: Settings, database: Database, make_user: MakeUser
) -> None:
    mina = await make_user("mina")
    async with serving(settings) as app:
        cookie = f"session={await session_cookie(database, app, mina)}"
        program = Program(app)
        pair = await program.log_in("mina")
        spent = {"refresh_token": pair["refresh_token"]}
        follower = await program.json("PUT", "/api/tokens", json=spent)
    proofs = pair["access_token"], cookie, pair["refresh_token"]
    old = settings.secret_key or ""
    renewed = replace(settings, secret_key=NEW, secret_key_fallbacks=(old,))
    assert await statuses(renewed, *proofs) == [200, 200, 200]
    async with serving(renewed) as app:  # within the grace of the other secret
        again = await Program(app).json("PUT", "/api/tokens", json=spent)
        assert again["refresh_token"] == follower["refresh_token"]
        assert (
            jwt.get_unverified_header(again["access_token"])["kid"]
            != (jwt.get_unverified_header(pair["access_token"])["kid"])
        )
    assert await statuses(replace(settings, secret_key=NEW), *proofs) == [401, 303, 401]


@pytest.fixture
async def mina(make_user: MakeUser) -> User:
    return await make_user("mina")


async def test_rsa_signs_what_anybody_can_verify(
    settings: Settings, mina: User, tmp_path: Path, rsa_keys: list[RSAPrivateKey]
) -> None:
    old, new = rsa_keys
    with_old = replace(settings, access_token_key_file=key_file(tmp_path, old))
    async with serving(with_old) as app:
        program = Program(app)
        signed_by_old = (await program.log_in("mina"))["access_token"]
        assert (await program.call("GET", HOME)).status_code == 200
    with_both = replace(settings, access_token_key_file=key_file(tmp_path, new, old))
    async with serving(with_both) as app:
        assert (await Program(app, signed_by_old).call("GET", HOME)).status_code == 200
        signed_by_new = (await Program(app).log_in("mina"))["access_token"]
        answer = await app.test_client().get("/.well-known/jwks.json")
        assert answer.headers["Cache-Control"] == "public, max-age=300"
        published = jwt.PyJWKSet.from_dict(await answer.get_json())
    assert "PRIVATE" not in await answer.get_data(as_text=True)
    assert all(set(key) == {"e", "kty", "n", "kid", "use", "alg"} for key in await keys_of(answer))
    for token, number in ((signed_by_new, 0), (signed_by_old, 1)):
        kid = jwt.get_unverified_header(token)["kid"]
        assert published.keys[number].key_id == kid
        claims = jwt.decode(
            token, published[kid].key, algorithms=["RS256"], audience=AUDIENCE, issuer=ISSUER
        )
        assert claims["sub"] == str(mina.id)
    with_new = replace(settings, access_token_key_file=key_file(tmp_path, new))
    async with serving(with_new) as app:
        assert (await Program(app, signed_by_old).call("GET", HOME)).status_code == 401


async def keys_of(answer: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await answer.get_json())["keys"]
    return found


async def test_without_such_a_key_none_is_published(app: Any) -> None:
    answer = await app.test_client().get("/.well-known/jwks.json")
    assert await answer.get_json() == {"keys": []}


@pytest.mark.S11
async def test_no_algorithm_is_taken_for_another(
    settings: Settings,
    database: Database,
    mina: User,
    tmp_path: Path,
    rsa_keys: list[RSAPrivateKey],
) -> None:
    ours, foreign = rsa_keys
    by_secret = await access_token(database, settings, mina)
    claims = jwt.decode(by_secret, options={"verify_signature": False})
    smith = Smith(str(mina.id), claims["sid"])
    public = ours.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    chosen = replace(settings, access_token_key_file=key_file(tmp_path, ours))
    async with serving(chosen) as app:
        answer = await app.test_client().get("/.well-known/jwks.json")
        (published,) = await keys_of(answer)
        names = {"alg": "RS256", "kid": published["kid"]}
        good = jwt.encode(smith.claims, ours, "RS256", headers=names)
        assert (await Program(app, good).call("GET", HOME)).status_code == 200
        signed = ".".join(
            encoded(json.dumps(part).encode()).decode()
            for part in (names | {"alg": "HS256"}, smith.claims)
        )
        by_public = hmac.digest(public, signed.encode(), "sha256")
        forgeries = {
            "signed with the secret": by_secret,
            "signed with the secret, by the name of the key": smith.token(headers=names),
            "the public key as a secret": f"{signed}.{encoded(by_public).decode()}",
            "another's key": jwt.encode(smith.claims, foreign, "RS256", headers=names),
            "another padding": jwt.encode(
                smith.claims, ours, "PS256", headers=names | {"alg": "PS256"}
            ),
            "no signature": good.rpartition(".")[0] + ".",
        }
        for told, token in forgeries.items():
            assert (await Program(app, token).call("GET", HOME)).status_code == 401, told


def test_wrong_key_files_are_one_sentence_each(
    settings: Settings, tmp_path: Path, rsa_keys: list[RSAPrivateKey]
) -> None:
    path = tmp_path / "access_token.pem"
    files = {
        "not a file with a private key in PEM": b"nothing",
        "not a private key in PEM": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        "not a private key without a password": pem(rsa_keys[0], b"password"),
        "not an RSA key of 2048 bits or more": pem(ec.generate_private_key(ec.SECP256R1())),
    }
    for told, content in files.items():
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(SettingError, match=f"MICROBLOG_ACCESS_TOKEN_KEY_FILE .* is {told}"):
            start(replace(settings, access_token_key_file=path))
    path.chmod(0o640)
    with pytest.raises(SettingError, match=f"chmod 600 {path}"):
        start(replace(settings, access_token_key_file=path))
    with pytest.raises(SettingError, match="cannot be read or made: No such file"):
        start(replace(settings, access_token_key_file=tmp_path / "none.pem"))


def start(settings: Settings) -> None:
    access_keys(settings, secrets(settings))
