"""What travels on `/live` in the form for programs, as models: the AsyncAPI document is made from
them. `render.frames` makes the frames; a test holds what really comes against these.
"""

from typing import Final, Literal

from pydantic import BaseModel, Field

from microblog.api import schemas
from microblog.api.drafts import Draft
from microblog.core.events import Kind

CURSOR = "All that concerns you up to here, you have: come back with it as `since`."


class Hello(BaseModel):
    """The first frame: where you are."""

    type: Literal["hello"]
    epoch: str = Field(description="Names the history; come back with it as `epoch`.")
    cursor: str
    heartbeat_seconds: int = Field(description="How often you hear from the server at least.")


class Heartbeat(BaseModel):
    """Nothing happened that concerns you. Answer it with a heartbeat within a minute."""

    type: Literal["heartbeat"]
    cursor: str = Field(description=CURSOR)


class Resync(BaseModel):
    """Load anew what you show, and go on from the cursor."""

    type: Literal["resync"]
    reason: Literal["epoch", "future", "expired", "behind", "malformed", "relations"]
    cursor: str = Field(description=CURSOR)


class Subscribed(BaseModel):
    """The answer to `subscribe`: events of the topic follow, from the cursor on."""

    type: Literal["subscribed"]
    topic: str
    cursor: str = Field(description=CURSOR)


class Beat(BaseModel):
    """You are there."""

    type: Literal["heartbeat"]


class Subscribe(BaseModel):
    """Hear a topic too."""

    type: Literal["subscribe"]
    topic: str


class Unsubscribe(BaseModel):
    """Hear a topic no more."""

    type: Literal["unsubscribe"]
    topic: str


class Gone(BaseModel):
    """A post that is no longer there."""

    id: str


class Counted(BaseModel):
    """How often something was done with a post by now."""

    id: str
    counts: schemas.Counts


class Notification(BaseModel):
    """Something that somebody did and that concerns you."""

    id: str
    kind: str
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    read: bool
    actor: schemas.User
    post: schemas.Post | None
    unread_count: int


class NotificationRead(BaseModel):
    """One notification was read, here or elsewhere."""

    id: str
    unread_count: int


class NotificationsRead(BaseModel):
    """The notifications up to an id were read."""

    unread_count: int
    up_to: str


class Job(BaseModel):
    """How far some work of yours has come."""

    id: str
    kind: str
    state: str
    progress: int = Field(description="0 to 100.")
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    finished_at: str | None = Field(json_schema_extra={"format": "date-time"})


ITEMS: Final[dict[Kind, type[BaseModel]]] = {
    Kind.POST_PUBLISHED: schemas.Post,
    Kind.POST_EDITED: schemas.Post,
    Kind.POST_COUNTED: Counted,
    Kind.POST_DELETED: Gone,
    Kind.USER_CHANGED: schemas.User,
    Kind.NOTIFIED: Notification,
    Kind.NOTIFICATION_READ: NotificationRead,
    Kind.NOTIFICATIONS_READ: NotificationsRead,
    Kind.JOB_CHANGED: Job,
    Kind.DRAFT_CHANGED: Draft,
}
"""What the item of each kind says. The other kinds steer connections and are never items."""

SAID: Final = (Hello, Heartbeat, Resync, Subscribed)
"""The frames that the server sends, beside `events`."""

HEARD: Final = (Beat, Subscribe, Unsubscribe)
"""The frames that it takes."""
