"""A bot that answers each post that mentions it, once: BOT_PASSWORD=… python bot.py http://… ada

Its place in the log stands in the file `ada.json`: stopped, cut off or killed, it goes on from
there and misses nothing. Where it ended between an answer and the note of its place, the mention
comes again; the Idempotency-Key, made from the post's id, keeps it from being answered again. It
never answers itself, nor what is said to its answers, and it names nobody, so that two bots have
nothing to say to each other. Let `answer` say what your bot is for.
"""

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

MOST_AN_HOUR = 20  # answers to one person: a loop that nobody has thought of ends there
LONGEST_PAUSE_SECONDS = 30.0
FOR_GOOD = {403, 404, 422}  # refusals: the post is gone, or its author, or it was edited since


def answer(post: dict[str, Any]) -> str:
    """Say something to a post: the same to the same post, and without anybody's @name."""
    words = post["body"].split()
    return f"Words: {len(words)}. The longest has {max(map(len, words))} letters."


class Bot:
    """One account of a microblog, signed in as a program."""

    def __init__(self, site: str, name: str, password: str) -> None:
        self.site, self.name, self.password = site, name, password
        self.http = httpx.AsyncClient(base_url=site, headers={"User-Agent": f"{name}-bot/1"})
        self.tokens: dict[str, str] = {}
        self.file = Path(f"{name}.json")
        self.where: dict[str, str] = {}  # since, epoch: all up to there is answered
        if self.file.exists():
            self.where = json.loads(self.file.read_text())
        self.answered: Counter[str] = Counter()
        self.hour = 0
        self.pause_seconds = 1.0

    async def run(self) -> None:
        """Listen until cancelled; whatever breaks, come back and go on where it broke."""
        try:
            while True:
                try:
                    await self.renew()
                    await self.listen()
                except (OSError, httpx.HTTPError, WebSocketException) as broken:
                    print(f"again soon: {broken!r}", file=sys.stderr)
                await asyncio.sleep(self.pause_seconds * random.uniform(0.5, 1))
                self.pause_seconds = min(2 * self.pause_seconds, LONGEST_PAUSE_SECONDS)
        finally:
            await self.leave()

    async def leave(self) -> None:
        """Give the tokens back, where the server can be asked to take them."""
        with suppress(httpx.HTTPError, TimeoutError):
            async with asyncio.timeout(2):
                if self.tokens:
                    await self.call("DELETE", "/api/tokens")
        await self.http.aclose()

    async def renew(self) -> None:
        """Take new tokens for the refresh token, or for the password where that is no good."""
        if self.tokens:
            spent = {"refresh_token": self.tokens["refresh_token"]}
            given = await self.http.put("/api/tokens", json=spent)
        if not self.tokens or given.status_code == 401:
            self.tokens = {}
            given = await self.http.post("/api/tokens", auth=(self.name, self.password))
            if given.status_code in {401, 403}:
                sys.exit(given.json()["detail"])
        self.tokens = given.raise_for_status().json()

    async def call(self, method: str, path: str, **how: Any) -> httpx.Response:
        """Call the API, with new tokens where the old ones have expired."""
        headers = how.pop("headers", {})
        for _ in range(2):
            bearer = {"Authorization": f"Bearer {self.tokens.get('access_token')}"}
            said = await self.http.request(method, path, headers=headers | bearer, **how)
            if said.status_code != 401:
                break
            await self.renew()
        if said.status_code in {429, 503}:
            await asyncio.sleep(float(said.headers.get("Retry-After", 5)))
        return said if said.status_code in FOR_GOOD else said.raise_for_status()

    async def listen(self) -> None:
        """Answer what comes; a frame is done with when all that is in it is answered."""
        address = f"{self.site.replace('http', 'ws', 1)}/live?{httpx.QueryParams(self.where)}"
        protocols = ["microblog.v1", f"bearer.{self.tokens['access_token']}"]
        async with connect(address, subprotocols=protocols) as socket:
            hello = json.loads(await socket.recv())
            if not self.where:
                self.keep(hello["cursor"], hello["epoch"])
            print(f"listening from {hello['cursor']} on", flush=True)
            async for text in socket:
                frame = json.loads(text)
                if frame["type"] == "heartbeat":
                    await socket.send(text)
                if frame["type"] == "resync":
                    await self.catch_up()
                for item in frame.get("items", []):
                    if item["kind"] == "notification":
                        await self.attend(item["data"])
                if "cursor" in frame:
                    self.keep(frame["cursor"], hello["epoch"])
                    self.pause_seconds = 1.0

    def keep(self, cursor: str, epoch: str) -> None:
        """Note the place, so that not even a loss of power leaves half a file."""
        self.where = {"since": cursor, "epoch": epoch}
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(self.where))
        new.replace(self.file)

    async def catch_up(self) -> None:
        """Answer what is unread: the log cannot tell what was missed."""
        path, unread = "/api/notifications?kinds=mention&limit=100", []
        while path:
            page = (await self.call("GET", path)).json()
            fresh = [each for each in page["items"] if not each["read"]]
            unread += fresh
            path = page["_links"]["next"] if fresh else ""
        for each in reversed(unread):
            await self.attend(each)

    async def attend(self, told: dict[str, Any]) -> None:
        """Answer a mention that is still there and unread; what answers us is no mention."""
        post = told.get("post")
        if told.get("kind") != "mention" or post is None or told["read"]:
            return
        if self.may_answer(post["author"]["username"]):
            key = {"Idempotency-Key": f"answer-to-{post['id']}"}
            body = {"body": answer(post), "reply_to": post["id"]}
            said = await self.call("POST", "/api/posts", json=body, headers=key)
            print(f"answered {post['id']}: {said.status_code}", flush=True)
        await self.call("PUT", "/api/notifications/read", json={"ids": [told["id"]]})

    def may_answer(self, name: str) -> bool:
        """Tell whether somebody gets an answer: anyone but us, so many times an hour."""
        hour = int(time.time() // 3600)
        if hour != self.hour:
            self.hour, self.answered = hour, Counter()
        self.answered[name] += 1
        return name != self.name and self.answered[name] <= MOST_AN_HOUR


async def main(site: str, name: str) -> None:
    """Run the bot until somebody asks for its end."""
    running = asyncio.ensure_future(Bot(site, name, os.environ["BOT_PASSWORD"]).run())
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # on Windows Ctrl+C cancels without it
            asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    with suppress(asyncio.CancelledError):
        await running


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
