"""Pictures that people send: what may be decoded, and the two squares that are made of one.

`edge.pictures` calls this in a thread. Nothing of the file itself is kept: what leaves here is
drawn anew, so neither the place where a photograph was taken nor a second meaning of the file
(a polyglot) gets any further.
"""

import hashlib
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from PIL import AvifImagePlugin, Image, PngImagePlugin

from microblog.core.errors import Invalid, message

LARGEST_BYTES: Final = 8 * 1024 * 1024
LARGE, SMALL = 400, 96
SIZES: Final = (LARGE, SMALL)  # in pixels, of both sides
FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "AVIF")
NAME_LETTERS: Final = 16

MOST_DECODED_BYTES = 37 * 1024 * 1024  # of memory, while one picture is decoded
MOST_PIXELS = 50_000_000  # of any, also of those that are decoded at an eighth of their size
MOST_SCANS = 100  # of a JPEG: each goes over the whole picture again
# What Pillow and the libraries below it hold for a pixel (measured): the canvas and its copies.
_BYTES_A_PIXEL = {"PNG": 4, "GIF": 4, "JPEG": 4, "WEBP": 17, "AVIF": 14}
_COEFFICIENT_BYTES = 2
_STRIP_ROWS = 256
_BEFORE_SCALING = 600
_ORIENTATION = 0x0112  # Exif 2.32, 4.6.4: how the camera was held
_TURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_UNKNOWN = message("This is no picture that we know. Send a PNG, JPEG, WebP, GIF or AVIF file.")
_BROKEN = message("This picture is broken. Save it anew, or send another one.")
_TOO_MANY_PIXELS = message(
    "This picture has too many pixels. Make it smaller, to 1500 × 1500 for example."
)

Image.MAX_IMAGE_PIXELS = MOST_PIXELS  # Pillow's own guard, before it lets a library begin
PngImagePlugin.MAX_TEXT_MEMORY = 1024 * 1024  # of texts in a PNG, which are compressed too
AvifImagePlugin.DEFAULT_MAX_THREADS = 1


@dataclass(frozen=True, slots=True)
class Squares:
    """A picture in the sizes `SIZES`, as WebP; `name` is short and says which picture it is."""

    name: str
    by_size: dict[int, bytes]


def kind_of(content: bytes) -> str | None:
    """Return which of `FORMATS` a file is, by how it begins; None for any other."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    if content[4:8] == b"ftyp" and content[8:12] in {b"avif", b"avis"}:
        return "AVIF"
    return None


def squares(content: bytes) -> Squares:
    """Make the squares of a picture's file: its middle, upright, without anything else of it.

    Raises Invalid for what is no picture, is broken, or would take too much memory; the latter is
    known from its beginning, before anything is decoded.
    """
    kind = kind_of(content)
    if kind is None:
        raise _refused(_UNKNOWN)
    if kind == "JPEG" and content.count(b"\xff\xda") > MOST_SCANS:
        raise _refused(_BROKEN)
    try:
        with Image.open(BytesIO(content), formats=[kind]) as opened:
            large = _upright(_middle(_checked(opened, kind)), _orientation(opened))
    except Invalid:
        raise
    except Image.DecompressionBombError:
        raise _refused(_TOO_MANY_PIXELS) from None
    except Exception:  # noqa: BLE001 - whatever a decoder stumbles over
        raise _refused(_BROKEN) from None
    small = large.resize((SMALL, SMALL), Image.Resampling.LANCZOS)
    made = {LARGE: _encoded(large), SMALL: _encoded(small)}
    return Squares(hashlib.sha256(made[LARGE]).hexdigest()[:NAME_LETTERS], made)


def _refused(reason: Any) -> Invalid:
    return Invalid({"avatar": [reason]})


def _checked(image: Image.Image, kind: str) -> Image.Image:
    """Return a picture that may be decoded, a JPEG at a fraction of its size; raises Invalid."""
    width, height = image.size
    held = 0
    if kind == "JPEG":
        if image.info.get("progressive"):  # all of it is held until its last scan
            held = int(width * height * _layers(image) * _COEFFICIENT_BYTES)
        image.draft(None, (_BEFORE_SCALING, _BEFORE_SCALING))
    decoded = image.width * image.height * _BYTES_A_PIXEL[kind]
    if width * height > MOST_PIXELS or held + decoded > MOST_DECODED_BYTES:
        raise _refused(_TOO_MANY_PIXELS)
    return image


def _layers(image: Any) -> float:
    """Return how many values a JPEG has for each pixel: 3, or less where colours are coarser."""
    sampled = [(across, down) for _, across, down, _ in image.layer]
    whole = max(across for across, _ in sampled) * max(down for _, down in sampled)
    return float(sum(across * down for across, down in sampled) / whole)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - what describes the picture is broken, not the picture
        return 1


def _middle(image: Image.Image) -> Image.Image:
    """Return the middle square in the larger size, with nothing attached.

    Strip by strip: a copy of the whole in other colours would take as much memory again.
    """
    side = min(image.size)
    factor = max(1, side // _BEFORE_SCALING)
    length = side // factor
    left, top = (image.width - side) // 2, (image.height - side) // 2
    mode = "RGBA" if image.has_transparency_data else "RGB"
    made = Image.new(mode, (length, length))
    rows = max(1, _STRIP_ROWS // factor)
    for row in range(0, length, rows):
        low, high = top + row * factor, top + min(row + rows, length) * factor
        strip = image.crop((left, low, left + length * factor, high))
        made.paste(_in_colours(strip, mode).reduce(factor), (0, row))
    return made.resize((LARGE, LARGE), Image.Resampling.LANCZOS)


def _in_colours(strip: Image.Image, mode: str) -> Image.Image:
    if strip.mode.startswith("I"):  # 16 bits of grey
        strip = strip.point(lambda value: value * (1 / 256)).convert("L")
    return strip.convert(mode)


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    turn = _TURNED.get(orientation)
    return image if turn is None else image.transpose(turn)


def _encoded(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "WEBP", quality=82, method=4)
    return file.getvalue()
