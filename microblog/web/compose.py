"""The form for a new post, wherever it is shown."""

from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import Length

from microblog.core.tokens import random_token
from microblog.edge.forms import Form


class PostForm(Form):
    """A new post; the domain checks its text, the key makes a double click one post.

    `language` is empty where it is to be guessed.
    """

    post = TextAreaField()
    language = StringField()
    idempotency_key = HiddenField(validators=[Length(max=200)])
    next = HiddenField()


def fresh_form(text: str = "") -> PostForm:
    """Return an empty form, or one with a text that must not be lost, with a key of its own."""
    return PostForm(data={"post": text, "idempotency_key": random_token()})
