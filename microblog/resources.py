"""Where the files beside the code are: in a checkout next to the package, in a wheel inside it."""

from pathlib import Path

PACKAGE = Path(__file__).parent


def _folder(name: str) -> Path:
    packaged = PACKAGE / name
    return packaged if packaged.is_dir() else PACKAGE.parent / name


TEMPLATES = _folder("templates")
STATIC = _folder("static")
MIGRATIONS = _folder("alembic")
TRANSLATIONS = PACKAGE / "translations"
SOURCE_LANGUAGE = "en"  # what the messages themselves are written in


def languages() -> tuple[str, ...]:
    """Return the languages that pages can be in: English, and those that have a catalogue."""
    found = TRANSLATIONS.glob("*/LC_MESSAGES/messages.po")
    return (SOURCE_LANGUAGE, *sorted(path.parts[-3] for path in found))
