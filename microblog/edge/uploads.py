"""Pictures at the door: who may send a large body, how many at once, and what is made of it.

`factory` sees to `guard` before each request and `leave` after it; `web` and `api` ask for what
was sent. A request holds its place until it is answered, so a process has few pictures at a time.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from quart import g, request
from werkzeug.exceptions import RequestTimeout

from microblog.core import pictures
from microblog.core.errors import Invalid, MicroblogError, TooManyTries, Unavailable, message
from microblog.core.pictures import Squares
from microblog.edge import auth, limits
from microblog.edge.bodies import CountedBody
from microblog.edge.threads import step_back
from microblog.runtime import runtime

QUEUE_SECONDS = 30.0
WHOLE_SECONDS = 120.0  # 8 MB at half a megabit a second
RETRY_AFTER_SECONDS = 5
FIELD = "avatar"


async def guard() -> None:
    """Let a large body come when it is its turn, from people who are signed in, one each.

    Raises NotSignedIn, TooManyTries, Unavailable where too many wait, and RequestTimeout for a slow
    one. Until it is let in the connection is paused (`edge.connection`): no memory is taken.
    """
    body = request.body
    if not isinstance(body, CountedBody) or not body.waits:
        return
    try:
        await _take_place((await auth.person()).id)
    except MicroblogError:
        body.refuse()
        await body.drain()
        raise
    body.admit()
    try:
        async with asyncio.timeout(WHOLE_SECONDS):
            await body.arrive()
    except TimeoutError:
        raise RequestTimeout from None


async def _take_place(user_id: int) -> None:
    now = runtime()
    if user_id in now.uploading:
        raise TooManyTries(RETRY_AFTER_SECONDS)
    now.uploading.add(user_id)
    g.uploads = user_id
    try:
        async with asyncio.timeout(QUEUE_SECONDS):
            await now.upload_places.acquire()
    except TimeoutError:
        raise Unavailable(RETRY_AFTER_SECONDS) from None
    g.has_upload_place = True


async def leave(_error: BaseException | None) -> None:
    """Give the place back, however the request ended."""
    runtime().uploading.discard(g.pop("uploads", 0))
    if g.pop("has_upload_place", False):
        runtime().upload_places.release()


async def squares_sent() -> Squares | None:
    """Make the squares of the picture in a form, or of the body that is one; None without any.

    Raises Invalid for what is no good picture, and TooManyTries.
    """
    content = await _content()
    if content is None:
        return None
    if len(content) > pictures.LARGEST_BYTES:
        raise too_large()
    limits.count_picture((await auth.person()).id)
    return await asyncio.get_running_loop().run_in_executor(_thread(), pictures.squares, content)


def too_large() -> Invalid:
    """Return what to say of a file that is too large."""
    return Invalid({FIELD: [message("This file is larger than 8 MB. Choose a smaller picture.")]})


async def let_fall() -> None:
    """Let what is still being sent come and fall, so that the answer is heard."""
    body = request.body
    if isinstance(body, CountedBody):
        await body.drain()


async def _content() -> bytes | None:
    """Return what was sent; None where nobody chose a file, which browsers send without a name."""
    if request.mimetype.startswith("image/"):
        sent = await request.get_data(cache=False, as_text=False, parse_form_data=False)
        return sent or None
    file = (await request.files).get(FIELD)
    return bytes(file.stream.read()) if file is not None and file.filename else None


@cache
def _thread() -> ThreadPoolExecutor:
    """One picture at a time: decoding takes memory, and a processor."""
    return ThreadPoolExecutor(1, "picture", initializer=step_back)
