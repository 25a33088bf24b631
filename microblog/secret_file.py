"""The server's own secret, where the owner sets none: made at the first start, then kept."""

import os
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
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SettingError(f"The secret {path} cannot be read or made: {reason}.") from None


def _make(path: Path) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
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
