"""The tables. `from microblog.models import User, Post` works for all of them."""

from microblog.models.access import IdempotencyKey, RefreshToken, Session, TokenFamily, Try
from microblog.models.audit import Deed
from microblog.models.avatars import Avatar
from microblog.models.base import Model, table
from microblog.models.drafts import SavedDraft
from microblog.models.events import EventRow, History
from microblog.models.jobs import Job
from microblog.models.mail import KnownDevice, MailedLink
from microblog.models.messages import ConversationSide, Message
from microblog.models.notifications import Notification, NotificationGroup, SilencedKind
from microblog.models.posts import Mention, Post, PostTag, PostVersion
from microblog.models.search import Searchable, SearchPosition
from microblog.models.translations import Translation
from microblog.models.users import Follow, FormerName, User

REVISION = "0015"  # the head of alembic/versions; a test holds it to that

__all__ = [
    "REVISION",
    "Avatar",
    "ConversationSide",
    "Deed",
    "EventRow",
    "Follow",
    "FormerName",
    "History",
    "IdempotencyKey",
    "Job",
    "KnownDevice",
    "MailedLink",
    "Mention",
    "Message",
    "Model",
    "Notification",
    "NotificationGroup",
    "Post",
    "PostTag",
    "PostVersion",
    "RefreshToken",
    "SavedDraft",
    "SearchPosition",
    "Searchable",
    "Session",
    "SilencedKind",
    "TokenFamily",
    "Translation",
    "Try",
    "User",
    "table",
]
