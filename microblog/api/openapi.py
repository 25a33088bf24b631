"""The OpenAPI document, made from the handlers themselves, and the marks they carry for it.

quart-schema collects routes, models and docstrings; what it leaves out is added here.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, TypeVar

from pydantic import BaseModel
from quart import Quart, request
from quart_schema import Info, QuartSchema, document_response, security_scheme, validate_request
from quart_schema.conversion import model_schema
from quart_schema.openapi import HttpSecurityScheme, OpenAPIProvider, Server
from quart_schema.validation import DataSource
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.routing import Rule
from werkzeug.routing.converters import BaseConverter

from microblog.api import expectations, schemas, shapes, wording
from microblog.edge import auth

API_VERSION = "1.0"
JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
IDENTITY = "identity"
RATE_LIMIT = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
DESCRIPTION = """\
The JSON API of a microblog. Take a pair of tokens with your username and password, and send the
access token with each call: `Authorization: Bearer …`. Cookies count for nothing here. Or make a
token for your program in the settings: it may do what its scopes `read`, `write`, `live` and
`admin` say, and each call names the one that it takes. A password may do everything.

Errors are problems (RFC 9457); `errors` names the fields. Ids are opaque strings. What a limit
refuses is answered with 429 and `Retry-After`. The live connection is a WebSocket at `/live` with
the subprotocols `microblog.v1` and `bearer.<access token>`.
"""
PATH_PARAMETERS = {
    "message_id": ("The message's id.", "31", shapes.ID),
    "question_id": ("The question's id: it is a post.", "1042", shapes.ID),
    "post_id": ("The post's id.", "1042", shapes.ID),
    "context": ("Which form the draft is of.", "post", shapes.CONTEXT),
    "export_id": ("The id of an export.", "12", shapes.ID),
    "family_id": ("The id of a sign-in, as `GET /tokens` lists them.", "3", shapes.ID),
    "tag": ("The hashtag, with or without #.", "bread", shapes.TAG),
    "who": ("A person's id or username.", "mina", shapes.PERSON),
}
_TOLD = "_microblog_told"
_CONVERTED = re.compile(r"<(?:[^<>]*:)?(\w+)>")  # quart-schema's own takes in two parts as one
F = TypeVar("F", bound=Callable[..., Awaitable[Any]])


@dataclass(frozen=True, slots=True)
class Told:
    """What the document says of a call beyond its models."""

    status: int
    description: str
    has_location: bool
    limit: str | None
    refusals: Mapping[int, str]


def answers(
    status: int,
    model: type[BaseModel] | None,
    description: str,
    *,
    location: bool = False,
    limit: str | None = None,
    refusals: Mapping[int, str] | None = None,
) -> Callable[[F], F]:
    """Tell what a call answers when all is well, what limits it, and why else it may refuse."""
    told = Told(status, description, location, limit, refusals or {})

    def mark(handler: F) -> F:
        setattr(handler, _TOLD, told)
        if model is None:
            return expectations.offers()(handler)  # it says nothing, in whatever form
        return document_response(model, status)(handler)

    return mark


def signed_in(handler: F) -> F:
    """Let only who brings a good access token through, before anything else is looked at."""
    return security_scheme([{"bearer": []}])(auth.login_required(handler))  # type: ignore[return-value]


def open_to_all(handler: F) -> F:
    """Tell that an access token is welcome but not asked for."""
    return security_scheme([{}, {"bearer": []}])(handler)


def takes(model: type[BaseModel]) -> Callable[[F], F]:
    """Give the handler its checked body as `data`; anything but JSON is answered with 415."""

    def mark(handler: F) -> F:
        checked = validate_request(model)(handler)

        @wraps(checked)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            if not request.is_json or request.headers.get("Content-Encoding", IDENTITY) != IDENTITY:
                raise UnsupportedMediaType
            return await checked(*args, **kwargs)

        return wrapper  # type: ignore[return-value]

    return mark


def takes_other(body: Mapping[str, Any]) -> Callable[[F], F]:
    """Tell which body a call takes that is no JSON."""

    def mark(handler: F) -> F:
        handler.other_body = {"required": True, **body}  # type: ignore[attr-defined]
        return handler

    return mark


def streams(kind: str, example: str) -> Callable[[F], F]:
    """Tell that a call may answer with a stream too, where that is what the client accepts."""

    def mark(handler: F) -> F:
        content = {kind: {"schema": {"type": "string"}, "example": example}}
        handler.streams = content  # type: ignore[attr-defined]
        return handler

    return mark


class Document(OpenAPIProvider):
    """quart-schema's document of the routes under `/api`, completed."""

    @cached_property
    def whole(self) -> dict[str, Any]:
        """Return the document. It is made once: routes do not change while serving."""
        made = self.schema()
        made["info"]["license"] = {"name": "MIT", "identifier": "MIT"}
        made["components"]["schemas"]["Problem"] = model_schema(schemas.Problem)
        return made

    def generate_rules(self) -> Iterable[Rule]:
        rules = [rule for rule in super().generate_rules() if rule.endpoint.startswith("api.")]
        return sorted(rules, key=lambda rule: (rule.rule, sorted(rule.methods or ())))

    def operation_id(self, method: str, path: str, func: Callable[..., Any]) -> str:
        return f"{func.__module__.rpartition('.')[2]}_{func.__name__}"

    def build_paths(self, rule: Rule) -> tuple[dict[str, Any], dict[str, Any]]:
        paths, components = super().build_paths(rule)
        handler = self._app.view_functions[rule.endpoint]
        told: Told = getattr(handler, _TOLD)
        for operations in paths.values():
            for method, operation in operations.items():
                operation["tags"] = [rule.endpoint.split(".")[1]]
                if body := getattr(handler, "other_body", None):
                    operation["requestBody"] = body
                wording.add_kinds(operation, handler, told.status)
                scope = auth.scope_of(handler, method.upper())
                _name_scope(operation, scope)
                _complete(operation, told, reads=method == "get")
        (operations,) = paths.values()
        return {_CONVERTED.sub(r"{\1}", rule.rule): operations}, components

    def build_path_parameter(self, name: str, converter: BaseConverter) -> dict[str, Any]:
        description, example, shape = PATH_PARAMETERS[name]
        made = super().build_path_parameter(name, converter)
        schema = {"type": "string", **shape}
        return made | {"description": description, "example": example, "schema": schema}

    def build_querystring_parameters(self, model: type) -> tuple[list[Any], dict[str, Any]]:
        parameters, components = super().build_querystring_parameters(model)
        needed = model_schema(model).get("required", ())
        found = [wording.plain(each) | {"required": each["name"] in needed} for each in parameters]
        return found, components

    def build_headers_parameters(self, model: type) -> tuple[list[Any], dict[str, Any]]:
        parameters, components = super().build_headers_parameters(model)
        return [
            wording.plain(each) | {"name": each["name"].title()} for each in parameters
        ], components

    def build_request_body(
        self, model: type, source: DataSource
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        body, components = super().build_request_body(model, source)
        wording.give_example(body["content"][JSON])
        wording.leave_out_defaults(body["content"][JSON]["schema"])
        return body | {"required": True}, components

    def build_response_object(
        self, model: type, headers_model: type | None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        answer, components = super().build_response_object(model, headers_model)
        wording.give_example(answer["content"][JSON])
        return answer, components


def _name_scope(operation: dict[str, Any], scope: str | None) -> None:
    """Say which scope a token must have (OpenAPI 3.1, Security Requirement Object)."""
    wanted = [scope] if scope is not None else []
    operation["security"] = [
        {name: wanted if name == "bearer" else [] for name in way} for way in operation["security"]
    ]


def _complete(operation: dict[str, Any], told: Told, *, reads: bool) -> None:
    """Add the summary's form, the headers and the refusals of one call."""
    operation["summary"] = operation["summary"].rstrip(".")
    operation["description"] = wording.description(operation, told.limit)
    body = operation["responses"].pop(told.status, {})
    answer = body | {"description": told.description, "headers": _headers(told, reads)}
    operation["responses"] = {str(told.status): answer}
    if reads:
        operation["responses"]["304"] = {"description": "Unchanged since the `If-None-Match` sent."}
    for status, reason in sorted(_refusals(operation, told).items()):
        operation["responses"][str(status)] = _problem(reason)
    if told.limit is not None:
        refusal = _problem(f"Too often: {told.limit}. `Retry-After` says when to try again.")
        names = ("Retry-After", *RATE_LIMIT)
        refusal["headers"] = {name: _HEADERS[name] for name in names}
        operation["responses"]["429"] = refusal
    operation["responses"]["default"] = _problem("Any other problem.")


def _headers(told: Told, reads: bool) -> dict[str, Any]:
    names = ["Location"] if told.has_location else []
    names += ["ETag"] if reads else []
    return {name: _HEADERS[name] for name in names}


def _refusals(operation: dict[str, Any], told: Told) -> dict[int, str]:
    found: dict[int, str] = {}
    places = {parameter["in"] for parameter in operation["parameters"]}
    scopes = [scope for way in operation["security"] for scope in way.get("bearer", ())]
    if any("bearer" in way for way in operation["security"]):
        found[401] = "The access token is missing or no good."
    if scopes:
        found[403] = f"The token lacks the scope `{scopes[0]}`."
    if {} in operation["security"]:
        found[401] = "The access token is no good, or missing where only members may read."
    if "path" in places:
        found[404] = "There is no such thing, or none that you may see."
    if any(parameter["name"] == "Idempotency-Key" for parameter in operation["parameters"]):
        found.setdefault(404, "What was made with this key the first time is gone.")
    if places - {"path"}:
        found[422] = "A parameter is not right: `errors` says which."
    if "requestBody" in operation:
        found[400] = "The body is not JSON in UTF-8."
        found[415] = "The body does not say that it is `application/json`."
        found[422] = "A field is not right: `errors` says which."
    return found | dict(told.refusals)


def _problem(reason: str) -> dict[str, Any]:
    kind = {"$ref": "#/components/schemas/Problem"}
    return {"description": reason, "content": {PROBLEM_JSON: {"schema": kind}}}


def _header(description: str, kind: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": kind}}


_HEADERS = {
    "ETag": _header("The version of the answer, for `If-None-Match`.", "string"),
    "Location": _header("Where the new thing is.", "string"),
    "Retry-After": _header("Seconds to wait.", "integer"),
    "RateLimit-Limit": _header("How many there may be at once.", "integer"),
    "RateLimit-Remaining": _header("How many are left.", "integer"),
    "RateLimit-Reset": _header("Seconds until there are more.", "integer"),
}


def install(app: Quart) -> None:
    """Let quart-schema document an application. Its own pages would load scripts from afar: off."""
    QuartSchema(
        app,
        openapi_path=None,
        redoc_ui_path=None,
        scalar_ui_path=None,
        swagger_ui_path=None,
        info=Info(
            title="Microblog",
            version=API_VERSION,
            description=DESCRIPTION,
        ),
        servers=[Server(url="/")],
        security_schemes={
            "basic": HttpSecurityScheme(scheme="basic"),
            "bearer": HttpSecurityScheme(scheme="bearer", bearer_format="JWT"),
        },
        conversion_preference="pydantic",
        openapi_provider_class=Document,
    )
