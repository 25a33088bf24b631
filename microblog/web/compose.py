"""The form for a new post, wherever it is shown, and what it was left with."""

from typing import Any

from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import Length

from microblog.core.cursors import GREATEST
from microblog.core.tokens import random_token
from microblog.edge.forms import Form
from microblog.queries.drafts import DraftRow


class PostForm(Form):
    """A new post; the domain checks its text, the key makes a double click one post.

    `language` is empty where it is to be guessed. `draft_version` says which saved draft the text
    began as; empty where the text is none.
    """

    post = TextAreaField()
    language = StringField()
    idempotency_key = HiddenField(validators=[Length(max=200)])
    draft_version = HiddenField()
    next = HiddenField()


def fresh_form(draft: DraftRow | None) -> PostForm:
    """Return the form as it was left, or empty, with a key of its own."""
    left = {"draft_version": "0"}
    if draft is not None:
        left = {"post": draft.body, "language": draft.language or ""}
        left["draft_version"] = str(draft.version)
    return PostForm(data={**left, "idempotency_key": random_token()})


def form_with(text: str) -> PostForm:
    """Return a form with a text that must not be lost, which is not what was saved."""
    return PostForm(data={"post": text, "idempotency_key": random_token()})


def version_of(form: Any) -> int | None:
    """Return which saved draft a form's text began as; None where it does not say so."""
    said = form.draft_version.data or ""
    if not (said.isascii() and said.isdigit() and len(said) < 20):
        return None
    return min(int(said), GREATEST)
