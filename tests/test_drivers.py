"""How the drivers connect: seen by nobody, where the address asks for it."""

import asyncio
import subprocess
from collections.abc import Sequence

import pytest
from sqlalchemy import text

from microblog.core.errors import Unavailable
from microblog.database import open_database
from microblog.settings import Settings
from tests.conftest import require
from tests.mariadb import MariaDb


class MariaDbWithTls(MariaDb):
    """A server that offers TLS, with a certificate for its address."""

    def command(self) -> Sequence[str]:
        files = [f"--ssl-cert={self.folder / 'cert.pem'}", f"--ssl-key={self.folder / 'key.pem'}"]
        return [*super().command(), *files]

    def make_certificate(self) -> None:
        subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
        where = ("-keyout", self.folder / "key.pem", "-out", self.folder / "cert.pem")
        words = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject, *where)
        subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=60)


async def encryption(url: str) -> str:
    """Return which TLS a connection has, "" for none."""
    database = open_database(Settings(database_url=url))
    try:
        async with database.read() as read:
            found = (await read.execute(text("SHOW STATUS LIKE 'Ssl_version'"))).one()
            return str(found[1])
    finally:
        await database.close()


async def test_connection_is_encrypted_where_the_address_asks_for_it(
    mariadb_server: MariaDb,
) -> None:
    require("openssl")
    server = MariaDbWithTls()
    server.make_certificate()
    authority = f"?ssl_ca={server.folder / 'cert.pem'}"
    try:
        await asyncio.to_thread(server.start)
        assert await encryption(server.url) == ""
        assert (await encryption(server.url + authority)).startswith("TLS")
        with pytest.raises(Unavailable):  # it has none, and who stands between could say so too
            await encryption(mariadb_server.url + authority)
    finally:
        await asyncio.to_thread(server.close)
