"""The server's own secrets, where the owner sets none: made at the first start, then kept.

The file has one secret a line: the one in force, and the former ones that are still honoured.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from microblog.core.access_tokens import AccessKeys, InvalidKey
from microblog.core.errors import SettingError
from microblog.core.tokens import SHORTEST_KEY_BYTES
from microblog.settings import Settings

FORMER = 2
"""How many former secrets a rotation leaves in the file."""


def secrets(settings: Settings) -> tuple[str, ...]:
    """Return the server's secrets, the one in force first; raises SettingError as `keep` does."""
    if settings.secret_key is not None:
        return settings.secret_key, *settings.secret_key_fallbacks
    return *keep(settings.data_dir), *settings.secret_key_fallbacks


def access_keys(settings: Settings, kept: Sequence[str]) -> AccessKeys:
    """Return the keys of access tokens: of the configured file, else of the server's secrets.

    Raises SettingError where the file cannot be read, others may read it, or it holds none.
    """
    path = settings.access_token_key_file
    if path is None:
        return AccessKeys.of_secrets(kept)
    name = settings.spelling("access_token_key_file")
    try:
        with _told_of(f"The key file {path} ({name})"):
            _expect_privacy(f"key file {path}", path)
            return AccessKeys.of_pem(path.read_bytes())
    except InvalidKey as error:
        raise SettingError(
            f"{name} '{path}' is not {error}. Make one with: "
            "(umask 077; openssl genrsa -out access_token.pem 3072)"
        ) from None


def keep(data_dir: Path) -> tuple[str, ...]:
    """Return the secrets kept in `data_dir`, the one in force first; made if there are none.

    The file has mode 600 and appears whole or not at all, so two servers that start at once
    agree. Raises SettingError where it cannot be made, or others may read it.
    """
    path = data_dir / "secret_key"
    with _told_of(f"The secret {path}"):
        data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write(path, [_new()])
        return _read(path)


def rotate(data_dir: Path, *, honour_former: bool = True) -> tuple[str, ...]:
    """Put a new secret in force and return what is kept now; raises SettingError as `keep` does.

    What the former ones have signed stays good, unless they are not to be honoured.
    """
    former = keep(data_dir)[:FORMER] if honour_former else ()
    path = data_dir / "secret_key"
    with _told_of(f"The secret {path}"):
        _write(path, [_new(), *former], replacing=True)
        return _read(path)


def _new() -> str:
    return os.urandom(48).hex()


@contextmanager
def _told_of(subject: str) -> Iterator[None]:
    """Say what cannot be read or made in a sentence for the owner."""
    try:
        yield
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise SettingError(f"{subject} cannot be read or made: {reason}.") from None


def _write(path: Path, lines: Sequence[str], *, replacing: bool = False) -> None:
    # Made exclusively, with mode 600. A name of our own choice would not do: two containers that
    # share the folder have the same process id.
    descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.writelines(f"{line}\n" for line in lines)
            file.flush()
            os.fsync(descriptor)
        if replacing:
            temporary.replace(path)
        else:
            os.link(temporary, path)
    except FileExistsError:
        pass  # another process was first: its secret is the one
    finally:
        temporary.unlink(missing_ok=True)


def _read(path: Path) -> tuple[str, ...]:
    _expect_privacy(f"secret {path}", path)
    found = tuple(path.read_text().split())
    if not found or min(map(len, found)) < SHORTEST_KEY_BYTES:
        raise SettingError(f"The secret in {path} is too short. Delete the file to make a new one.")
    return found


def _expect_privacy(what: str, path: Path) -> None:
    if path.stat().st_mode & 0o077:
        raise SettingError(f"Others may read the {what}. Run: chmod 600 {path}")
