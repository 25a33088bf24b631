"""From which device somebody logs in: known by a cookie, or by its name and surroundings.

A browser brings its cookie along wherever it is; a program, or a browser that was cleaned, is
known where its name and the surroundings of its address are those of before.
"""

from datetime import datetime
from itertools import chain
from typing import Any

from quart import after_this_request

from microblog.actions import devices, mail
from microblog.core.tokens import device_mark, random_token
from microblog.database import Tx
from microblog.edge.request import asking, device, is_api, neighbourhood
from microblog.models import User
from microblog.runtime import runtime

KEPT_SECONDS = 400 * 86_400


async def notice(tx: Tx, user: User, now: datetime) -> None:
    """Remember the device that somebody logs in from, and mail them where it is a new one.

    Where nobody can be mailed, nothing is remembered.
    """
    if not runtime().settings.mails_people:
        return
    signs = [f"place {device()} {neighbourhood()}"]
    if not is_api():
        signs.append(f"cookie {_cookie()}")
    marks, *former = ([device_mark(secret, one) for one in signs] for secret in runtime().secrets)
    if await devices.recognise(tx, user.id, marks, now, former=chain.from_iterable(former)):
        settings = runtime().settings
        mail.tell_of_new_device(tx, settings, user, device(), neighbourhood(), now)


def _cookie() -> str:
    """Return this browser's own mark; the answer gives it one, or lets it keep the one it has."""
    settings = runtime().settings
    name = "__Host-device" if settings.is_secure else "device"
    value = asking().cookies.get(name, "")
    if not (30 <= len(value) <= 60 and value.isascii()):
        value = random_token()

    @after_this_request
    async def keep(response: Any) -> Any:
        response.set_cookie(
            name,
            value,
            max_age=KEPT_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=settings.is_secure,
        )
        return response

    return value
