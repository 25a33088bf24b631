"""Static files and pictures: only what is meant to be sent, whatever the address says."""

import asyncio
import re

import pytest

from microblog.resources import STATIC
from microblog.web.assets import asset_path, assets
from tests.conftest import both_databases
from tests.people import Visit
from tests.serving import Serving

SECRETS = ("root:", "SQLite format", "[project]", "import ", "{% extends", "secret")
UPWARDS = [
    "../pyproject.toml",
    "../../etc/passwd",
    "../../../../../../../../etc/passwd",
    "..%2fpyproject.toml",
    "..%2Fpyproject.toml",
    "%2e%2e/pyproject.toml",
    "%2e%2e%2fpyproject.toml",
    "%2e%2e%5cpyproject.toml",
    ".%2e/pyproject.toml",
    "%2e./pyproject.toml",
    "..%252fpyproject.toml",
    "%252e%252e%252fpyproject.toml",
    "%25252e%25252e%25252fpyproject.toml",
    "..%c0%afpyproject.toml",
    "..%c1%9cpyproject.toml",
    "%c0%ae%c0%ae/pyproject.toml",
    "%e0%80%ae%e0%80%ae/pyproject.toml",
    "..%ef%bc%8fpyproject.toml",
    "%uff0e%uff0e/pyproject.toml",
    "..\\pyproject.toml",
    "..\\..\\pyproject.toml",
    "..%5cpyproject.toml",
    "..%255cpyproject.toml",
    "....//pyproject.toml",
    "....\\/pyproject.toml",
    "..././pyproject.toml",
    "..;/pyproject.toml",
    "..;%2fpyproject.toml",
    "css/../../pyproject.toml",
    "css/..%2f..%2fpyproject.toml",
    "css/%2e%2e/%2e%2e/pyproject.toml",
    "css/./../../pyproject.toml",
    "css//..//..//pyproject.toml",
    "css/../css/microblog.css",
    "css/./microblog.css",
    "css//microblog.css",
    "/etc/passwd",
    "//etc/passwd",
    "%2fetc%2fpasswd",
    "%2f%2fetc%2fpasswd",
    "/srv/microblog/pyproject.toml",
    "file:///etc/passwd",
    "file:%2f%2f%2fetc%2fpasswd",
    "http://127.0.0.1/etc/passwd",
    "C:/Windows/win.ini",
    "C:%5cWindows%5cwin.ini",
    "%00",
    "css/microblog.css%00",
    "css/microblog.css%00.png",
    "%00/../pyproject.toml",
    "css/microblog.css%0a",
    "css/microblog.css%20",
    "css/microblog.css.",
    "css/microblog.css::$DATA",
    "css/microblog.css/",
    "css/microblog.css/..",
    "css",
    "css/",
    ".",
    "..",
    "~root/.bashrc",
    "js/main.js~",
    ".git/config",
    "..%2f.env",
    "..%2fvar%2fmicroblog.db",
    "..%2fmicroblog%2fsettings.py",
    "..%2ftemplates%2fbase.html",
    "CSS/MICROBLOG.CSS",
    "*",
    "$(id)",
    "%",
    "%zz",
    "%ff%fe",
    "a" * 4000,
]


async def fetch(server: Serving, path: str) -> tuple[int, str, bytes]:
    """Ask for a path exactly as it is written: clients would tidy it up first."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    writer.write(head.encode("latin1", "replace"))
    raw = await reader.read()
    writer.close()
    headers, _, body = raw.partition(b"\r\n\r\n")
    kind = re.search(rb"content-type: ([^\r;]*)", headers, re.IGNORECASE)
    return int(raw.split(b" ", 2)[1]), kind[1].decode() if kind else "", body


@pytest.mark.S9
@both_databases
@pytest.mark.parametrize("folder", ["/static/0/", "/static/", "/static/%2e%2e/"])
async def test_address_of_a_static_file_leads_nowhere_else(server: Serving, folder: str) -> None:
    known = {asset.content for asset in assets().values()}
    for payload in UPWARDS:
        status, _kind, body = await fetch(server, folder + payload)
        if status == 200:
            assert body in known, payload
        else:
            # 308: two slashes become one; the address that follows is asked for by itself.
            assert status in {404, 308}, (payload, status)
            assert not any(secret.encode() in body for secret in SECRETS), payload


@pytest.mark.S9
@both_databases
@pytest.mark.parametrize("end", ["", "/avatar.svg"])
async def test_address_of_a_picture_leads_nowhere_else(server: Serving, end: str) -> None:
    for payload in UPWARDS:
        status, kind, body = await fetch(server, f"/user/{payload}{end}")
        if status == 200:
            assert (kind, body[:5]) == ("image/svg+xml", b"<svg "), payload
        else:
            assert status in {404, 308}, (payload, status)
            assert not any(secret.encode() in body for secret in SECRETS), payload


async def test_picture_is_drawn_the_same_for_a_name_in_any_case_known_or_not(visit: Visit) -> None:
    browser = await visit()
    one = await browser.text("/user/Nobody/avatar.svg")
    assert one == await browser.text("/user/nobody/avatar.svg")
    assert one != await browser.text("/user/somebody/avatar.svg")


async def test_file_is_kept_for_ever_only_under_the_name_of_its_version(visit: Visit) -> None:
    client = (await visit()).client
    path = asset_path("js/main.js")
    now = await client.get(path)
    before = await client.get(path.replace(path.split("/")[2], "000000000000"))
    assert "immutable" in now.headers["Cache-Control"]
    assert before.headers["Cache-Control"] == "public, no-cache"
    assert await now.get_data() == await before.get_data()
    assert now.content_type == "text/javascript; charset=utf-8"


async def test_file_that_is_not_there_has_no_address() -> None:
    with pytest.raises(LookupError):
        asset_path("js/nothing.js")


def test_scripts_of_a_page_are_small_and_without_comments() -> None:
    ours = {
        name: asset for name, asset in assets().items() if re.match(r"js/.+(?<!-docs)\.js$", name)
    }
    assert sum(len(asset.compressed or asset.content) for asset in ours.values()) <= 25_000
    for name, asset in ours.items():
        whole = (STATIC / name).read_text()
        kept = [line for line in whole.split("\n") if not re.match(r"\s*(//|/?\*)", line)]
        assert asset.content.decode().split() == "\n".join(kept).split(), name
