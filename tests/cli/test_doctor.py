"""`microblog doctor`: what is well, what is not, and what it says to do about it."""

import json
import os
import re
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import text, update

from microblog.cli import machine_checks, service_checks
from microblog.core.tasks import Prune
from microblog.database import Database
from microblog.models import Job, SearchPosition
from microblog.queries import health
from microblog.settings import Settings
from tests.cli.conftest import Run
from tests.cli.databases import on
from tests.conftest import all_databases
from tests.mailboxes import MailServer, mailed_by
from tests.services import choose_free_port

EVERYWHERE = {
    *("python", "settings", "secret", "disk", "folder", "files", "address", "workers", "tls"),
    *("database", "texts", "clock", "jobs", "index", "bell", "mail"),
}


def examined(run: Run, **env: str) -> dict[str, dict[str, Any]]:
    """Return what is found, by name."""
    return {one["name"]: one for one in json.loads(run("doctor", "--json", **env).stdout)}


async def set_index(database: Database) -> None:
    """Say that search has all that there is."""
    async with database.write() as tx:
        await tx.insert(SearchPosition, {"store": "sql", "event_id": 0})


@all_databases
def test_everything_is_well(run: Run, settings: Settings, backend: str) -> None:
    on(settings, set_index)
    found = examined(run)
    own = {"sqlite"} if backend == "sqlite" else {"version"}
    assert found.keys() == EVERYWHERE | own
    assert [one for one in found.values() if one["state"] != "ok"] == []
    printed = run.works("doctor")
    assert printed.splitlines()[-1] == "17 are well, 0 could be better, 0 must be mended."
    assert "→" not in printed


@pytest.mark.parametrize("url", ["postgresql://u:geheim@127.0.0.1:{}/x", "sqlite:////{}/none.db"])
def test_database_that_is_away_is_told_and_the_rest_looked_at(run: Run, url: str) -> None:
    done = run("doctor", MICROBLOG_DATABASE_URL=url.format(choose_free_port()))
    assert done.exit_code == (1 if "postgres" in url else 0)
    assert re.search(r"^(fail|warn)  database ", done.stdout, re.MULTILINE)
    assert re.search(r"^ok    mail ", done.stdout, re.MULTILINE)
    assert "geheim" not in done.output


def test_tables_of_another_revision_are_told(run: Run, settings: Settings) -> None:
    async def age(database: Database) -> None:
        async with database.write() as tx:
            await tx.execute(text("UPDATE alembic_version SET version_num = '0001'"))

    on(settings, age)
    found = examined(run)["database"]
    assert found["state"] == "fail"
    assert "microblog db upgrade" in found["mend"]


def test_services_that_are_away(run: Run) -> None:
    port = choose_free_port()
    found = examined(
        run,
        REDIS_URL=f"redis://127.0.0.1:{port}",
        ELASTICSEARCH_URL=f"http://127.0.0.1:{port}",
        MAIL_SERVER="127.0.0.1",
        MAIL_PORT=str(port),
        MAIL_FROM="blog@example.org",
    )
    states = {name: found[name]["state"] for name in ("bell", "search", "mail", "address")}
    assert states == {"bell": "warn", "search": "fail", "mail": "fail", "address": "warn"}
    assert "REDIS_URL" in found["bell"]["mend"]
    assert "ELASTICSEARCH_URL" in found["search"]["mend"]
    assert "MAIL_SERVER" in found["mail"]["mend"]


async def test_mail_server_that_takes_us(settings: Settings, sink: MailServer) -> None:
    found = [one async for one in service_checks.elsewhere(mailed_by(settings, sink))]
    assert found[-1].name == "mail"
    assert found[-1].state == "ok"
    assert sink.mails == []


@pytest.mark.parametrize("backend", ["elastic"], indirect=True)
async def test_search_server_that_has_no_index_yet(settings: Settings) -> None:
    found = {one.name: one async for one in service_checks.elsewhere(settings)}
    assert found["search"].state == "warn"
    assert "microblog search reindex" in (found["search"].mend or "")


@pytest.mark.parametrize(
    ("what", "answer", "name", "mend"),
    [
        ("texts", ("SQL_ASCII", "C"), "texts", "in UTF-8"),
        ("version", "3.31.1", "sqlite", "3.35"),
        ("journal_mode", "delete", "sqlite", "local disk"),
        ("has_fts5", False, "sqlite", "FTS5"),
    ],
)
def test_database_that_does_not_do(
    run: Run, monkeypatch: pytest.MonkeyPatch, what: str, answer: Any, name: str, mend: str
) -> None:
    async def there(_read: object) -> Any:
        return answer

    monkeypatch.setattr(health, what, there)
    found = examined(run)[name]
    assert found["state"] == ("warn" if answer == "delete" else "fail")
    assert mend in found["mend"]


def test_wrong_setting_is_a_finding(run: Run) -> None:
    done = run("doctor", "--json", MICROBLOG_POSTS_PER_PAGE="many")
    assert done.exit_code == 1
    (found,) = json.loads(done.stdout)
    assert found["name"] == "settings"
    assert "MICROBLOG_POSTS_PER_PAGE 'many'" in found["says"]


def test_misspelt_setting_is_a_warning(run: Run) -> None:
    found = examined(run, MICROBLOG_SITE_NAM="x")["settings"]
    assert found["state"] == "warn"
    assert "MICROBLOG_SITE_NAME" in found["says"]


