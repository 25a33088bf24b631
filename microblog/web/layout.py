"""What every page has around it: who is reading, the position it was made at, unread marks."""

from dataclasses import dataclass, replace
from typing import Any

from quart import Quart, g

from microblog.database import Read
from microblog.edge import auth, forms, language, templates
from microblog.edge.auth import NOBODY, Visitor
from microblog.edge.request import asking, here
from microblog.queries import badges, events
from microblog.queries.badges import Unread
from microblog.render import views
from microblog.runtime import runtime

THEMES = ("light", "dark")
THEME_COOKIE = "theme"


@dataclass(frozen=True, slots=True)
class Live:
    """Where the page's live connection starts, and to which topics it listens."""

    epoch: str
    cursor: int
    topics: tuple[str, ...]


async def open_page(read: Read, *topics: str, for_all: bool = False) -> Visitor:
    """Begin a page: its position first, then who is asking.

    Raises NotSignedIn for strangers where only members may read, unless the page is `for_all`.

    The position is read before anything that the page shows, so what is published while the page
    is being made comes over the socket.
    """
    head = await events.head(read)
    known = await (auth.visitor(read) if for_all else auth.may_read(read))
    g.live = Live(head.epoch, head.cursor, topics)
    if known.id is not None:
        g.unread = await badges.unread(read, known.id)
    return known


def position() -> int | None:
    """Return where in the log the page stands, None before it was opened."""
    live: Live | None = g.get("live")
    return live.cursor if live is not None else None


def listen_to(*topics: str) -> None:
    """Name the page's topics, where they are known only after it was opened."""
    g.live = replace(g.live, topics=topics)


def _context() -> dict[str, Any]:
    visitor: Visitor = g.get("visitor", NOBODY)
    unread: Unread = g.get("unread", Unread())
    settings = runtime().settings
    return {
        "viewer": views.person(visitor.user) if visitor.user else None,
        "language": language.current(),
        "languages": tuple((code, language.own_name(code)) for code in settings.languages),
        "theme": _theme(visitor),
        "csrf_token": forms.new_token(),
        "live": g.get("live"),
        "unread_notifications": unread.notifications,
        "unread_messages": unread.messages,
        "here": here(),
        "site_name": settings.site_name,
        "translates": runtime().translates,
        "unconfirmed": settings.confirm_addresses and settings.mails_people and _is_unconfirmed(),
    }


def _is_unconfirmed() -> bool:
    """Whether the page is to ask for the confirmation of the reader's address."""
    user = g.get("visitor", NOBODY).user
    asks_itself = (asking().endpoint or "").startswith("addresses.")
    return user is not None and user.email_confirmed_at is None and not asks_itself


def _theme(visitor: Visitor) -> str | None:
    chosen = visitor.user.theme if visitor.user else asking().cookies.get(THEME_COOKIE)
    return chosen if chosen in THEMES else None


def install(app: Quart) -> None:
    """Give templates what every page has."""
    templates.give(_context)
