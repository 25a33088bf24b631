"""Where `serve` listens: the server's own file of settings, and the addresses it takes."""

import copy
import http.client
import json
import logging
import os
import socket
import ssl
import tomllib
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypercorn.config import Config, SocketTypeError

from microblog.core.errors import SettingError

SERVER_FILE = Path("hypercorn.toml")
DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8000
EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - compared with, not bound to
MOST_WORKERS = 256
_PROCESS_KEYS = {"worker_class", "debug", "use_reloader", "daemon", "application_path"}


def server_config(
    path: Path = SERVER_FILE, certfile: Path | None = None, keyfile: Path | None = None
) -> Config:
    """Read the server's own settings where there is a file of them; raises SettingError.

    A misspelt key is refused by its name: the server itself would pass over it in silence. A
    certificate and its key that are given win over those of the file.
    """
    values: dict[str, Any] = {}
    if path.is_file():
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SettingError(f"{path} cannot be read: {error}.") from None
    for key, value in values.items():
        _check(path, key, value)
    config = Config.from_mapping(values)
    where = str(path)
    if certfile is not None or keyfile is not None:
        where = "--certfile and --keyfile"
        config.certfile, config.keyfile = _text(certfile), _text(keyfile)
    if (config.certfile is None) != (config.keyfile is None):
        raise SettingError(f"{where}: certfile and keyfile are needed together.")
    try:
        config.create_ssl_context()
    except (OSError, ssl.SSLError) as error:
        told = error.strerror or str(error)
        raise SettingError(f"{where}: the certificate cannot be used: {told}.") from None
    config.accesslog = None
    if config.errorlog == "-":
        config.errorlog = logging.getLogger("hypercorn.error")  # which `edge.logs` takes in
    config.include_server_header = False
    return config


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _check(path: Path, key: str, value: Any) -> None:
    if key not in _known_keys():
        raise SettingError(f"{path}: there is no setting '{key}'.")
    if key in _PROCESS_KEYS:
        raise SettingError(
            f"{path}: '{key}' does nothing here. For that, run: hypercorn -c {path} microblog:app"
        )
    usual = vars(Config).get(key)
    match usual:
        case _ if key == "workers":
            fits = type(value) is int and 1 <= value <= MOST_WORKERS
            wanted = f"a whole number from 1 to {MOST_WORKERS}"
        case bool():
            fits, wanted = isinstance(value, bool), "true or false"
        case int() | float():
            fits = isinstance(value, int | float) and not isinstance(value, bool)
            wanted = f"a number, for example {usual}"
        case str():
            fits, wanted = isinstance(value, str), f'a text, for example "{usual}"'
        case _ if key.endswith("bind"):
            fits = isinstance(value, str) or _is_texts(value)
            wanted = f'an address, for example "{DEFAULT_HOST}:{DEFAULT_PORT}"'
        case list():
            fits, wanted = _is_texts(value), 'a list, for example ["one", "two"]'
        case _:
            fits, wanted = True, ""
    if not fits:
        raise SettingError(f"{path}: {key} must be {wanted}.")


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and value != [] and all(isinstance(one, str) for one in value)


def _known_keys() -> set[str]:
    named = {name for name in [*vars(Config), *Config.__annotations__] if name[0] != "_"}
    readable = {name for name, value in vars(Config).items() if _is_method(value)}
    return named - readable


def _is_method(value: Any) -> bool:
    if isinstance(value, property):
        return value.fset is None
    return isinstance(value, classmethod) or (callable(value) and not isinstance(value, type))


@dataclass(frozen=True)
class Listening:
    """What was opened: the name of each address, and the descriptor of each as it was written.

    A name is host and port, or the path of a Unix socket.
    """

    names: list[Any]
    held: dict[str, int]

    def close_those_not_in(self, other: Mapping[str, int]) -> None:
        """Close what is not needed any more; another process may go on with it."""
        for descriptor in set(self.held.values()) - set(other.values()):
            os.close(descriptor)


