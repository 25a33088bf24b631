"""Static files: read and compressed once, served from memory under addresses that name their
version, so that a browser asks for each only once.

A module imports its neighbours relatively, so the version stands in the folder part of the
address: `/static/<version>/js/main.js`.
"""

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from quart import Blueprint, Quart, Response, request
from werkzeug.exceptions import NotFound

from microblog.edge import templates
from microblog.resources import STATIC

SCRIPTS = STATIC / "js"
YEAR_SECONDS = 31_536_000
KEPT_COMPRESSED = ".gz"  # large files that few ask for
_TYPES = {".js": "text/javascript", ".svg": "image/svg+xml", ".webmanifest": "application/json"}
_COMPRESSED = {".css", ".js", ".json", ".svg", ".md", ".txt", ".webmanifest"}

# Lines that are nothing but a comment: a sixth of our scripts, for developers and not for phones.
_COMMENT = re.compile(rb"^[ \t]*(?:/\*(?:(?!\*/).)*\*/|//[^\n]*)[ \t]*\n", re.MULTILINE | re.DOTALL)

blueprint = Blueprint("assets", __name__)


@dataclass(frozen=True, slots=True)
class Asset:
    """A static file, ready to be sent; `content` is empty where it is kept compressed only."""

    content: bytes
    compressed: bytes | None
    content_type: str
    etag: str

    def plain(self) -> bytes:
        """Return it for a client that takes it in no other way."""
        return self.content or gzip.decompress(self.compressed or b"")


@cache
def assets() -> dict[str, Asset]:
    """Return all static files by their path; nothing else can be asked for."""
    return {
        path.relative_to(STATIC).as_posix().removesuffix(KEPT_COMPRESSED): _read(path)
        for path in sorted(STATIC.rglob("*"))
        if path.is_file()
    }


def _read(path: Path) -> Asset:
    content = path.read_bytes()
    if path.parent == SCRIPTS:
        content = _COMMENT.sub(b"", content)
    name = Path(path.name.removesuffix(KEPT_COMPRESSED))
    kind = _TYPES.get(name.suffix) or mimetypes.guess_type(name)[0]
    if kind is not None and kind.startswith("text/"):
        kind += "; charset=utf-8"
    if path.suffix == KEPT_COMPRESSED:
        etag = hashlib.sha256(content).hexdigest()[:20]
        return Asset(b"", content, kind or "application/octet-stream", etag)
    compressed = gzip.compress(content, 9, mtime=0) if path.suffix in _COMPRESSED else None
    etag = hashlib.sha256(content).hexdigest()[:20]
    return Asset(content, compressed, kind or "application/octet-stream", etag)


@cache
def versions() -> dict[str, str]:
    """Return the version of each folder: a digest of all that is in it."""
    digests: dict[str, str] = {}
    for name, asset in assets().items():
        folder = name.split("/", 1)[0]
        joined = f"{digests.get(folder, '')}{name}{asset.etag}"
        digests[folder] = hashlib.sha256(joined.encode()).hexdigest()[:12]
    return digests


def asset_path(name: str) -> str:
    """Return the address of a static file, for example `asset_path("js/main.js")`."""
    if name not in assets():
        raise LookupError(f"there is no static file {name}")
    return f"/static/{versions()[name.split('/', 1)[0]]}/{name}"


@blueprint.get("/static/<version>/<path:name>")
async def static_file(version: str, name: str) -> Response:
    """Send a static file; for ever where the address names its present version."""
    asset = assets().get(name)
    if asset is None:
        raise NotFound
    headers = {"Vary": "Accept-Encoding", "Content-Type": asset.content_type}
    if version == versions()[name.split("/", 1)[0]]:
        headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"
    else:
        headers["Cache-Control"] = "public, no-cache"
    if asset.compressed is not None and request.accept_encodings.quality("gzip") > 0:
        content = asset.compressed
        headers["Content-Encoding"] = "gzip"
    else:
        content = asset.plain()
    response = Response(content, headers=headers)
    response.set_etag(asset.etag)
    return await response.make_conditional(request)


def install(app: Quart) -> None:
    """Add the static files, and `asset` for templates."""
    app.register_blueprint(blueprint)
    templates.add_global("asset", asset_path)
