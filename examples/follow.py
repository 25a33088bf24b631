"""Print each post of a home feed once, whatever breaks: python follow.py http://… mina password"""

import asyncio
import json
import sys

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException


async def follow(site: str, name: str, password: str) -> None:
    where, refresh = {"topics": "home"}, ""
    while True:
        try:
            async with httpx.AsyncClient(base_url=site) as http:
                if refresh:
                    answer = await http.put("/api/tokens", json={"refresh_token": refresh})
                else:
                    answer = await http.post("/api/tokens", auth=(name, password))
            tokens = answer.raise_for_status().json()
            refresh = tokens["refresh_token"]
            await listen(site, tokens["access_token"], where)
        except (OSError, httpx.TransportError, WebSocketException):
            await asyncio.sleep(1)


async def listen(site: str, token: str, where: dict[str, str]) -> None:
    address = f"{site.replace('http', 'ws', 1)}/live?{httpx.QueryParams(where)}"
    async with connect(address, subprotocols=["microblog.v1", f"bearer.{token}"]) as socket:
        async for text in socket:
            frame = json.loads(text)
            for item in frame.get("items", []):
                if item["kind"] == "post.published":
                    print(f"{item['data']['author']['username']}: {item['data']['body']}")
            if frame["type"] == "heartbeat":
                await socket.send(text)
            if frame["type"] == "hello":
                where["epoch"] = frame["epoch"]
            else:
                where["since"] = frame["cursor"]  # all up to here is printed


if __name__ == "__main__":
    asyncio.run(follow(*sys.argv[1:4]))
