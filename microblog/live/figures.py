"""The figures of the server on the page for administrators, told anew while somebody looks."""

import asyncio
from collections import defaultdict

import structlog

from microblog.core.errors import Unavailable
from microblog.edge import figures, language
from microblog.live.stream import Stream
from microblog.queries import users
from microblog.realtime.topics import FIGURES
from microblog.render import figures as shown
from microblog.render import frames
from microblog.runtime import Runtime

EACH_SECONDS = 2.0

log = structlog.get_logger(__name__)


def begin(opened: Runtime) -> None:
    """Tell the figures for as long as the server runs."""
    opened.tasks.append(asyncio.create_task(_tell_again_and_again(opened), name="figures"))


async def _tell_again_and_again(opened: Runtime) -> None:
    while True:
        await asyncio.sleep(EACH_SECONDS)
        try:
            await tell(opened)
        except Unavailable:
            continue  # nobody can be known as an administrator
        except Exception:
            log.exception("figures.failed")


async def tell(opened: Runtime) -> None:
    """Whisper the figures to administrators who look at them; costs nothing while nobody does."""
    listeners = opened.hub.listening_to(FIGURES)
    looking = {one.viewer_id for one in listeners if one.viewer_id is not None}
    if not looking:
        return
    async with opened.database.read() as read:
        admins = await users.admins_among(read, looking)
    theirs = [one.connection for one in listeners if one.viewer_id in admins]
    pages: dict[str, list[Stream]] = defaultdict(list)
    for stream in theirs:
        if isinstance(stream, Stream) and stream.channel.form == frames.HTML_FORM:
            pages[stream.channel.language].append(stream)
    if not pages:
        return
    known = shown.summary(await figures.gather(opened))
    for code, streams in pages.items():
        with language.speaking(code):
            frame = frames.figures(shown.markup(known))
        for stream in streams:
            stream.whisper(frame)
