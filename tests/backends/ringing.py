"""Another process that rings: run by `test_bell.py` as `python -m tests.backends.ringing`.

It reads its settings as JSON from its first line, says that it is ready, and at each further line
commits an event and rings, or whispers what the line says. It answers with the moment of the
commit, by the system's clock.
"""

import asyncio
import json
import sys
import time

from microblog.backends.bell import open_bell
from microblog.core.events import relations_changed
from microblog.database import open_database
from microblog.settings import Settings


async def main() -> None:
    settings = Settings(**json.loads(sys.stdin.readline()))
    database, bell = open_database(settings), open_bell(settings)
    await bell.open()
    database.ring = bell.ring
    async with database.read():
        print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        if words := line.strip():
            await bell.whisper(words)
        else:
            async with database.write() as tx:
                tx.announce(relations_changed(1))
        print(time.monotonic(), flush=True)
    await database.close()
    await bell.close()


if __name__ == "__main__":
    asyncio.run(main())
