"""S18: floods of bytes, parts and patience where pictures are sent, over real connections."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import ImageFile
from sqlalchemy import func, select

from microblog.core import pictures
from microblog.database import Database
from microblog.edge import bodies, uploads
from microblog.models import Avatar
from microblog.settings import Settings
from tests import images
from tests.people import MakeUser, access_token, session_cookie
from tests.serving import Serving

pytestmark = pytest.mark.S18

ADDRESS = "/api/me/avatar"
MEGABYTE = 1024 * 1024
MORE_MEMORY_MB = 50
STATUS = Path("/proc/self/status")
PART = b'--x\r\nContent-Disposition: form-data; name="%d"\r\n\r\nx\r\n'
FILE = b'--x\r\nContent-Disposition: form-data; name="avatar"; filename="a"\r\n\r\n'
PARTS = {"Content-Type": "multipart/form-data; boundary=x"}
PNG = {"Content-Type": "image/png"}


def memory_mb(name: str) -> float:
    """Return what this process holds, or held at most (`VmHWM`), in megabytes."""
    found = re.search(rf"{name}:\s+(\d+) kB", STATUS.read_text())
    assert found
    return int(found[1]) / 1024


def flood(size: int, start: bytes = b"") -> Iterator[bytes]:
    """Send so many bytes, which nobody holds at once."""
    yield start
    piece = b"\0" * 65_536
    for _ in range(0, size - len(start), len(piece)):
        yield piece


async def slowly(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of what is decoded from now on, in pixels."""
    found: list[int] = []
    load = ImageFile.ImageFile.load

    def noted(image: ImageFile.ImageFile) -> object:
        found.append(image.width * image.height)
        return load(image)

    monkeypatch.setattr(ImageFile.ImageFile, "load", noted)
    return found


@asynccontextmanager
async def client(
    server: Serving, settings: Settings, database: Database, make_user: MakeUser, name: str = "mina"
) -> AsyncIterator[httpx.AsyncClient]:
    """Be a program of somebody."""
    token = await access_token(database, settings, await make_user(name))
    bearer = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=server.url, headers=bearer, timeout=60) as http:
        yield http


