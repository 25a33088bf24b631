"""Below ASGI: frames written straight to the connection; the public way where it is not known."""

import asyncio
import socket

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage

from microblog.live import transport
from tests.live.clients import listening
from tests.people import MakePost, MakeUser
from tests.serving import Serving

HANDSHAKE = b"\r\n".join(
    (
        b"GET /live?topics=explore HTTP/1.1",
        b"Host: localhost",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Protocol: microblog.v1",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        b"\r\n",
    )
)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 100_000])
def test_frame_is_read_as_what_was_written(size: int) -> None:
    text = "한" * (size // 3) + "x" * (size % 3)
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(transport.text_frame(text))
    messages = [event for event in client.events() if isinstance(event, TextMessage)]
    assert "".join(message.data for message in messages) == text
    assert messages[-1].message_finished


@pytest.fixture(params=["straight to the transport", "the public way"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of sending; the second is that of servers that we do not know."""
    if request.param == "the public way":
        monkeypatch.setattr(transport, "transport_of", lambda send: None)
    return str(request.param)


async def test_everything_comes_once_and_in_order_while_topics_change(
    way: str, server: Serving, make_user: MakeUser, make_post: MakePost
) -> None:
    mina = await make_user()
    async with listening(server.live_url, topics="explore") as client:

        async def change_topics() -> None:
            for number in range(30):
                await client.say({"type": "subscribe", "topic": f"tag:t{number}"})
                await asyncio.sleep(0.005)

        changing = asyncio.ensure_future(change_topics())
        posts = [str((await make_post(mina, f"post {number}")).id) for number in range(60)]
        await changing
        while len(client.items) < len(posts):
            await client.frame()
    assert [item["data"]["id"] for item in client.items] == posts


async def test_way_below_is_taken_under_hypercorn(
    server: Serving,
    make_user: MakeUser,
    make_post: MakePost,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """If hypercorn's insides change, this says so: everything else would go on, only slower."""
    written = []
    original = transport.text_frame
    monkeypatch.setattr(
        transport, "text_frame", lambda text: written.append(text) or original(text)
    )
    mina = await make_user()
    async with listening(server.live_url, topics="explore") as client:
        await client.say({"type": "subscribe", "topic": "home"})
        await client.frame_of("subscribed")
        await make_post(mina, "straight")
        await client.item("post.published")
    assert [text for text in written if "post.published" in text and "straight" in text]


async def test_client_that_reads_nothing_is_cut_off_and_delays_nobody(
    way: str,
    server: Serving,
    make_user: MakeUser,
    make_post: MakePost,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("microblog.live.stream.STALLED_SECONDS", 0.5)
    mina = await make_user()
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)  # so that little is on the way
    deaf.connect(("127.0.0.1", server.port))
    deaf.sendall(HANDSHAKE)
    async with listening(server.live_url, topics="explore") as client:
        async with asyncio.timeout(60):
            while len(server.runtime.hub.listeners) < 2:
                await asyncio.sleep(0.01)
            sent = 0
            while len(server.runtime.hub.listeners) == 2:
                await make_post(mina, "한" * 500)
                await client.item("post.published", 2)
                sent += 1
        await make_post(mina, "still here")
        assert (await client.item("post.published"))["body"] == "still here"
    deaf.close()
    assert sent > 10, "it was cut off for being slow, not at once"