def take_addresses(
    config: Config, host: str | None, port: int | None, held: Mapping[str, int] | None = None
) -> Listening:
    """Listen where the file or the options say, and let `config` have what was opened.

    An option wins over the file, which keeps saying the other half. What is `held` is open
    already and is taken as it is. Raises SettingError for an address that is taken.
    """
    if host is not None or port is not None:
        first_host, first_port = _parts(config.bind[0])
        chosen = host or first_host
        shown = f"[{chosen}]" if ":" in chosen else chosen
        config.bind = [f"{shown}:{first_port if port is None else port}"]
    before = dict(held or {})
    opened: dict[str, int] = {}
    wanted = [*config.bind, *(config.insecure_bind if config.ssl_enabled else [])]
    try:
        for bind in wanted:
            if bind not in before | opened:
                opened[bind] = _listen(config, bind)
        quic = _quic(config)
    except (OSError, ValueError, OverflowError, TypeError, SocketTypeError) as error:
        for descriptor in opened.values():
            os.close(descriptor)
        raise SettingError(_cannot_listen(config.bind, error)) from None
    found = {bind: (before | opened)[bind] for bind in wanted}
    names = [_name(found[bind]) for bind in config.bind]
    config.bind = [f"fd://{found[bind]}" for bind in config.bind]
    config.insecure_bind = [f"fd://{found[bind]}" for bind in wanted[len(config.bind) :]]
    config.quic_bind = quic
    return Listening(names, found)


def _listen(config: Config, bind: str) -> int:
    """Open one address and return its descriptor."""
    alone = Config()
    alone.bind = [bind]
    alone.umask, alone.user, alone.group = config.umask, config.user, config.group
    (one,) = alone.create_sockets().insecure_sockets
    with one:
        one.listen(config.backlog)
        return one.detach()


def _quic(config: Config) -> list[str]:
    alone = copy.copy(config)
    alone.bind, alone.insecure_bind = [], []
    return [f"fd://{one.detach()}" for one in alone.create_sockets().quic_sockets]


def _name(descriptor: int) -> Any:
    one = socket.socket(fileno=descriptor)
    try:
        return one.getsockname()
    finally:
        one.detach()


def _parts(bind: str) -> tuple[str, int]:
    """Split an address into host and port; the usual ones stand in for what it does not say."""
    if bind.startswith(("unix:", "fd:")):
        return DEFAULT_HOST, DEFAULT_PORT
    host, colon, port = bind.rpartition(":")
    if colon and port.isdecimal() and not host.endswith(":"):
        return host.strip("[]"), int(port)
    return bind.strip("[]"), DEFAULT_PORT


def _cannot_listen(wanted: list[str], error: Exception) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    host, port = _parts(wanted[0])
    said = f"Cannot listen on {', '.join(wanted)}: {reason}."
    if len(wanted) == 1 and _is_microblog(host, port):
        said = f"Cannot listen on {host} port {port}: a Microblog runs there already."
    free = port + 1 if 0 < port < 65535 else DEFAULT_PORT + 1
    return f"{said} Choose another address, for example: microblog serve --port {free}"


def _is_microblog(host: str, port: int) -> bool:
    where = "localhost" if host in EVERYWHERE else host
    try:
        with closing(http.client.HTTPConnection(where, port, timeout=1)) as connection:
            connection.request("GET", "/healthz")
            return bool(json.load(connection.getresponse()) == {"status": "alive"})
    except (OSError, http.client.HTTPException, ValueError):
        return False


def address(name: Any, *, secure: bool) -> str:
    """Return the address for a browser of a socket's name; a Unix socket has only its path."""
    if not isinstance(name, tuple):
        return f"unix:{name}"
    host, port = name[:2]
    shown = "127.0.0.1" if host in EVERYWHERE else (f"[{host}]" if ":" in host else host)
    return f"{'https' if secure else 'http'}://{shown}:{port}"


def neighbours_address(names: list[Any], *, secure: bool) -> str | None:
    """Return an address for other machines in the network, where a socket listens to them."""
    open_ports = [name[1] for name in names if isinstance(name, tuple) and name[0] in EVERYWHERE]
    if not open_ports:
        return None
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent: this only chooses the way out
        except OSError:
            return None
        host = str(probe.getsockname()[0])
    return address((host, open_ports[0]), secure=secure)
