"""`microblog cert`, and HTTPS with what it made: HTTP/2, WebSocket over TLS, a renewal."""

import contextlib
import http.client
import json
import signal
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from cryptography import x509
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from microblog.cli import cert, main
from tests.cli.conftest import Run
from tests.services import AppServer

NAME, PASSWORD = "mina", "a long enough sentence"


def names_in(path: Path) -> list[str]:
    found = x509.load_pem_x509_certificate(path.read_bytes())
    (names,) = [
        one.value for one in found.extensions if isinstance(one.value, x509.SubjectAlternativeName)
    ]
    return [str(one.value) for one in names]


def test_certificate_is_made_for_localhost_and_names(run: Run, empty_folder: Path) -> None:
    printed = run.works("cert", "blog.LAN", "192.168.1.7", "[fd00::1]", "한글.kr", "--to", "tls")
    key = empty_folder / "tls" / "key.pem"
    assert key.stat().st_mode & 0o777 == 0o600
    always = ["localhost", "127.0.0.1", "::1", socket.gethostname()]
    given = ["blog.lan", "192.168.1.7", "fd00::1", "xn--bj0bj06e.kr"]
    assert names_in(empty_folder / "tls" / "cert.pem") == [*always, *given]
    assert "microblog serve --certfile tls/cert.pem --keyfile tls/key.pem" in printed
    assert [path.name for path in sorted(key.parent.iterdir())] == ["cert.pem", "key.pem"]


def test_certificate_is_replaced_only_when_asked(run: Run, empty_folder: Path) -> None:
    run.works("cert", "--to", "tls")
    before = (empty_folder / "tls" / "key.pem").read_bytes()
    assert "--replace" in run.fails("cert", "--to", "tls")
    assert (empty_folder / "tls" / "key.pem").read_bytes() == before
    run.works("cert", "--to", "tls", "--replace", "--days", "30")
    assert (empty_folder / "tls" / "key.pem").read_bytes() != before


@pytest.mark.parametrize("name", ["a b", "https://blog.lan", "", "blog..lan", "*"])
def test_what_is_no_name_is_refused(run: Run, name: str) -> None:
    done = run("cert", name, "--to", "tls")
    assert done.exit_code == 2
    assert "is no host name" in done.stderr
    assert not Path("tls").exists()


def test_folder_that_cannot_be_made_is_one_sentence(run: Run) -> None:
    Path("file").touch()
    assert "file/tls cannot be written to" in run.fails("cert", "--to", "file/tls")


def test_missing_package_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(_name: str) -> None:
        raise ImportError

    monkeypatch.setattr(cert, "import_module", absent)
    assert "pip install cryptography" in run.fails("cert", "--to", "tls")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--certfile", "absent.pem"], "are needed together"),
        (["--certfile", "a.pem", "--keyfile", "a.pem"], "the certificate cannot be used"),
    ],
)
def test_certificate_that_cannot_be_served_is_one_sentence(
    run: Run, words: list[str], told: str
) -> None:
    said = run.fails("serve", *words)
    assert said.startswith("--certfile and --keyfile: ")
    assert told in said


# --- Served --------------------------------------------------------------------------------------


class SecureServer(AppServer):
    """The same over TLS, which its clients check."""

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.folder / "tls" / "cert.pem"))

    def make(self, *words: str) -> None:
        done = CliRunner().invoke(main, ["cert", "--to", str(self.folder / "tls"), *words])
        assert done.exit_code == 0, done.output

    def status(self, path: str) -> int | None:
        connection = http.client.HTTPSConnection(
            "localhost", self.port, timeout=2, context=self.trust
        )
        with contextlib.closing(connection):
            try:
                connection.request("GET", path)
                return connection.getresponse().status
            except (OSError, http.client.HTTPException):
                return None


@pytest.fixture
def secure_server() -> Iterator[SecureServer]:
    words = ("--certfile", "tls/cert.pem", "--keyfile", "tls/key.pem")
    server = SecureServer({"MICROBLOG_BCRYPT_ROUNDS": "4"}, *words)
    server.make()
    server.start()
    yield server
    server.close()


def test_https_with_http2_a_socket_and_a_renewed_certificate(secure_server: SecureServer) -> None:
    server = secure_server
    assert f"Microblog is at https://127.0.0.1:{server.port}\n" in server.output()
    with httpx.Client(http2=True, verify=server.trust, base_url=server.url, timeout=30) as client:
        account = {"username": NAME, "email": "mina@example.org", "password": PASSWORD}
        made = client.post("/api/users", json=account)
        assert (made.status_code, made.http_version) == (201, "HTTP/2")
        token = client.post("/api/tokens", auth=(NAME, PASSWORD)).json()["access_token"]
        forms = [Subprotocol(f"bearer.{token}"), Subprotocol("microblog.v1")]
        address = f"wss://localhost:{server.port}/live?topics=explore"
        with connect(address, ssl=server.trust, subprotocols=forms, proxy=None) as live:
            assert json.loads(live.recv(timeout=30))["type"] == "hello"
            bearer = {"Authorization": f"Bearer {token}"}
            posted = client.post("/api/posts", json={"body": "Over TLS"}, headers=bearer)
            assert posted.status_code == 201
            told = ""
            while "Over TLS" not in told:
                told = str(live.recv(timeout=30))
            former = shown(server)
            server.make("--replace")
            assert server.process is not None
            server.process.send_signal(signal.SIGHUP)
            with contextlib.suppress(Exception):
                while True:
                    live.recv(timeout=30)
            assert live.close_code == 1012
    server.start()  # waits until it answers, and only the new certificate is trusted now
    assert shown(server) != former


def shown(server: SecureServer) -> bytes:
    """Return the certificate that a server shows."""
    return ssl.get_server_certificate(("127.0.0.1", server.port), timeout=30).encode()
