"""Fields of bodies, with what the domain asks of each: so all that is wrong is told at once.

What is asked of several together (a password that is no name, a username that is free) is seen
by who carries the request out.
"""

from typing import Annotated, Any, TypeAlias

from pydantic import Field
from pydantic.config import JsonDict

from microblog.api import shapes
from microblog.core import messages, names, passwords, questions, text
from microblog.core.errors import Invalid
from microblog.core.languages import known
from microblog.edge.authoring import NO_SUCH_LANGUAGE
from microblog.edge.payloads import checked


def _language(code: str) -> None:
    if code and known(code) is None:
        raise Invalid({"language": [NO_SUCH_LANGUAGE]})


def _title(written: str) -> None:
    if problem := questions.title_flaw(questions.clean_title(written)):
        raise Invalid({"title": [problem]})


def _tags(written: list[str]) -> None:
    _, problem = questions.with_tags("", " ".join(written))
    if problem:
        raise Invalid({"tags": [problem]})


def _shaped(shape: JsonDict) -> Any:
    """Tell in the document what such a value looks like."""
    return Field(json_schema_extra=shape)


Username: TypeAlias = Annotated[
    str, _shaped(shapes.USERNAME), checked(lambda name: names.check_username(name.strip()))
]
Email: TypeAlias = Annotated[str, _shaped(shapes.EMAIL), checked(names.check_email)]
Password: TypeAlias = Annotated[str, _shaped(shapes.PASSWORD), checked(passwords.check)]
DisplayName: TypeAlias = Annotated[str, checked(names.clean_display_name)]
AboutMe: TypeAlias = Annotated[str, checked(names.check_about_me)]
PostBody: TypeAlias = Annotated[
    str, _shaped(shapes.TEXT), checked(lambda body: text.check(text.clean(body)))
]
MessageBody: TypeAlias = Annotated[
    str, _shaped(shapes.TEXT), checked(lambda body: messages.check(messages.clean(body)))
]
Title: TypeAlias = Annotated[str, _shaped(shapes.TITLE), checked(_title)]
Language: TypeAlias = Annotated[str, _shaped(shapes.LANGUAGE_OR_NONE), checked(_language)]
Tags: TypeAlias = Annotated[list[str], checked(_tags)]
