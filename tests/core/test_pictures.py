"""Squares of pictures: from every kind, upright, without what a file tells; and what is refused."""

import pytest
from PIL import Image, ImageFile

from microblog.core import pictures
from microblog.core.errors import Invalid
from tests import images

SIZES = [(640, 480), (480, 640), (400, 400), (1, 1), (3, 2000), (96, 96), (2400, 1700)]
MODES = {
    "PNG": ["RGB", "RGBA", "P", "L", "LA", "1", "I;16"],
    "JPEG": ["RGB", "L", "CMYK"],
    "WEBP": ["RGB", "RGBA"],
    "GIF": ["RGB", "P", "L"],
    "AVIF": ["RGB", "RGBA"],
}


def is_near(colour: object, wanted: tuple[int, int, int]) -> bool:
    """Tell whether a colour is the wanted one, as far as coding leaves it so."""
    assert isinstance(colour, tuple)
    return all(abs(a - b) < 40 for a, b in zip(colour, wanted, strict=False))


@pytest.mark.parametrize("kind", images.kinds())
def test_each_kind_becomes_two_squares_of_its_middle(kind: str) -> None:
    made = pictures.squares(images.picture(kind))
    assert set(made.by_size) == {400, 96}
    for size, content in made.by_size.items():
        shown = images.opened(content)
        assert (shown.format, shown.size, shown.mode) == ("WEBP", (size, size), "RGB")
        assert is_near(shown.getpixel((size // 4, size // 2)), images.RED)
        assert is_near(shown.getpixel((3 * size // 4, size // 2)), images.BLUE)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_each_form_becomes_a_square(size: tuple[int, int]) -> None:
    made = pictures.squares(images.picture("PNG", size))
    assert {images.opened(content).size for content in made.by_size.values()} == {
        (400, 400),
        (96, 96),
    }


@pytest.mark.parametrize(("kind", "mode"), [(k, m) for k, modes in MODES.items() for m in modes])
def test_each_way_of_telling_colours_is_understood(kind: str, mode: str) -> None:
    shown = images.opened(pictures.squares(images.picture(kind, (1300, 700), mode)).by_size[400])
    grey = {"L", "LA", "1", "I;16"}
    wanted = images.RED if mode not in grey else (81, 81, 81)
    assert mode in {"1", "I;16"} or is_near(shown.getpixel((100, 200)), wanted)


def test_what_is_clear_stays_clear() -> None:
    clear = Image.new("RGBA", (500, 500), (255, 0, 0, 0))
    made = pictures.squares(images.saved(clear, "PNG"))
    assert images.opened(made.by_size[96]).getpixel((48, 48))[3] == 0  # type: ignore[index]


def test_sixteen_bits_of_grey_keep_their_brightness() -> None:
    grey = Image.new("I;16", (500, 500), 32_768)
    shown = images.opened(pictures.squares(images.saved(grey, "PNG")).by_size[96])
    assert is_near(shown.getpixel((48, 48)), (128, 128, 128))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_picture_stands_as_the_camera_was_held(orientation: int) -> None:
    shown = images.opened(pictures.squares(images.photograph(orientation)).by_size[400])
    red = {1: "left", 2: "right", 3: "right", 4: "left", 5: "top", 6: "top", 7: "bottom"}
    place = {"left": (100, 200), "right": (300, 200), "top": (200, 100), "bottom": (200, 300)}
    assert is_near(shown.getpixel(place[red.get(orientation, "bottom")]), images.RED)


@pytest.mark.S18
def test_nothing_that_the_file_tells_is_left() -> None:
    sent = images.photograph()
    assert b"SECRET-CAMERA" in sent
    for content in pictures.squares(sent).by_size.values():
        shown = images.opened(content)
        assert not shown.getexif()
        assert not {"exif", "xmp", "icc_profile", "comment"} & set(shown.info)
        assert b"SECRET" not in content
        assert b"EXIF" not in content


@pytest.mark.S18
@pytest.mark.parametrize("kind", ["PNG", "GIF", "JPEG"])
def test_second_meaning_of_a_file_is_not_passed_on(kind: str) -> None:
    payload = b"<script>alert(1)</script>" + b"PK\x03\x04" + b"payload" * 10
    made = pictures.squares(images.picture(kind) + payload)
    for content in made.by_size.values():
        assert b"script" not in content
        assert b"payload" not in content


@pytest.mark.S18
@pytest.mark.parametrize("name", sorted(images.hostile()))
def test_nothing_hostile_is_decoded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[tuple[int, int]] = []
    load = ImageFile.ImageFile.load

    def noted(image: ImageFile.ImageFile) -> object:
        decoded.append(image.size)
        return load(image)

    monkeypatch.setattr(ImageFile.ImageFile, "load", noted)
    with pytest.raises(Invalid) as refused:
        pictures.squares(images.hostile()[name])
    assert list(refused.value.errors) == ["avatar"]
    assert all(width * height < 100_000 for width, height in decoded)


@pytest.mark.S18
@pytest.mark.parametrize(
    ("kind", "size"),
    [("PNG", (3300, 3200)), ("WEBP", (1600, 1600)), ("AVIF", (1800, 1800))],
)
def test_limit_is_told_with_the_way_out(kind: str, size: tuple[int, int]) -> None:
    with pytest.raises(Invalid) as refused:
        pictures.squares(images.picture(kind, size))
    assert "too many pixels" in str(refused.value.errors["avatar"][0])
    assert pictures.squares(images.picture(kind, (1500, 1500)))


def test_photograph_of_a_telephone_is_taken_whatever_its_size() -> None:
    assert pictures.squares(images.picture("JPEG", (8160, 6120)))


def test_same_picture_has_the_same_name() -> None:
    one, again = [pictures.squares(images.picture("PNG")) for _ in range(2)]
    other = pictures.squares(images.picture("PNG", (500, 100)))
    assert one.name == again.name
    assert one.name != other.name
    assert len(one.name) == pictures.NAME_LETTERS
