"""The form for a new post, wherever it is shown, and what it was left with."""

from typing import Any

from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import Length

from microblog.core.cursors import GREATEST, parse
from microblog.core.errors import Invalid, message
from microblog.core.tokens import random_token
from microblog.edge.forms import Form
from microblog.queries.drafts import DraftRow


class PostForm(Form):
    """A new post; the domain checks its text, the key makes a double click one post.

    `language` is empty where it is to be guessed; `reply_to` is the id of the post it answers.
    `draft_version` says which saved draft the text began as; empty where the text is none.
    """

    post = TextAreaField()
    language = StringField()
    reply_to = HiddenField()
    idempotency_key = HiddenField(validators=[Length(max=200)])
    draft_version = HiddenField()
    next = HiddenField()

    @property
    def answers(self) -> int | None:
        """The id of the post that it answers; raises Invalid where that is none."""
        try:
            return parse(self.reply_to.data)
        except ValueError:
            raise Invalid({"reply_to": [message("The post that you answer is gone.")]}) from None


def fresh_form(draft: DraftRow | None, reply_to: int | None = None) -> PostForm:
    """Return the form as it was left, or empty, with a key of its own."""
    left = {"draft_version": "0"}
    if draft is not None:
        left = {"post": draft.body, "language": draft.language or ""}
        left["draft_version"] = str(draft.version)
    answered = "" if reply_to is None else str(reply_to)
    return PostForm(data={**left, "reply_to": answered, "idempotency_key": random_token()})


def form_with(text: str, reply_to: str | None = None) -> PostForm:
    """Return a form with a text that must not be lost, which is not what was saved."""
    return PostForm(
        data={"post": text, "reply_to": reply_to or "", "idempotency_key": random_token()}
    )


def as_left(draft: DraftRow) -> dict[str, str]:
    """Return what stands in the form of a question that was begun, by its fields."""
    words = {"title": draft.title, "body": draft.body, "language": draft.language or ""}
    return {**words, "draft_version": str(draft.version)}


def version_of(form: Any) -> int | None:
    """Return which saved draft a form's text began as; None where it does not say so."""
    said = form.draft_version.data or ""
    if not (said.isascii() and said.isdigit() and len(said) < 20):
        return None
    return min(int(said), GREATEST)
