"""`microblog cert`: a certificate of one's own making, for HTTPS until there is a real one."""

import os
import socket
from datetime import UTC, datetime, timedelta
from importlib import import_module
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import click

from microblog.cli.plainly import PlainCommand, given_settings

FOLDER = "tls"
CERTIFICATE, KEY = "cert.pem", "key.pem"
ALWAYS = ("localhost", "127.0.0.1", "::1")
LONGEST_DAYS = 825  # Apple's systems believe none that is valid for longer
BACKDATED = timedelta(hours=1)  # for whose clock is slow
MISSING = "It is made by the package cryptography. Run: pip install cryptography"


@click.command(cls=PlainCommand)
@click.argument("names", nargs=-1)
@click.option("--days", type=click.IntRange(1, LONGEST_DAYS), default=365, help="Valid for; 365.")
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder for it, instead of tls in the data folder.",
)
@click.option("--replace", is_flag=True, help="Replace the certificate that is there.")
def cert(names: tuple[str, ...], days: int, to: Path | None, replace: bool) -> None:
    """Make a self-signed certificate for localhost, this machine and NAMES.

    NAMES are host names or addresses by which people come. Browsers warn of such a certificate
    until it is trusted on their machine.
    """
    folder = to or given_settings().data_dir / FOLDER
    certificate, key = folder / CERTIFICATE, folder / KEY
    if not replace and (certificate.exists() or key.exists()):
        raise click.ClickException(f"There is one in {folder} already. To renew it: --replace")
    wanted = list(dict.fromkeys([*ALWAYS, socket.gethostname(), *map(_name, names)]))
    made = open_maker(wanted, days)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(key, made[1], 0o600)
        _write(certificate, made[0], 0o644)
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be written to: {error.strerror}.") from None
    click.echo(f"Made {certificate} for {', '.join(wanted)}, valid for {days} days.")
    click.echo(f"Serve with it: microblog serve --certfile {certificate} --keyfile {key}")


def _name(given: str) -> str:
    """Return a name as certificates have it; raises BadParameter for what is none."""
    try:
        return str(ip_address(given.strip("[]")))
    except ValueError:
        pass
    try:
        name = given.encode("idna").decode().lower()
    except UnicodeError:
        name = ""
    parts = name.removeprefix("*.").split(".")
    if not all(part.replace("-", "").replace("_", "").isalnum() for part in parts):
        raise click.BadParameter(f"'{given}' is no host name and no address, as blog.example.org")
    return name


def open_maker(names: list[str], days: int) -> tuple[bytes, bytes]:
    """Make a key and what it vouches for (RFC 5280): both in PEM, the certificate first."""
    try:
        x509: Any = import_module("cryptography.x509")
    except ImportError:
        raise click.ClickException(MISSING) from None
    primitives = "cryptography.hazmat.primitives"
    ec: Any = import_module(f"{primitives}.asymmetric.ec")
    hashes: Any = import_module(f"{primitives}.hashes")
    written: Any = import_module(f"{primitives}.serialization")
    key = ec.generate_private_key(ec.SECP256R1())
    public, now = key.public_key(), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[-1][:64])])
    builder = x509.CertificateBuilder(subject, subject, public, x509.random_serial_number())
    builder = builder.not_valid_before(now - BACKDATED).not_valid_after(now + timedelta(days=days))
    for extension, is_critical in _extensions(x509, public, names):
        builder = builder.add_extension(extension, is_critical)
    kind = written.PrivateFormat.PKCS8
    private = key.private_bytes(written.Encoding.PEM, kind, written.NoEncryption())
    return builder.sign(key, hashes.SHA256()).public_bytes(written.Encoding.PEM), private


def _extensions(x509: Any, public: Any, names: list[str]) -> list[tuple[Any, bool]]:
    flags = dict.fromkeys(
        (
            *("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
            *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
        ),
        False,
    )
    return [
        (x509.SubjectAlternativeName([_general(x509, name) for name in names]), False),
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.KeyUsage(digital_signature=True, **flags), True),
        (x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectKeyIdentifier.from_public_key(public), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(public), False),
    ]


def _general(x509: Any, name: str) -> Any:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Write a file that appears whole, and never more widely readable than in the end."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        os.fsync(descriptor)
    part.replace(path)
