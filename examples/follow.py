"""Print each post of a home feed once, whatever breaks: python follow.py http://… mina password"""

import asyncio
import json
import sys

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException


async def follow(site: str, name: str, password: str) -> None:
    refresh, where = "", {"topics": "home"}
    while True:
        try:
            async with httpx.AsyncClient(base_url=site) as http:
                if refresh:
                    answer = await http.put("/api/tokens", json={"refresh_token": refresh})
                else:
                    answer = await http.post("/api/tokens", auth=(name, password))
            refresh = answer.json()["refresh_token"] if answer.is_success else ""
            await listen(site, answer.raise_for_status().json()["token"], where)
        except (OSError, httpx.HTTPError, WebSocketException) as broken:
            print(f"[{broken}]", file=sys.stderr)
            await asyncio.sleep(2)


async def listen(site: str, token: str, where: dict[str, str]) -> None:
    address = f"{site.replace('http', 'ws', 1)}/live?{httpx.QueryParams(where)}"
    async with connect(address, subprotocols=["microblog.v1", f"bearer.{token}"]) as socket:
        hello = json.loads(await socket.recv())
        where.setdefault("since", hello["cursor"])
        async for text in socket:
            frame = json.loads(text)
            for item in frame.get("items", []):
                if item["kind"] == "post.published":
                    print(f"{item['data']['author']['username']}: {item['data']['body']}")
            if frame["type"] == "resync":
                print(f"[some posts may be missing here: {frame['reason']}]")
            elif frame["type"] == "heartbeat":
                await socket.send(text)
            if "cursor" in frame:  # all up to here is printed
                where |= {"since": frame["cursor"], "epoch": hello["epoch"]}


if __name__ == "__main__":
    asyncio.run(follow(*sys.argv[1:4]))
