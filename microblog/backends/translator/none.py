"""No translation service: nothing on a page offers one, and who asks all the same is told."""

from collections.abc import Sequence
from typing import NoReturn

from microblog.core.errors import NotFound, message


class NoTranslator:
    """Translates nothing."""

    name = "none"

    async def translate(self, lines: Sequence[str], source: str | None, target: str) -> NoReturn:
        raise NotFound(message("This place has no translation service."))

    async def close(self) -> None:
        """Do nothing: nothing is open."""
