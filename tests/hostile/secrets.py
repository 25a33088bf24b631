"""Thirty things that nobody else may read, planted by somebody who uses a server; for S20."""

import base64
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.exceptions import InvalidHandshake

from tests.faults.sites import form_token
from tests.live.clients import listening
from tests.services import AppServer

BAD = 400
OWN = ("form token", "link of")


@dataclass
class Planted:
    """Secrets by what they are, and the answers in which none of them may stand."""

    secrets: dict[str, str] = field(default_factory=dict)
    answers: list[httpx.Response] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def plant(self, name: str, value: str) -> str:
        self.secrets[name] = value
        return value

    def note(self, answer: httpx.Response, *, shown_again: bool = False) -> httpx.Response:
        """Keep an answer that tells of an error; a form that is shown again has what was typed."""
        self.statuses.append(answer.status_code)
        if answer.status_code >= BAD and not (shown_again and answer.status_code < 500):
            self.answers.append(answer)
        return answer

    def told_by(self, answer: httpx.Response) -> list[str]:
        """Name the secrets that an answer tells.

        A page has its own form's token and its own address: they are that browser's anyway.
        """
        found = self.found_in(f"{dict(answer.headers)} {answer.text}")
        is_page = answer.headers["Content-Type"].startswith("text/html")
        return [name for name in found if not (is_page and any(own in name for own in OWN))]

    def found_in(self, text: str) -> list[str]:
        """Name the secrets that stand in a text, as they are or as text in JSON or an address."""
        forms = {
            name: {value, json.dumps(value)[1:-1], str(httpx.QueryParams({"": value}))[1:]}
            for name, value in self.secrets.items()
        }
        return [name for name, written in forms.items() if any(one in text for one in written)]


async def use_as_page(server: AppServer, planted: Planted, who: str) -> None:
    """Sign up, log in, write and fail, in a browser; every request that is made is noted."""
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as http:

        async def send(path: str, page: str, **fields: str) -> httpx.Response:
            shown = await http.get(page)
            token = "none"
            if planted.note(shown).status_code < BAD:
                token = planted.plant(f"{who}: form token of {page}", form_token(shown.text))
            answer = await http.post(path, data={"csrf_token": token} | fields)
            for name, value in http.cookies.items():
                planted.plant(f"{who}: cookie {name} after {path}", value)
            return planted.note(answer, shown_again=True)

        password = planted.plant(f"{who}: password", f"page password of {who} 한글")
        account = {
            "username": f"{who}_p",
            "email": planted.plant(f"{who}: e-mail", f"{who}.page@secret.example"),
            "password": password,
            "password2": password,
        }
        await send("/auth/register", "/auth/register", **account)
        if "session" in http.cookies:
            http.cookies.delete("session")
        wrong = planted.plant(f"{who}: wrong password", f"not the password of {who}")
        await send("/auth/login", "/auth/login", username=account["email"], password=wrong)
        await send("/auth/login", "/auth/login", username=account["username"], password=password)
        key = planted.plant(f"{who}: key of a form", f"form-key-of-{who}")
        await send("/posts", "/", post="Hello", idempotency_key=key)
        words = planted.plant(f"{who}: private message of a page", f"between us, {who} 우리끼리")
        await send(f"/send_message/{who}_a", "/explore", message=words)
        token = planted.plant(f"{who}: link of an administrator", f"setup-token-of-{who}")
        planted.note(await http.get("/setup", params={"token": token}))
        planted.note(await http.get("/nowhere", params={"token": token}))
        for path in ("reset_password", "confirm_address"):
            mailed = planted.plant(f"{who}: link of {path}", f"token-of-{who}-for-{path}")
            planted.note(await http.get(f"/auth/{path}/{mailed}"))
            await send(f"/auth/{path}/{mailed}", "/explore", password=password)


async def use_as_program(server: AppServer, planted: Planted, who: str) -> None:
    """The same through the API, with tokens good and bad."""
    async with httpx.AsyncClient(base_url=f"{server.url}/api", timeout=20) as http:
        password = planted.plant(f"{who}: password at the API", f"api password of {who}")
        email = planted.plant(f"{who}: e-mail at the API", f"{who}.api@secret.example")
        name = f"{who}_a"
        account = {"username": name, "email": email, "password": password}
        planted.note(await http.post("/users", json=account))
        planted.note(await http.post("/users", json=account))
        planted.note(await http.post("/users", json=account | {"unknown": password}))
        cut = json.dumps(account)[:-3]
        kind = {"Content-Type": "application/json"}
        planted.note(await http.post("/users", content=cut, headers=kind))
        basic = base64.b64encode(f"{name}:{password}".encode()).decode()
        planted.plant(f"{who}: basic credentials", basic)
        given = planted.note(
            await http.post("/tokens", headers={"Authorization": f"Basic {basic}"})
        )
        pair: dict[str, Any] = given.json() if given.status_code < BAD else {}
        access = planted.plant(f"{who}: access token", pair.get("access_token", f"eyJ.{who}.no"))
        refresh = planted.plant(f"{who}: refresh token", pair.get("refresh_token", f"ref-{who}-no"))
        forged = planted.plant(f"{who}: forged token", access[:-6] + "forged")
        key = planted.plant(f"{who}: idempotency key", f"api-key-of-{who}")
        words = planted.plant(f"{who}: private message", f"for you alone, {who} 너만")
        for token in (access, forged):
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
            bearer = {"Authorization": headers["Authorization"]}
            for letter in ({"to": to, "body": words} for to in (f"{who}_p", name)):
                planted.note(await http.post("/messages", json=letter, headers=bearer))
            for body in ("one", "two"):
                made = planted.note(await http.post("/posts", json={"body": body}, headers=headers))
                if made.status_code < BAD:
                    path = f"/posts/{made.json()['id']}/translation"
                    planted.note(await http.post(path, json={"to": "ko"}, headers=headers))
            await keep_to_oneself(http, planted, who, bearer)
            await say_what_is_no_frame(server, token, words)
        for spent in (refresh, refresh + "x"):
            planted.note(await http.put("/tokens", json={"refresh_token": spent}))
        planted.note(await http.put("/tokens", json={"refresh_token": 1, "token": refresh}))


async def keep_to_oneself(
    http: httpx.AsyncClient, planted: Planted, who: str, headers: dict[str, str]
) -> None:
    """Write what is not sent, and look for what nobody is to know of."""
    unsent = planted.plant(f"{who}: draft", f"not for anybody yet, {who} 아직")
    draft = {"body": unsent, "version": "0"}
    planted.note(await http.put("/drafts/post", json=draft, headers=headers))
    planted.note(await http.put("/drafts/post", json=draft | {"no": 1}, headers=headers))
    looked_for = planted.plant(f"{who}: what was looked for", f"a cure for {who} 비밀")
    planted.note(await http.get("/search", params={"q": looked_for}, headers=headers))


async def say_what_is_no_frame(server: AppServer, token: str, words: str) -> None:
    """Open a live connection, if one may, and be closed for what one says."""
    with suppress(InvalidHandshake, TimeoutError, OSError, AssertionError):
        async with listening(f"{server.ws_url}/live", token=token) as client:
            await client.say({"type": "typing", "to": words})
            await client.close_code()
