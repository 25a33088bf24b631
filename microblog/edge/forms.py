"""Forms of the pages: WTForms with a CSRF token bound to the browser's signed `form` cookie."""

from datetime import timedelta
from typing import Any

from quart import request, session
from werkzeug.datastructures import MultiDict
from wtforms import Form as PlainForm
from wtforms.csrf.session import SessionCSRF

from microblog.core.errors import Invalid
from microblog.core.tokens import derive_key, random_token
from microblog.edge.language import gettext, ngettext, say
from microblog.runtime import runtime

TOKEN_HEADER = "X-CSRF-Token"  # noqa: S105 - a header's name
TOKEN_LIFE = timedelta(hours=12)


class _Translations:
    """Hands WTForms' own sentences to our catalogue."""

    def gettext(self, text: str) -> str:
        return gettext(text)

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        return ngettext(singular, plural, n)


class Form(PlainForm):
    """A form with a CSRF token, in the reader's language."""

    class Meta:
        csrf = True
        csrf_class = SessionCSRF
        csrf_time_limit = TOKEN_LIFE

        @property
        def csrf_secret(self) -> bytes:
            return derive_key(runtime().secret, "csrf")

        @property
        def csrf_context(self) -> Any:
            return session

        def get_translations(self, form: PlainForm) -> _Translations:
            return _Translations()

    @property
    def is_stale(self) -> bool:
        """Whether only the token failed: the page was open too long, nothing else is wrong."""
        return set(self.errors) == {"csrf_token"}

    def refuse(self, invalid: Invalid) -> None:
        """Show a domain's refusal beside the fields it names."""
        for name, messages in invalid.errors.items():
            field = self._fields.get(name)
            shown = [say(one) for one in messages]
            if field is None:
                self.form_errors.extend(shown)
            else:
                field.errors = [*field.errors, *shown]


class _OnlyToken(Form):
    """A form of nothing but its token."""


def new_token() -> str:
    """Return a token for the forms of the page that is being made."""
    return str(_OnlyToken().csrf_token.current_token)  # type: ignore[attr-defined]


async def sent() -> MultiDict[str, str]:
    """Return the fields that were sent, NUL bytes and all."""
    fields: MultiDict[str, str] = await request.form
    return fields


async def has_good_token() -> bool:
    """Tell whether an unsafe request carries a token of this browser, in a field or a header."""
    fields = await request.form
    token = request.headers.get(TOKEN_HEADER) or fields.get("csrf_token", "")
    return _OnlyToken(MultiDict({"csrf_token": token})).validate()


def new_key() -> str:
    """Return an idempotency key for a form that is shown."""
    return random_token()