def test_secret_that_others_may_read(run: Run, settings: Settings) -> None:
    path = settings.data_dir / "secret_key"
    path.write_text("x" * 64)
    path.chmod(0o644)
    found = examined(run, MICROBLOG_SECRET_KEY="")["secret"]
    assert found["state"] == "fail"
    assert f"chmod 600 {path}" in found["mend"]
    assert "xxx" not in str(found)
    path.chmod(0o600)
    assert examined(run, MICROBLOG_SECRET_KEY="")["secret"]["state"] == "ok"


def test_doctor_makes_no_secret(run: Run, settings: Settings) -> None:
    assert examined(run, MICROBLOG_SECRET_KEY="")["secret"]["state"] == "ok"
    assert not (settings.data_dir / "secret_key").exists()


def test_work_that_nobody_does_and_that_failed(run: Run, settings: Settings) -> None:
    async def leave(database: Database) -> None:
        async with database.write() as tx:
            tx.enqueue(Prune(), key="late", at=datetime.now(UTC) - timedelta(hours=1))

    async def kill(database: Database) -> None:
        async with database.write() as tx:
            dead = {"state": "dead", "due_at": None, "unfinished_key": None}
            await tx.change(update(Job).where(Job.key == "late").values(**dead))

    on(settings, leave)
    late = examined(run)["jobs"]
    assert late["state"] == "warn"
    assert "nobody works" in late["says"]
    assert "microblog jobs" in late["mend"]
    on(settings, kill)
    dead = examined(run)["jobs"]
    assert dead["state"] == "warn"
    assert "1 failed" in dead["says"]
    assert "retry" in dead["mend"]


def test_index_that_was_never_filled(run: Run) -> None:
    found = examined(run)["index"]
    assert found["state"] == "warn"
    assert "microblog search reindex" in found["mend"]


@pytest.mark.parametrize(
    ("seconds", "state"), [(0, "ok"), (-20, "warn"), (20, "warn"), (90, "fail")]
)
def test_clock_of_the_database(
    run: Run, monkeypatch: pytest.MonkeyPatch, seconds: int, state: str
) -> None:
    async def there(_read: object) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=seconds)

    monkeypatch.setattr(health, "clock", there)
    assert examined(run)["clock"]["state"] == state


@pytest.mark.parametrize(("free_mib", "state"), [(10_000, "ok"), (200, "warn"), (10, "fail")])
def test_room_on_the_disk(
    run: Run, monkeypatch: pytest.MonkeyPatch, free_mib: int, state: str
) -> None:
    class Usage:
        free = free_mib * 2**20

    monkeypatch.setattr(machine_checks.shutil, "disk_usage", lambda _path: Usage)
    assert examined(run)["disk"]["state"] == state


def test_few_files(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_checks.room, "raise_limit", lambda: 1024)
    found = machine_checks._files(settings)
    assert found.state == "warn"
    assert "LimitNOFILE" in (found.mend or "")


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc/self/mem").exists(), reason="no /proc")
def test_folder_that_cannot_be_written(settings: Settings) -> None:
    unwritable = replace(settings, data_dir=Path("/proc/self"))
    (found,) = [one for one in machine_checks._folders(unwritable) if one.name == "folder"]
    assert found.state == "fail"
    assert "MICROBLOG_DATA_DIR" in (found.mend or "")


@pytest.mark.parametrize(
    ("env", "name", "state"),
    [
        ({"MICROBLOG_PUBLIC_URL": "http://blog.example.org"}, "address", "warn"),
        ({"MICROBLOG_PUBLIC_URL": "http://localhost:8000"}, "address", "ok"),
        ({"MICROBLOG_PUBLIC_URL": "https://blog.example.org"}, "tls", "warn"),
    ],
)
def test_address(run: Run, env: dict[str, str], name: str, state: str) -> None:
    assert examined(run, **env)[name]["state"] == state


def test_processes_that_do_not_wake_one_another(run: Run) -> None:
    Path("hypercorn.toml").write_text("workers = 2\n")
    found = examined(run, MICROBLOG_BELL="memory")["workers"]
    assert found["state"] == "warn"
    assert "REDIS_URL" in found["mend"]


# --- TLS -----------------------------------------------------------------------------------------


def write_certificate(days: int, mode: int = 0o600) -> None:
    """Write a certificate and its key into the working folder, and let the server use them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days, hours=1))
        .sign(key, hashes.SHA256())
    )
    Path("cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    kind = serialization.PrivateFormat.PKCS8
    Path("key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, kind, plain))
    Path("key.pem").chmod(mode)
    Path("hypercorn.toml").write_text('certfile = "cert.pem"\nkeyfile = "key.pem"\n')


@pytest.mark.parametrize(("days", "state"), [(90, "ok"), (10, "warn"), (-3, "fail")])
def test_certificate_that_ends(run: Run, days: int, state: str) -> None:
    write_certificate(days)
    assert examined(run)["tls"]["state"] == state


def test_key_that_others_may_read(run: Run) -> None:
    write_certificate(90, mode=0o644)
    found = examined(run)["tls"]
    assert found["state"] == "warn"
    assert found["mend"] == "Run: chmod 600 key.pem"


def test_key_that_does_not_fit(run: Run) -> None:
    write_certificate(90)
    key = Path("key.pem").read_bytes()
    write_certificate(90)
    Path("key.pem").write_bytes(key)
    assert stat.S_IMODE(Path("key.pem").stat().st_mode) == 0o600
    found = examined(run)["server"]
    assert found["state"] == "fail"
    assert "certificate" in found["mend"]
