"""The places where variables stand: the environment, and the env file. For `settings`.

What stands there is read by the parsers of `variables`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv.parser import parse_stream
from sqlalchemy import URL

from microblog.core.errors import SettingError
from microblog.variables import Origin

ENVIRONMENT = "environment"
_DATABASE_PARTS = ("USER", "PASSWORD", "HOST", "PORT", "DATABASE")


@dataclass(frozen=True, slots=True)
class Layer:
    """A place with variables: the environment, or an env file by its path."""

    place: str
    values: Mapping[str, str]


def layers(environ: Mapping[str, str], env_file: Path | None) -> list[Layer]:
    """Return the places to look in, the strongest first; raises SettingError.

    The env file is the given one, else the one that `MICROBLOG_ENV_FILE` names, else `.env` in
    the working folder where there is one.
    """
    found = [Layer(ENVIRONMENT, environ)]
    named = env_file or (Path(p) if (p := environ.get("MICROBLOG_ENV_FILE")) else None)
    if named is not None and not named.exists():
        raise SettingError(f"The env file {named} does not exist.")
    path = named or Path(".env")
    if named is not None or path.is_file():
        found.append(Layer(str(path), _read_file(path)))
    return found


def _read_file(path: Path) -> dict[str, str]:
    """Read an env file. A `$` in a value is a `$`: passwords have them."""
    values: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8-sig") as file:
            for binding in parse_stream(file):
                if binding.error:
                    raise SettingError(
                        f"The env file {path} cannot be understood at line "
                        f"{binding.original.line}. A line is for example: "
                        "MICROBLOG_SITE_NAME=Our village"
                    )
                if binding.key is not None and binding.value is not None:
                    values[binding.key] = binding.value
    except UnicodeDecodeError:
        raise SettingError(f"The env file {path} is not in UTF-8.") from None
    except OSError as error:
        raise SettingError(f"The env file {path} cannot be read: {error.strerror}.") from None
    return values


def find(found: list[Layer], names: tuple[str, ...]) -> tuple[str, Origin] | None:
    """Return the strongest raw value of a setting, or None. An empty one counts as not set."""
    for layer in found:
        for name in names:
            if raw := layer.values.get(name, ""):
                return raw, Origin(name, layer.place)
    return None


def database_from_parts(found: list[Layer]) -> tuple[str, Origin] | None:
    """Put an address together from `DB_PROTOCOL`, `DB_USER` …; None where there is no protocol."""
    protocol = find(found, ("DB_PROTOCOL", "DB_PROTOCAL"))
    if protocol is None:
        return None
    parts = [find(found, (f"DB_{part}",)) for part in _DATABASE_PARTS]
    user, password, host, port, database = (part[0] if part else None for part in parts)
    try:
        number = int(port) if port else None
    except ValueError:
        raise SettingError(f"DB_PORT '{port}' is not a number. For example: DB_PORT=5432") from None
    url = URL.create(protocol[0], user, password, host, number, database)
    return url.render_as_string(hide_password=False), protocol[1]