async def test_whatever_is_sent_nothing_large_is_decoded_and_little_memory_is_taken(
    server: Serving,
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    decoded: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("microblog.edge.limits.count_picture", lambda _: None)
    bombs = images.hostile()
    over = [pictures.LARGEST_BYTES + 1, bodies.LONGEST_UPLOAD_BYTES + MEGABYTE]
    async with client(server, settings, database, make_user) as http:
        assert (await http.put(ADDRESS, content=images.photograph(), headers=PNG)).is_success
        decoded.clear()
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins here
        before = memory_mb("VmRSS")
        for name, content in bombs.items():
            answer = await http.put(ADDRESS, content=content, headers=PNG)
            assert answer.status_code == 422, name
        for size in over:
            for headers, start in ((PNG, b"\x89PNG\r\n\x1a\n"), (PARTS, FILE)):
                told = headers | {"Content-Length": str(size)}
                exact = (piece for piece in cut(flood(size, start), size))
                for sent in (told, headers):  # announced, and in chunks
                    answer = await http.put(ADDRESS, content=slowly(exact), headers=sent)
                    assert answer.status_code in {400, 413, 422}
                    exact = (piece for piece in cut(flood(size, start), size))
        taken = memory_mb("VmHWM") - before
    assert max(decoded, default=0) < 100_000
    assert taken <= MORE_MEMORY_MB
    assert await count(database) == 2


def cut(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Return the first `size` bytes."""
    for piece in pieces:
        yield piece[:size]
        size -= len(piece)
        if size <= 0:
            return


async def count(database: Database) -> int:
    async with database.read() as read:
        return int(await read.scalar(select(func.count()).select_from(Avatar)))


LARGEST: list[tuple[str, tuple[int, int], str, dict[str, Any]]] = [
    ("PNG", (3100, 3100), "RGBA", {}),
    ("GIF", (3100, 3100), "P", {}),
    ("WEBP", (1500, 1500), "RGBA", {"lossless": True}),
    ("AVIF", (1650, 1650), "RGBA", {"subsampling": "4:4:4"}),
    ("JPEG", (3400, 3400), "RGB", {"progressive": True}),
    ("JPEG", (8160, 6120), "RGB", {}),
]


@pytest.mark.parametrize(("kind", "size", "mode", "how"), LARGEST)
def test_largest_picture_that_is_taken_takes_little_memory(
    kind: str, size: tuple[int, int], mode: str, how: dict[str, Any]
) -> None:
    content = images.picture(kind, size, mode, **how)
    Path("/proc/self/clear_refs").write_text("5")
    before = memory_mb("VmRSS")
    assert pictures.squares(content)
    assert memory_mb("VmHWM") - before <= MORE_MEMORY_MB


async def test_ten_thousand_parts_and_two_files_are_refused(
    server: Serving, settings: Settings, database: Database, make_user: MakeUser
) -> None:
    many = b"".join(PART % number for number in range(10_000)) + b"--x--\r\n"
    two = (FILE + images.picture() + b"\r\n") * 2 + b"--x--\r\n"
    async with client(server, settings, database, make_user) as http:
        assert (await http.put(ADDRESS, content=many, headers=PARTS)).status_code == 413
        assert (await http.put(ADDRESS, content=two, headers=PARTS)).status_code == 415
        for kind in ("text/plain", "application/json", "application/x-www-form-urlencoded", ""):
            answer = await http.put(
                ADDRESS, content=images.picture(), headers={"Content-Type": kind}
            )
            assert answer.status_code == 415, kind
    assert await count(database) == 0


@pytest.mark.parametrize("signed_in", [False, True])
async def test_only_an_account_may_send_much_and_only_there(
    server: Serving,
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    signed_in: bool,
) -> None:
    size = pictures.LARGEST_BYTES
    cookie = await session_cookie(database, server.app, await make_user("june"))
    async with client(server, settings, database, make_user) as http:
        if not signed_in:
            http.headers.pop("Authorization")
        http.cookies.update({"session": cookie} if signed_in else {})
        for method, path, right in (
            ("PUT", ADDRESS, 422 if signed_in else 401),
            ("POST", "/edit_profile", 403 if signed_in else 303),
            ("POST", "/posts", 413),
        ):
            body = slowly(cut(flood(size, FILE + b"x"), size))
            answer = await http.request(method, path, content=body, headers=PARTS)
            assert answer.status_code == right, path


async def test_who_waits_for_a_place_is_held_up_and_not_in_memory(
    server: Serving,
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All places are taken by slow ones: the next is paused, then told to come back."""
    monkeypatch.setattr(uploads, "QUEUE_SECONDS", 0.5)
    taken = server.runtime.upload_places
    while not taken.locked():
        await taken.acquire()
    size = pictures.LARGEST_BYTES
    async with client(server, settings, database, make_user) as http:
        body = slowly(cut(flood(size, FILE), size))
        answer = await http.put(ADDRESS, content=body, headers=PARTS)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        taken.release()
        good = FILE + images.picture("PNG") + b"\0" * MEGABYTE + b"\r\n--x--\r\n"
        assert (await http.put(ADDRESS, content=good, headers=PARTS)).status_code == 200
    assert not server.runtime.uploading
    assert not taken.locked()


async def test_slow_body_gives_its_place_back(
    server: Serving,
    settings: Settings,
    database: Database,
    make_user: MakeUser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "PATIENCE_SECONDS", 0.5)
    token = await access_token(database, settings, await make_user())
    head = f"PUT {ADDRESS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
    head += f"Content-Type: image/png\r\nContent-Length: {pictures.LARGEST_BYTES}\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(head.encode() + b"\x89PNG")
    async with asyncio.timeout(20):
        answer = await reader.readline()
    writer.close()
    assert b" 408 " in answer
    async with asyncio.timeout(20):
        while server.runtime.uploading:
            await asyncio.sleep(0.01)
    assert not server.runtime.upload_places.locked()
