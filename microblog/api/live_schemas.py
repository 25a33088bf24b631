"""What travels on `/live` in the form for programs, as models: the AsyncAPI document is made from
them. `render.frames` makes the frames; a test holds what really comes against these.
"""

from typing import Final, Literal

from pydantic import BaseModel, Field, RootModel

from microblog.api import schemas
from microblog.api.drafts import Draft
from microblog.api.messages import Conversation, Message
from microblog.api.notifications import Job, Notification
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


class Typing(BaseModel):
    """Somebody is writing a private message to you. It is never told again."""

    type: Literal["typing"]
    writer: str = Field(alias="from", description="A person's id.")


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


class Whisper(BaseModel):
    """You are writing a private message to somebody."""

    type: Literal["typing"]
    to: str = Field(description="A person's id.")


class Gone(BaseModel):
    """A post that is no longer there."""

    id: str
    counts: schemas.Counts | None = Field(None, description="Where others answered it.")


class Counted(BaseModel):
    """How often something was done with a post by now."""

    id: str
    counts: schemas.Counts


class Present(BaseModel):
    """Whether a person is there: with all that they wrote, they went or came back."""

    id: str
    present: bool


class NotificationThere(Notification):
    """An item of your notifications: new, or another by now."""

    unread_count: int


class NotificationGone(BaseModel):
    """An item of your notifications of which nothing is left."""

    id: str
    unread_count: int
    gone: Literal[True]


class Notified(RootModel[NotificationThere | NotificationGone]):
    """What an item of your notifications is by now."""


class NotificationRead(BaseModel):
    """One notification was read, here or elsewhere, or is unread again."""

    id: str
    unread_count: int
    read: bool


class NotificationsRead(BaseModel):
    """The notifications up to an id were read."""

    unread_count: int
    up_to: str


class Messaged(BaseModel):
    """A private message, and its conversation as it is now; sent by you, or to you."""

    message: Message
    conversation: Conversation
    unread_count: int


class MessageGone(BaseModel):
    """A private message that you no longer have."""

    id: str
    unread_count: int


class ConversationChanged(BaseModel):
    """A conversation was read, by you or by the other, or is gone."""

    other: str = Field(alias="with", description="The id of whom it is with.")
    conversation: Conversation | None
    unread_count: int


ITEMS: Final[dict[Kind, type[BaseModel]]] = {
    Kind.POST_PUBLISHED: schemas.Post,
    Kind.POST_EDITED: schemas.Post,
    Kind.POST_COUNTED: Counted,
    Kind.POST_DELETED: Gone,
    Kind.USER_CHANGED: schemas.User,
    Kind.PROFILE_CHANGED: schemas.User,
    Kind.PRESENCE_CHANGED: Present,
    Kind.NOTIFIED: Notified,
    Kind.NOTIFICATION_READ: NotificationRead,
    Kind.NOTIFICATIONS_READ: NotificationsRead,
    Kind.JOB_CHANGED: Job,
    Kind.DRAFT_CHANGED: Draft,
    Kind.MESSAGED: Messaged,
    Kind.MESSAGE_DELETED: MessageGone,
    Kind.CONVERSATION_CHANGED: ConversationChanged,
}
"""What the item of each kind says. The other kinds steer connections and are never items."""

SAID: Final = (Hello, Heartbeat, Resync, Subscribed, Typing)
"""The frames that the server sends, beside `events`."""

HEARD: Final = (Beat, Subscribe, Unsubscribe, Whisper)
"""The frames that it takes."""
