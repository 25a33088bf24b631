"""Mail that is printed instead of sent: for whoever works on the program."""

import sys
from email.message import EmailMessage
from typing import TextIO

HEADERS = ("From", "To", "Subject", "Message-ID")
_CONTROLS = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)))


class ConsoleMailer:
    """Prints each mail as its reader would see it as text."""

    name = "console"

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out

    async def reach(self) -> None:
        """Do nothing: the terminal is there."""

    async def send(self, mail: EmailMessage) -> None:
        """Print a mail. A terminal is told nothing but letters and line ends."""
        text = mail.get_body(("plain",))
        lines = [f"{name}: {mail[name]}" for name in HEADERS]
        body = str(text.get_content()) if text is not None else ""
        whole = "\n".join(["-" * 72, *lines, "", body.rstrip(), "-" * 72])
        print(whole.translate(_CONTROLS), file=self._out or sys.stdout, flush=True)
