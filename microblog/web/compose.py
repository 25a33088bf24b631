"""The form for a new post, wherever it is shown."""

from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import Length

from microblog.core import cursors
from microblog.core.errors import Invalid, message
from microblog.core.tokens import random_token
from microblog.edge.forms import Form


class PostForm(Form):
    """A new post; the domain checks its text, the key makes a double click one post.

    `language` is empty where it is to be guessed; `reply_to` is the id of the post it answers.
    """

    post = TextAreaField()
    language = StringField()
    reply_to = HiddenField()
    idempotency_key = HiddenField(validators=[Length(max=200)])
    next = HiddenField()

    @property
    def answers(self) -> int | None:
        """The id of the post that it answers; raises Invalid where that is none."""
        try:
            return cursors.parse(self.reply_to.data)
        except ValueError:
            raise Invalid({"reply_to": [message("The post that you answer is gone.")]}) from None


def fresh_form(text: str = "", *, reply_to: int | str | None = None) -> PostForm:
    """Return an empty form, or one with a text that must not be lost, with a key of its own."""
    data = {"post": text, "idempotency_key": random_token()}
    return PostForm(data=data | ({"reply_to": str(reply_to)} if reply_to else {}))
