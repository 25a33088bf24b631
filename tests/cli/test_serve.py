"""`microblog serve`, as a real process: what it prints, what it refuses, and how it ends."""

import contextlib
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from microblog.render.frames import FORMS
from microblog.secret_file import keep
from tests.cli.conftest import one_sentence, process
from tests.services import AppServer, choose_free_port, clean_environment

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
FORM = Subprotocol(FORMS[0])
ENOUGH = "a long enough sentence"


@pytest.fixture
def app_server() -> Iterator[AppServer]:
    """A server that was not started yet, on an SQLite file of its own."""
    server = AppServer({"MICROBLOG_BCRYPT_ROUNDS": "4"})
    yield server
    server.close()


def refusal(folder: Path, *words: str, **env: str) -> str:
    """Return the sentence with which a server does not start."""
    done = process("microblog", "serve", *words, folder=folder, **env)
    assert done.returncode == 1, done.stdout
    return one_sentence(done.stderr)


# --- What it prints, and the first administrator -------------------------------------------------


def test_first_start_makes_all_it_needs_and_says_where_it_is(app_server: AppServer) -> None:
    app_server.start()
    printed = app_server.output()
    assert f"Microblog is at {app_server.url}\n" in printed
    assert f"{app_server.url}/setup?token=" in printed
    assert "In the same network" not in printed
    var = app_server.folder / "var"
    assert (var / "secret_key").stat().st_mode & 0o777 == 0o600
    assert (var / "microblog.db").is_file()


def test_link_for_the_first_administrator_works_once(app_server: AppServer) -> None:
    app_server.start()
    (link,) = re.findall(r"http://\S+/setup\?token=\S+", app_server.output())
    with httpx.Client(base_url=app_server.url) as browser:
        assert browser.get("/setup").status_code == 404
        assert browser.get("/setup?token=wrong").status_code == 404
        page = browser.get(link)
        assert page.status_code == 200
        form = {
            "csrf_token": found_in(page.text),
            "token": link.partition("token=")[2],
            "username": "mina",
            "email": "mina@example.org",
            "password": ENOUGH,
            "password2": ENOUGH,
        }
        assert browser.post("/setup", data=form).status_code == 303
        assert browser.get("/").status_code == 200
        assert browser.get(link).status_code == 404
        again = form | {"username": "sora", "email": "sora@example.org"}
        again["csrf_token"] = found_in(browser.get("/").text)
        assert browser.post("/setup", data=again).status_code == 404
        assert browser.get("/user/sora").status_code == 404
    printed = app_server.output()
    app_server.restart()
    assert "/setup?token=" not in app_server.output().removeprefix(printed)


def found_in(page: str) -> str:
    found = TOKEN.search(page)
    assert found is not None, "the page has no form"
    return found[1]


def test_host_for_everyone_prints_an_address_for_the_network() -> None:
    server = AppServer({}, "--host", "0.0.0.0")
    try:
        server.start()
        printed = server.output()
    finally:
        server.close()
    assert f"Microblog is at http://127.0.0.1:{server.port}\n" in printed
    found = re.search(r"In the same network.*: http://([\d.]+):(\d+)\n", printed)
    if found is None:
        pytest.skip("this machine is in no network")
    assert found[1] != "0.0.0.0"
    assert int(found[2]) == server.port


def test_public_address_is_what_is_printed() -> None:
    server = AppServer({"MICROBLOG_PUBLIC_URL": "https://blog.example.org"})
    try:
        server.start()
        printed = server.output()
    finally:
        server.close()
    assert "Microblog is at https://blog.example.org\n" in printed
    assert "https://blog.example.org/setup?token=" in printed


# --- The server's own file ---------------------------------------------------------------------


def test_bind_of_the_file_holds_until_an_option_is_given(tmp_path: Path) -> None:
    port, other = choose_free_port(), choose_free_port()
    (tmp_path / "hypercorn.toml").write_text(f'bind = "127.0.0.1:{port}"\nbacklog = 200\n')
    assert printed_address(tmp_path) == f"http://127.0.0.1:{port}"
    assert printed_address(tmp_path, "--port", str(other)) == f"http://127.0.0.1:{other}"
    assert printed_address(tmp_path, "--host", "127.0.0.2") == f"http://127.0.0.2:{port}"


