"""Translation services: LibreTranslate, DeepL, Azure, or none.

`edge.translations` asks them, never within a transaction. Their addresses come from the settings
alone, redirects are not followed, and neither a key nor a text is ever logged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from microblog.backends.translator.none import NoTranslator
from microblog.settings import Settings


@dataclass(frozen=True, slots=True)
class Translated:
    """Translated lines, in the order of the originals, and the language they were in."""

    lines: tuple[str, ...]
    source: str


class Translator(Protocol):
    """Somebody who translates."""

    name: str

    async def translate(self, lines: Sequence[str], source: str | None, target: str) -> Translated:
        """Translate lines of HTML; without a source the service finds it out.

        Languages are codes of `core.languages`. Raises Unavailable where the service is away, slow
        or takes no more, ServiceFailed where it refuses us or answers nonsense, and Invalid for
        the field `to` where it does not know the pair.
        """

    async def close(self) -> None:
        """Close all connections."""


LABELS = {"libretranslate": "LibreTranslate", "deepl": "DeepL", "azure": "Azure"}
"""What the services call themselves, by their names."""


def open_translator(settings: Settings) -> Translator:
    """Make the translator that the settings ask for; connects to nothing yet."""
    match settings.translator_in_use:
        case "libretranslate":
            from microblog.backends.translator.libretranslate import LibreTranslate

            return LibreTranslate(settings)
        case "deepl":
            from microblog.backends.translator.deepl import DeepL

            return DeepL(settings)
        case "azure":
            from microblog.backends.translator.azure import Azure

            return Azure(settings)
    return NoTranslator()
