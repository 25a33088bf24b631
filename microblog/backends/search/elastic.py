"""Elasticsearch 8 and 9, through its asynchronous client.

An index of posts and one of people, each behind an alias, so that a new one can be filled beside
it. They hold our own tokens, split at spaces and not analysed further; no text of anybody's can be
read there. Only what the smallest build of the server has is used.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import structlog
from elasticsearch import ApiError, AsyncElasticsearch, NotFoundError, TransportError

from microblog.core.errors import Unavailable
from microblog.core.search_plan import Document, Plan, Source, Subject, exact_parts, is_exact
from microblog.core.search_tokens import Term

TIMEOUT_SECONDS = 5.0
RETRY_AFTER_SECONDS = 5
BULK = 500
MAPPINGS: Mapping[str, Any] = {
    "dynamic": "strict",
    "_source": {"enabled": False},
    "properties": {
        "id": {"type": "long"},
        "at": {"type": "long"},
        "tokens": {"type": "text", "analyzer": "whitespace", "norms": False},
    },
}

log = structlog.get_logger(__name__)


class Elastic:
    """Two indexes on a server: posts and people."""

    name = "elastic"

    def __init__(self, url: str, prefix: str) -> None:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        account = (
            (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        )
        host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
        self._prefix = prefix
        self._client = AsyncElasticsearch(
            f"{parts.scheme}://{host}:{port}{parts.path}",
            basic_auth=account,
            request_timeout=TIMEOUT_SECONDS,
            max_retries=0,
        )

    def _alias(self, subject: Subject) -> str:
        return f"{self._prefix}-{subject}"

    async def is_made(self) -> bool:
        async with _told_as_unavailable():
            aliases = [self._alias("post"), self._alias("user")]
            return bool(await self._client.indices.exists_alias(name=",".join(aliases)))

    async def put(
        self, subject: Subject, ids: Collection[int], documents: Sequence[Document]
    ) -> None:
        alias = self._alias(subject)
        kept = {document.id for document in documents}
        gone: list[dict[str, Any]] = [
            {"delete": {"_id": str(each)}} for each in ids if each not in kept
        ]
        await self._bulk(alias, [*gone, *_written(documents)], require_alias=True)

    async def begin_anew(self, subject: Subject) -> str:
        name = f"{self._alias(subject)}-{uuid4().hex[:12]}"
        async with _told_as_unavailable():
            settings = {"number_of_shards": 1, "auto_expand_replicas": "0-1"}
            await self._client.indices.create(index=name, mappings=MAPPINGS, settings=settings)
        return name

    async def fill(self, name: str, documents: Sequence[Document]) -> None:
        await self._bulk(name, _written(documents), refresh=False)

    async def swap(self, subject: Subject, name: str) -> None:
        alias = self._alias(subject)
        async with _told_as_unavailable():
            await self._client.indices.refresh(index=name)
            known = await self._client.indices.get(index=f"{alias}-*")
            others = [each for each in known if each != name]
            actions: list[dict[str, Any]] = [{"remove_index": {"index": each}} for each in others]
            actions.append({"add": {"index": name, "alias": alias}})
            await self._client.indices.update_aliases(actions=actions)

    def source(self, subject: Subject, plan: Plan) -> Source:
        query = _query(plan)

        async def find(below: int, limit: int) -> list[int]:
            within = {"range": {"id": {"lt": below}}}
            async with _told_as_unavailable():
                found = await self._client.search(
                    index=self._alias(subject),
                    query={"bool": query | {"filter": [*query["filter"], within]}},
                    sort=[{"id": "desc"}],
                    size=limit,
                    source=False,
                    track_total_hits=False,
                )
            return [int(hit["sort"][0]) for hit in found["hits"]["hits"]]

        return find

    async def close(self) -> None:
        await self._client.close()

    async def _bulk(
        self,
        index: str,
        operations: Sequence[Mapping[str, Any]],
        *,
        refresh: bool = True,
        require_alias: bool = False,
    ) -> None:
        if not operations:
            return
        async with _told_as_unavailable():
            done = await self._client.bulk(
                index=index, operations=operations, refresh=refresh, require_alias=require_alias
            )
        if done["errors"]:
            kinds = {_problem(item) for item in done["items"]} - {None}
            if kinds:
                log.error("search.not_taken", index=index, problems=sorted(map(str, kinds)))
                raise Unavailable(RETRY_AFTER_SECONDS)


def _written(documents: Sequence[Document]) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    for each in documents:
        lines.append({"index": {"_id": str(each.id)}})
        at = int(each.at.timestamp())
        lines.append({"id": each.id, "at": at, "tokens": " ".join(each.tokens)})
    return lines


def _problem(item: Mapping[str, Any]) -> str | None:
    """Return the kind of an operation's error; what was to be deleted may be gone already."""
    (outcome,) = item.values()
    return outcome["error"]["type"] if "error" in outcome else None


def _query(plan: Plan) -> dict[str, list[dict[str, Any]]]:
    wanted = [_asked(part) for term in plan.wanted for part in exact_parts(term)]
    if plan.among:
        wanted.append({"terms": {"tokens": list(plan.among)}})
    between = {
        name: int(moment.timestamp())
        for name, moment in (("gte", plan.since), ("lt", plan.until))
        if moment is not None
    }
    if between:
        wanted.append({"range": {"at": between}})
    unwanted = [_asked(term) for term in plan.unwanted if is_exact(term)]
    return {"filter": wanted, "must_not": unwanted}


def _asked(term: Term) -> dict[str, Any]:
    if len(term.tokens) > 1:
        return {"match_phrase": {"tokens": " ".join(term.tokens)}}
    kind = "prefix" if term.open else "term"
    return {kind: {"tokens": term.tokens[0]}}


@asynccontextmanager
async def _told_as_unavailable() -> AsyncIterator[None]:
    """Turn what says "not now" into Unavailable: away, overloaded, or without our indexes yet."""
    try:
        yield
    except TransportError as error:
        raise Unavailable(RETRY_AFTER_SECONDS) from error
    except NotFoundError as error:
        raise Unavailable(RETRY_AFTER_SECONDS) from error
    except ApiError as error:
        if error.meta.status in {408, 429} or error.meta.status >= 500:
            raise Unavailable(RETRY_AFTER_SECONDS) from error
        raise