def printed_address(folder: Path, *words: str) -> str:
    """Start a server in a folder, and ask at the address that it prints; return the address."""
    with subprocess.Popen(
        [sys.executable, "-m", "microblog", "serve", *words],
        cwd=folder,
        env={**clean_environment(), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as running:
        try:
            assert running.stdout is not None
            address = running.stdout.readline().removeprefix("Microblog is at ").strip()
            assert httpx.get(f"{address}/healthz", timeout=30).json() == {"status": "alive"}
        finally:
            running.terminate()
    return address


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("graceful_timeuot = 5", "there is no setting 'graceful_timeuot'"),
        ("create_sockets = 5", "there is no setting 'create_sockets'"),
        ("_bind = []", "there is no setting '_bind'"),
        ("bind = 8000", "bind must be an address"),
        ("bind = []", "bind must be an address"),
        ('backlog = "many"', "backlog must be a number"),
        ("include_date_header = 1", "include_date_header must be true or false"),
        ('worker_class = "trio"', "run: hypercorn -c hypercorn.toml microblog:app"),
        ('certfile = "a.pem"', "certfile and keyfile are needed together"),
        ('certfile = "a.pem"\nkeyfile = "a.pem"', "the certificate cannot be used"),
        ("bind = ", "cannot be read"),
    ],
)
def test_wrong_server_file_is_one_sentence(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "hypercorn.toml").write_text(content)
    said = refusal(tmp_path)
    assert said.startswith("hypercorn.toml")
    assert told in said


def test_socket_in_the_file_system_is_served(tmp_path: Path) -> None:
    (tmp_path / "hypercorn.toml").write_text('bind = "unix:blog.sock"\n')
    with subprocess.Popen(
        [sys.executable, "-m", "microblog", "serve"],
        cwd=tmp_path,
        env={**clean_environment(), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline() == "Microblog is at unix:blog.sock\n"
            transport = httpx.HTTPTransport(uds=str(tmp_path / "blog.sock"))
            with httpx.Client(transport=transport, timeout=30) as client:
                assert client.get("http://localhost/healthz").status_code == 200
        finally:
            running.terminate()


# --- What it refuses ---------------------------------------------------------------------------


def test_port_that_another_program_has_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = refusal(tmp_path, "--port", str(port))
    assert f"127.0.0.1:{port}: Address already in use." in told
    assert f"microblog serve --port {port + 1}" in told
    assert not (tmp_path / "var" / "microblog.db").exists()


def test_port_that_a_microblog_has_is_told_as_such(app_server: AppServer, tmp_path: Path) -> None:
    app_server.start()
    told = refusal(tmp_path, "--port", str(app_server.port))
    assert f"127.0.0.1 port {app_server.port}: a Microblog runs there already." in told


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.7", "ü" * 70, "a..b"])
def test_host_that_is_not_ours_is_one_sentence(tmp_path: Path, host: str) -> None:
    assert f"Cannot listen on {host}:" in refusal(tmp_path, "--host", host)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("POSTS_PER_PAGE", "many", "POSTS_PER_PAGE 'many'"),
        ("DATABASE_URL", "oracle://localhost/blog", "DATABASE_URL names 'oracle'"),
        ("DATABASE_URL", "postgresql://mina:geheim@127.0.0.1:1/blog", "mina:***@127.0.0.1:1/blog"),
        ("DATABASE_URL", "sqlite:////proc/blog.db", "cannot be used"),
        ("REDIS_URL", "localhost:6379", "REDIS_URL"),
        ("MICROBLOG_SECRET_KEY", "short", "MICROBLOG_SECRET_KEY"),
        ("MICROBLOG_ENV_FILE", "absent.env", "The env file absent.env does not exist."),
        ("MICROBLOG_DATA_DIR", "/dev/null/var", "/dev/null/var"),
    ],
)
def test_wrong_setting_is_one_sentence(tmp_path: Path, name: str, value: str, told: str) -> None:
    said = refusal(tmp_path, "--port", "0", **{name: value})
    assert told in said
    assert "geheim" not in said


def test_secret_that_others_may_read_is_one_sentence(tmp_path: Path) -> None:
    keep(tmp_path / "var")
    (tmp_path / "var" / "secret_key").chmod(0o644)
    assert "chmod 600" in refusal(tmp_path, "--port", "0")


# --- How it ends -------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_closes_live_connections_for_a_restart_and_is_quick(
    app_server: AppServer, number: signal.Signals
) -> None:
    app_server.start()
    with httpx.Client(base_url=app_server.url) as idle:
        idle.get("/healthz")  # a kept connection must not hold the server up
        with connect(f"{app_server.ws_url}/live", subprotocols=[FORM]) as live:
            assert live.recv(timeout=10)
            assert app_server.process is not None
            asked = time.monotonic()
            app_server.process.send_signal(number)
            with contextlib.suppress(ConnectionClosed):
                while live.recv(timeout=10):
                    pass
            assert live.close_code == 1012
            assert app_server.process.wait(10) == 0
    assert time.monotonic() - asked < 5
    assert "Traceback" not in app_server.output()


# --- Several at once ---------------------------------------------------------------------------


def test_two_first_starts_in_one_folder_agree(tmp_path: Path) -> None:
    env = {"MICROBLOG_DATA_DIR": str(tmp_path / "var")}
    servers = [AppServer(env), AppServer(env)]
    try:
        for server in servers:
            server._spawn()
        for server in servers:
            server.start()
        links = [re.findall(r"/setup\?token=\S+", server.output()) for server in servers]
        assert links[0] == links[1]
        assert len(links[0]) == 1
    finally:
        for server in servers:
            server.close()
