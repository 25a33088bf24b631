"""A real Elasticsearch for the tests: the server's smallest build, from Maven Central.

`mvn` puts the archive into `~/.m2` (`.ci/run` does so, and CONTRIBUTING says how); it needs Java 17
or later. The server refuses to run as root, so there it runs as an ordinary user.
"""

import http.client
import os
import pwd
import subprocess
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.processes import Server, choose_free_port, clean_environment, find_program

VERSION = "8.19.0"
ARTIFACT = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{VERSION}:zip"
ARCHIVE = Path.home().joinpath(
    ".m2/repository/org/elasticsearch/distribution/integ-test-zip/elasticsearch",
    VERSION,
    f"elasticsearch-{VERSION}.zip",
)
START_SECONDS = 100.0  # a Java server on a busy machine


def missing_elasticsearch() -> list[str]:
    """Name what this machine lacks, and how it is had."""
    lacking = []
    if find_program("java") is None:
        lacking.append("java (apt install openjdk-17-jre-headless)")
    if not ARCHIVE.exists():
        how = f"mvn dependency:get -Dartifact={ARTIFACT} -Dtransitive=false"
        lacking.append(f"elasticsearch {VERSION} ({how})")
    return lacking


class Elasticsearch(Server):
    """An Elasticsearch of one node, which keeps its data over restarts."""

    name = "elasticsearch"
    tries_again = True  # the port may be held for a moment after a kill

    def __init__(self) -> None:
        super().__init__()
        self.transport_port = choose_free_port()
        self.home = self.folder / f"elasticsearch-{VERSION}"
        self._unpack()
        if os.geteuid() == 0:
            names = {entry.pw_name for entry in pwd.getpwall()}
            self.user = "daemon" if "daemon" in names else "nobody"
            subprocess.run(["chown", "-R", self.user, self.folder], check=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, seconds: float = START_SECONDS) -> Self:
        return super().start(seconds)

    def command(self) -> Sequence[str]:
        return [str(self.home / "bin" / "elasticsearch")]

    def environment(self) -> Mapping[str, str]:
        java = Path(find_program("java") or "java").resolve()
        own = {"HOME": str(self.folder), "ES_TMPDIR": str(self.folder / "tmp")}
        return {
            **clean_environment(),
            **own,
            "ES_JAVA_HOME": str(java.parent.parent),
            "ES_JAVA_OPTS": "-Xms512m -Xmx512m",
        }

    def is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/_cluster/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _unpack(self) -> None:
        with zipfile.ZipFile(ARCHIVE) as archive:
            archive.extractall(self.folder)
        (self.folder / "tmp").mkdir()
        for program in (self.home / "bin").iterdir():
            program.chmod(0o755)
        settings = {
            "discovery.type": "single-node",
            "network.host": "127.0.0.1",
            "http.port": self.port,
            "transport.port": self.transport_port,
            "xpack.security.enabled": "false",
            "cluster.routing.allocation.disk.threshold_enabled": "false",
        }
        lines = [f"{name}: {value}\n" for name, value in settings.items()]
        (self.home / "config" / "elasticsearch.yml").write_text("".join(lines))
