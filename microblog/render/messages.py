"""Private messages for their two people alone: as views, as JSON, as markup, and as the log tells.

Nothing here is kept for later: it is one person's, and hardly anybody looks twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from markupsafe import Markup

from microblog.core import markup, search_tokens
from microblog.core.events import Kind, LoggedEvent
from microblog.core.search_tokens import Term
from microblog.edge import language
from microblog.edge.templates import environment
from microblog.queries.message_news import News
from microblog.queries.message_search import Hit
from microblog.queries.messages import ConversationRow, MessageRow
from microblog.render import json as as_json
from microblog.render import views
from microblog.render.views import PersonView

EXCERPT = 120  # characters of a message in the list of conversations


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message as one of its two people sees it; `seen`, where it is theirs, by the other."""

    id: int
    mine: bool
    seen: bool
    created_at: datetime
    html: Markup

    @property
    def delete_url(self) -> str:
        """Where it is deleted for its reader, by POST."""
        return f"/message/{self.id}/delete"


@dataclass(frozen=True, slots=True)
class HitView:
    """A message that was found, and where it stands in its conversation."""

    other: PersonView
    url: str
    mine: bool
    at: datetime
    html: Markup


@dataclass(frozen=True, slots=True)
class ConversationView:
    """A conversation in the list, with the beginning of its newest message."""

    other: PersonView
    url: str
    left: bool
    unread: int
    words: str
    mine: bool
    seen: bool
    at: datetime


def body_html(body: str, terms: Sequence[Term] = ()) -> str:
    """Return the safe markup of a message: as a post's, without people, for none is notified.

    What it says of `terms` stands in `mark`.
    """
    marked = partial(search_tokens.spans, terms) if terms else None
    return markup.render(body, views.profile_path, views.tag_path, (), marked)


def view(row: MessageRow, viewer_id: int, seen_to: int) -> MessageView:
    """Make the view of a message."""
    mine = row.sender_id == viewer_id
    html = Markup(body_html(row.body))  # noqa: S704 - core.markup escapes, nh3 checks
    return MessageView(row.id, mine, mine and row.id <= seen_to, row.created_at, html)


def conversation(row: ConversationRow) -> ConversationView | None:
    """Make the view of a conversation in which there is something."""
    if row.last is None:
        return None
    mine = row.last.sender_id == row.user_id
    return ConversationView(
        other=views.person(row.other),
        url=views.conversation_path(row.other.username),
        left=row.other_left,
        unread=row.unread_count,
        words=" ".join(row.last.body[: 4 * EXCERPT].split())[:EXCERPT],
        mine=mine,
        seen=mine and row.last.id <= row.seen_to,
        at=row.last.created_at,
    )


def hit(found: Hit, viewer_id: int, terms: Sequence[Term]) -> HitView:
    """Make the view of a message that was found."""
    row, other = found.message, views.person(found.other)
    html = Markup(body_html(row.body, terms))  # noqa: S704 - as the message's own
    url = f"{views.conversation_path(other.username)}?before={row.id + 1}#message-{row.id}"
    return HitView(other, url, row.sender_id == viewer_id, row.created_at, html)


def item(shown: MessageView) -> Markup:
    """Return a message as an item of its conversation, in the language being spoken."""
    template = environment(language.current()).get_template("messages/_message.html")
    return Markup(template.render(item=shown))  # noqa: S704 - an autoescaped template


def line(row: ConversationRow) -> Markup | None:
    """Return a conversation as an item of the list, or None where it is empty."""
    shown = conversation(row)
    if shown is None:
        return None
    template = environment(language.current()).get_template("messages/_conversation.html")
    made = template.render(item=shown, other_id=row.other.id, last_id=row.last_id)
    return Markup(made)  # noqa: S704 - an autoescaped template


def message_json(row: MessageRow, viewer_id: int) -> dict[str, Any]:
    """Return a message as the API answers with it."""
    return {
        "id": str(row.id),
        "body": row.body,
        "html": body_html(row.body),
        "created_at": as_json.moment(row.created_at),
        "from": str(row.sender_id),
        "to": str(row.other_of(row.sender_id)),
        "mine": row.sender_id == viewer_id,
    }


def conversation_json(row: ConversationRow) -> dict[str, Any]:
    """Return a conversation as the API answers with it."""
    return {
        "with": as_json.user(row.other),
        "last": None if row.last is None else message_json(row.last, row.user_id),
        "unread_count": row.unread_count,
        "read_to": str(row.read_to),
        "seen_to": str(row.seen_to),
        "_links": {
            "self": f"/api/messages/{row.other.id}",
            "page": views.conversation_path(row.other.username),
        },
    }


# --- What the log tells -------------------------------------------------------------------------


def told(event: LoggedEvent, news: News, *, html: bool) -> dict[str, Any] | None:
    """Return what an event tells the one person it concerns; None where nothing is left of it."""
    count = {"unread_count": news.unread}
    if event.kind is Kind.MESSAGE_DELETED:
        return {"id": str(event.ref_id)} | count
    side = news.conversation
    if event.kind is Kind.CONVERSATION_CHANGED:
        state = _state(side) if html else {"conversation": _whole(side)}
        return {"with": str(event.ref_id)} | state | count
    if news.message is None or side is None:
        return None
    if not html:
        shown = message_json(news.message, side.user_id)
        return {"message": shown, "conversation": conversation_json(side)} | count
    bubble = item(view(news.message, side.user_id, side.seen_to))
    about = {"id": str(news.message.id), "with": str(side.other.id), "html": bubble}
    return about | {"line": line(side)} | count


def _state(side: ConversationRow | None) -> dict[str, Any]:
    if side is None:
        return {"line": None, "cleared_to": "0", "seen_to": "0"}
    return {
        "line": line(side),
        "cleared_to": str(side.cleared_to),
        "seen_to": str(side.seen_to),
    }


def _whole(side: ConversationRow | None) -> dict[str, Any] | None:
    return None if side is None else conversation_json(side)
