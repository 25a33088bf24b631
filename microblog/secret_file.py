"""The server's own secret, where the owner sets none: made at the first start, then kept."""

import os
import tempfile
from pathlib import Path

from microblog.core.errors import SettingError
from microblog.core.tokens import SHORTEST_KEY_BYTES


def keep(data_dir: Path) -> str:
    """Return the secret kept in `data_dir`, made if there is none.

    The file has mode 600 and appears whole or not at all, so two servers that start at once
    agree. Raises SettingError where it cannot be made, or others may read it.
    """
    path = data_dir / "secret_key"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        return _read(path)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise SettingError(f"The secret {path} cannot be read or made: {reason}.") from None


def _make(path: Path) -> None:
    # Made exclusively, with mode 600. A name of our own choice would not do: two containers that
    # share the folder have the same process id.
    descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(os.urandom(48).hex())
            file.flush()
            os.fsync(descriptor)
        os.link(temporary, path)
    except FileExistsError:
        pass  # another process was first: its secret is the one
    finally:
        temporary.unlink()


def _read(path: Path) -> str:
    if path.stat().st_mode & 0o077:
        raise SettingError(f"Others may read the secret {path}. Run: chmod 600 {path}")
    secret = path.read_text().strip()
    if len(secret) < SHORTEST_KEY_BYTES:
        raise SettingError(f"The secret in {path} is too short. Delete the file to make a new one.")
    return secret
