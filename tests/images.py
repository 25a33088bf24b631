"""Pictures for tests: good ones of each kind, and files that look like pictures and are none."""

import struct
import zlib
from functools import cache
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw, features

from microblog.core import pictures

RED, BLUE = (200, 30, 30), (30, 30, 200)
FAR = 50_000  # pixels that a bomb claims to have, across and down


@cache
def picture(
    kind: str = "PNG", size: tuple[int, int] = (640, 480), mode: str = "RGB", **how: Any
) -> bytes:
    """Return a picture whose left half is red and whose right half is blue."""
    return saved(_halves(size, mode), kind, **how)


def _halves(size: tuple[int, int], mode: str) -> Image.Image:
    drawn = Image.new("RGB", size, RED)
    ImageDraw.Draw(drawn).rectangle((size[0] // 2, 0, *size), fill=BLUE)
    return drawn.convert(mode)


def saved(image: Image.Image, kind: str, **how: Any) -> bytes:
    """Return the file of a picture."""
    file = BytesIO()
    image.save(file, kind, **how)
    return file.getvalue()


@cache
def photograph(orientation: int = 6) -> bytes:
    """Return a JPEG from a camera that was turned, with the place where it was taken."""
    told = Image.Exif()
    told[0x0112] = orientation
    told[0x010F] = "SECRET-CAMERA"
    told.get_ifd(0x8825)[1] = "N"
    told.get_ifd(0x8825)[2] = (37.0, 33.0, 59.0)
    return saved(_halves((640, 480), "RGB"), "JPEG", exif=told, comment=b"SECRET-COMMENT")


def opened(content: bytes) -> Image.Image:
    """Return what a file shows."""
    image = Image.open(BytesIO(content))
    image.load()
    return image


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *between: bytes, data: bytes = b"") -> bytes:
    """Return a PNG that says how large it is, whatever its data are."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    rest = (*between, chunk(b"IDAT", data), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(rest)


def _gif(width: int, height: int) -> bytes:
    size = struct.pack("<HH", width, height)
    frame = b"," + b"\0\0\0\0" + size + b"\0" + b"\x02\x02\x4c\x01\0;"
    return b"GIF89a" + size + b"\x80\0\0" + b"\0\0\0\xff\xff\xff" + frame


def _webp(width: int, height: int) -> bytes:
    small = bytearray(saved(_halves((16, 16), "RGBA"), "WEBP", lossless=True))
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    head = b"VP8X" + struct.pack("<I", 10) + b"\x10\0\0\0" + canvas
    body = b"WEBP" + head + bytes(small[12:])
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _jpeg(width: int, height: int) -> bytes:
    small = picture("JPEG", (16, 16))
    at = small.index(b"\xff\xc0") + 5
    return small[:at] + struct.pack(">HH", height, width) + small[at + 4 :]


def _avif(width: int, height: int) -> bytes:
    small = picture("AVIF", (16, 16))
    said = b"ispe\0\0\0\0" + struct.pack(">II", 16, 16)
    assert said in small
    return small.replace(said, said[:8] + struct.pack(">II", width, height))


@cache
def hostile() -> dict[str, bytes]:
    """Return files that no decoder may be given, by what they are."""
    zeros = zlib.compress(bytes(FAR * 3 + 1) * 20, 9)
    text = b"Comment\0\0" + zlib.compress(b"x" * 900_000, 9)
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
    good = picture("JPEG")
    return {
        "PNG of 2,500 megapixels": png(FAR, FAR, data=zeros),
        "PNG just over the limit": png(4000, 3000, data=zeros),
        "GIF of 4,000 megapixels": _gif(65_535, 65_535),
        "WebP of 260 megapixels": _webp(16_000, 16_000),
        "JPEG of 4,000 megapixels": _jpeg(65_500, 65_500),
        "AVIF of 256 megapixels": _avif(16_000, 16_000),
        "PNG with texts of 60 MB": png(64, 64, *[chunk(b"zTXt", text)] * 64),
        "JPEG that is gone over 5,000 times": good[:-2] + scan * 5_000 + good[-2:],
        "zip": b"PK\x03\x04" + bytes(1000),
        "zip bomb": zlib.compress(bytes(8_000_000), 9),
        "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "page": b"<!doctype html><script>alert(1)</script>",
        "TIFF": saved(_halves((64, 64), "RGB"), "TIFF"),
        "BMP": saved(_halves((64, 64), "RGB"), "BMP"),
        "half a PNG": picture("PNG", (64, 64))[:60],
        "beginning of a PNG": b"\x89PNG\r\n\x1a\n",
        "beginning of a WebP": b"RIFF\xff\xff\xff\x7fWEBPVP8X",
        "beginning of an AVIF": b"\0\0\0\x20ftypavif" + bytes(40),
        "NUL": bytes(1000),
        "a letter": b"x",
    }


def kinds() -> list[str]:
    """Return the kinds of pictures that may be sent."""
    assert features.check("webp")
    assert features.check("avif")
    return list(pictures.FORMATS)
