"""What `microblog doctor` looks at on this machine, without asking anybody else."""

import importlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypercorn.config import Config

from microblog import export_files, secret_file
from microblog.cli.config import passed_over
from microblog.cli.findings import Finding, fail, ok, warn
from microblog.cli.listening import SERVER_FILE, server_config
from microblog.core.errors import SettingError
from microblog.edge import room
from microblog.settings import Settings

TRIED = ((3, 11), (3, 13))
LITTLE_BYTES, TOO_LITTLE_BYTES = 500 * 2**20, 50 * 2**20
SOON_DAYS = 21
MIB = 2**20


def on_this_machine(settings: Settings) -> Iterator[Finding]:
    """Yield how the machine and the settings are."""
    yield _python()
    yield _variables()
    yield _secret(settings)
    yield from _folders(settings)
    yield _files(settings)
    yield _address(settings)
    yield from _server(settings)


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    if TRIED[0] <= sys.version_info[:2] <= TRIED[1]:
        return ok("python", f"Python {found}.")
    tried = " to ".join(".".join(map(str, one)) for one in TRIED)
    return warn("python", f"Python {found} has not been tried.", f"Use Python {tried}.")


def _variables() -> Finding:
    unknown = passed_over()
    if unknown:
        return warn("settings", " ".join(unknown), "See what is in force: microblog config")
    return ok("settings", "All that is set is known and can be read.")


def _secret(settings: Settings) -> Finding:
    if settings.secret_key is not None:
        return ok("secret", f"Given by {settings.spelling('secret_key')}.")
    path = settings.data_dir / "secret_key"
    if not path.exists():
        return ok("secret", f"Will be made at the first start, in {path}.")
    try:
        secret_file.keep(settings.data_dir)
    except SettingError as error:
        return fail("secret", f"The secret {path} cannot be used.", str(error))
    return ok("secret", f"Kept in {path}, which nobody else may read.")


def _folders(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    name = settings.spelling("data_dir")
    there = next(one for one in [folder, *folder.absolute().parents] if one.is_dir())
    free = shutil.disk_usage(there).free
    says = f"{free // MIB:,} MiB are free at {there}."
    mend = f"Make room, or move the folder of {name} to a larger disk."
    if free < TOO_LITTLE_BYTES:
        yield fail("disk", says, mend)
    elif free < LITTLE_BYTES:
        yield warn("disk", says, mend)
    else:
        yield ok("disk", says)
    exports = folder / export_files.FOLDER
    written = next(one for one in [exports, folder, there] if one.is_dir())
    try:
        with tempfile.TemporaryFile(dir=written):
            pass
    except OSError as error:
        mend = f"Give it to who runs the server, or set {name} to another folder."
        yield fail("folder", f"Nothing can be written to {written}: {error.strerror}.", mend)
    else:
        yield ok("folder", f"{written} can be written to (the secret, exports).")


def _files(settings: Settings) -> Finding:
    files = room.raise_limit()
    most = room.sockets(settings, files)
    if files is None:
        return ok("files", "There is no limit to open files.")
    says = f"{files:,} files may be open, enough for {most:,} live connections."
    if most < settings.sockets_per_process:
        mend = (
            f"Raise the hard limit (ulimit -Hn, or LimitNOFILE= of systemd), or lower "
            f"{settings.spelling('sockets_per_process')} ({settings.sockets_per_process:,})."
        )
        return warn("files", says, mend)
    return ok("files", says)


def _address(settings: Settings) -> Finding:
    name = settings.spelling("public_url")
    if settings.public_url is None:
        if settings.mailer_in_use == "none":
            return ok("address", f"{name} is not set: right for one machine without a proxy.")
        mend = f"Set {name}=https://… to the address people use."
        return warn("address", "Nobody is mailed a link, as no address is set.", mend)
    if not settings.is_secure and not _is_local(settings.public_url):
        mend = "Offer HTTPS, by a proxy or with certfile and keyfile in hypercorn.toml."
        return warn("address", f"{settings.public_url}: passwords travel in the clear.", mend)
    return ok("address", f"People come to {settings.public_url}.")


def _is_local(address: str) -> bool:
    return any(f"//{host}" in address for host in ("localhost", "127.", "[::1]", "192.168.", "10."))


def _server(settings: Settings) -> Iterator[Finding]:
    """Yield how the file of the server is: processes, and the certificate."""
    try:
        config = server_config()
    except SettingError as error:
        yield fail("server", f"{SERVER_FILE} cannot be used.", str(error))
        return
    if config.workers > 1 and settings.bell_in_use == "memory":
        mend = f"Set {settings.spelling('redis_url')}, or be content with a second."
        yield warn("workers", f"{config.workers} processes do not wake one another.", mend)
    else:
        yield ok("workers", f"Processes that serve: {config.workers} (serve --workers wins).")
    if config.certfile is not None and config.keyfile is not None:
        yield _certificate(config)
    elif settings.is_secure and not settings.trusted_proxies:
        yield warn(
            "tls",
            "HTTPS is somebody else's, and no proxy is trusted: all people seem to be one address.",
            f"Set {settings.spelling('trusted_proxies')}=127.0.0.1/32, or where the proxy is.",
        )
    else:
        yield ok("tls", "The server speaks plain HTTP itself.")


def _certificate(config: Config) -> Finding:
    key = Path(str(config.keyfile))
    if key.stat().st_mode & 0o077:
        return warn("tls", f"Others may read the key {key}.", f"Run: chmod 600 {key}")
    ends = _end_of(Path(str(config.certfile)))
    if ends is None:
        return ok("tls", f"{config.certfile} and {key} fit each other.")
    days = (ends - datetime.now(UTC)).days
    says = f"{config.certfile} is valid until {ends:%Y-%m-%d}."
    mend = "Renew it, then send the server SIGHUP."
    if days < 0:
        return fail("tls", says, mend)
    return warn("tls", says, mend) if days < SOON_DAYS else ok("tls", says)


def _end_of(path: Path) -> datetime | None:
    """Return when a certificate ends; None where nothing is installed that can read it."""
    try:
        x509: Any = importlib.import_module("cryptography.x509")
    except ImportError:
        return None
    ends: datetime = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    return ends
