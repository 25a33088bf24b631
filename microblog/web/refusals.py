"""What is answered where something written cannot be published: its form again, with the reason."""

from typing import Any

from quart import url_for

from microblog.core.errors import Conflict, Forbidden, Invalid, TooManyTries, message
from microblog.edge import errors, forms, templates
from microblog.edge.forms import Form
from microblog.edge.language import gettext as _
from microblog.edge.language import say
from microblog.edge.request import wants_json
from microblog.web.auth import LoginForm

REFUSALS = (Conflict, Invalid, TooManyTries)
"""What `actions` and the limits refuse a text with."""

Refused = tuple[int, dict[str, str]]
"""The status and the headers of the answer."""


def of_form(form: Form) -> Refused:
    """Say in a form that did not validate what is wrong; raises Forbidden for a script's."""
    if not form.is_stale:
        return 400, {}
    sentence = message("This page was open too long. Your text is kept: send it again.")
    if wants_json():
        raise Forbidden(sentence)
    form.form_errors.append(say(sentence))
    return 403, {}


def of_domain(form: Form, refusal: Conflict | Invalid | TooManyTries) -> Refused:
    """Say in a form why it was refused; a script gets the refusal itself, raised."""
    if wants_json():
        raise refusal
    if isinstance(refusal, Invalid):
        form.refuse(refusal)
        return 400, {}
    if isinstance(refusal, TooManyTries):
        form.form_errors.append(errors.problem_of(refusal).detail)
        return 429, {"Retry-After": str(refusal.retry_after_seconds)}
    # The same form with another text: a browser that went back. It is a new post.
    form.form_errors.append(_("A text of this form was published before. Send this one too?"))
    form["idempotency_key"].data = forms.new_key()
    return 400, {}


async def log_in_first(text: str) -> Any:
    """Show the log-in with a text kept in it, so that nothing typed is lost."""
    login = LoginForm(data={"next": url_for("timelines.home"), "draft": text})
    login.form_errors.append(_("Please log in to publish your post. Your text is kept."))
    return await templates.render("auth/login.html", form=login), 401
