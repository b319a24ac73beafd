"""Pictures from outside come out as MNIST's digits are, and bad ones are refused in one sentence."""

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bnn_core.datasets import image as module
from bnn_core.datasets.digits import load_mnist
from bnn_core.datasets.image import decode_image, from_raster, load_image
from bnn_core.errors import InputError


def encoded(image, kind="PNG", **options):
    buffer = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(buffer, kind, **options)
    return buffer.getvalue()


def seven(height=200, width=160, paper=255, ink=0, stroke=16):
    """A figure 7, off the centre: a bar above, a leg at the right."""
    picture = np.full((height, width), paper, np.uint8)
    top, left, bottom, right = height // 10, width // 10, height // 2, width // 2
    picture[top : top + stroke, left:right] = ink
    picture[top:bottom, right - stroke : right] = ink
    return picture


def box(result, level=64):
    """Rows and columns that hold ink: top, bottom, left, right (exclusive)."""
    rows, columns = np.flatnonzero((result >= level).any(1)), np.flatnonzero((result >= level).any(0))
    return rows[0], rows[-1] + 1, columns[0], columns[-1] + 1


def middle(result):
    total = result.sum(dtype=float)
    side = np.arange(len(result))
    return result.sum(1) @ side / total, result.sum(0) @ side / total


def assert_like_mnist(result, side=28):
    assert result.dtype == np.uint8
    assert result.shape == (side, side)
    assert result.max() >= 240
    top, bottom, left, right = box(result)
    assert abs(max(bottom - top, right - left) - round(side * 20 / 28)) <= 1
    assert middle(result) == pytest.approx((side // 2, side // 2), abs=0.5)


def test_mnists_own_digits_come_back_unchanged(tmp_path):
    images = load_mnist().test_images[:1000]
    for image in images:
        np.testing.assert_array_equal(from_raster(image), image)
    for image in images[:50]:
        np.testing.assert_array_equal(decode_image(encoded(image)), image)
        np.testing.assert_array_equal(decode_image(encoded(255 - image)), image)  # dark on light
    path = tmp_path / "digit.png"
    path.write_bytes(encoded(images[0]))
    np.testing.assert_array_equal(load_image(path), images[0])
    np.testing.assert_array_equal(load_image(str(path)), images[0])


def test_mnists_digits_survive_enlarging():
    """Ten times as large, whole pixels: the same bits but for a few at the edges."""
    images = load_mnist().test_images[:100]
    differing = [
        np.count_nonzero((from_raster(np.kron(image, np.ones((10, 10), np.uint8))) >= 128) != (image >= 128))
        for image in images
    ]
    assert np.median(differing) <= 2


@pytest.mark.parametrize("side", [28, 16, 32, 64, 4])
def test_scaled_and_centred(side):
    result = from_raster(seven(), side=side)
    if side > 4:
        assert_like_mnist(result, side)
    else:
        assert result.shape == (4, 4)
        assert result.max() > 0


def test_the_aspect_ratio_is_kept():
    top, bottom, left, right = box(from_raster(seven(300, 300)[:, :140]))
    assert bottom - top == 20
    ink_rows, ink_columns = 300 // 2 - 30, 140 - 30
    assert right - left == pytest.approx(20 * ink_columns / ink_rows, abs=1)


@given(
    height=st.integers(10, 90),
    width=st.integers(10, 90),
    top=st.integers(0, 200),
    left=st.integers(0, 200),
    light=st.booleans(),
)
def test_where_the_digit_stands_does_not_matter(height, width, top, left, light):
    """Any filled box anywhere: the same result as the box alone, in the middle, nothing of it lost."""
    picture = np.zeros((300, 300), np.uint8)
    picture[top : top + height, left : left + width] = 255
    result = from_raster(picture if light else 255 - picture, ink_is_light=light)
    alone = np.pad(np.full((height, width), 255, np.uint8), 150)
    scale = 20 / max(height, width)
    up, down, start, stop = box(result, 128)
    assert down - up == pytest.approx(height * scale, abs=1)
    assert stop - start == pytest.approx(width * scale, abs=1)
    assert middle(result) == pytest.approx((14, 14), abs=0.51)
    np.testing.assert_array_equal(result, from_raster(alone, ink_is_light=True))


def test_a_heavy_foot_loses_no_ink():
    """The centre of mass is far from the middle of the box: the shift stops where ink would be cut."""
    picture = np.zeros((28, 28), np.uint8)
    picture[0:20, 10] = 255
    picture[0:2, 4:24] = 255
    result = from_raster(picture, ink_is_light=True)
    assert np.count_nonzero(result) == np.count_nonzero(picture)
    heavy = np.zeros((28, 28), np.uint8)
    heavy[4:24, 13] = 30  # a faint stem upon a heavy foot
    heavy[22:24, 7:20] = 255
    moved = from_raster(heavy, ink_is_light=True)
    assert sorted(moved[moved > 0]) == sorted(heavy[heavy > 0])
    assert box(moved, 16)[0] == 0


def test_ink_is_told_from_ground_by_the_border():
    dark_on_light = from_raster(seven(paper=240, ink=30))
    light_on_dark = from_raster(255 - seven(paper=240, ink=30))
    np.testing.assert_array_equal(dark_on_light, light_on_dark)
    np.testing.assert_array_equal(from_raster(255 - seven(), ink_is_light=True), from_raster(seven()))


def test_a_drawing_that_covers_its_border_can_say_what_is_ink():
    picture = np.zeros((56, 56), np.uint8)
    picture[:3] = picture[-3:] = picture[:, :3] = picture[:, -3:] = 255  # a square 0 along the border
    ring = from_raster(picture, ink_is_light=True)
    assert ring[14, 14] == 0
    assert box(ring) == (4, 24, 4, 24)
    assert from_raster(picture)[14, 14] == 255  # undecided, the border is taken for the ground


def test_weak_contrast_is_stretched():
    strong, weak = from_raster(seven()), from_raster(seven(paper=200, ink=150))
    assert weak.max() == 255
    assert np.abs(weak.astype(int) - strong).max() <= 3


@pytest.mark.parametrize("stroke", [1, 2, 4, 8, 16])
def test_thin_strokes_come_out_as_wide_as_mnists(stroke):
    result = from_raster(seven(1000, 1000, stroke=stroke))
    top, bottom, left, right = box(result)
    assert max(bottom - top, right - left) in (20, 21, 22)
    ink = np.count_nonzero(result >= 128)
    assert 30 <= ink <= 90  # a 7 of 20 x 20 pixels has about 40 for each pixel of its strokes' width


def test_grey_levels_within_a_digit_are_kept():
    picture = np.zeros((28, 28), np.uint8)
    picture[4:24, 10:18] = 255
    picture[8:20, 12:16] = 90
    result = from_raster(picture)
    assert sorted(np.unique(result)) == [0, 90, 255]
    assert np.count_nonzero(result == 90) == 48


@pytest.mark.parametrize("amount", [3, 8])
def test_noise_of_the_paper_is_not_ink(amount):
    noise = np.random.default_rng(1).normal(0, amount, (400, 320))
    clean = seven(400, 320, paper=200, ink=40)
    noisy = np.clip(clean + noise, 0, 255).astype(np.uint8)
    result, expected = from_raster(noisy), from_raster(clean)
    assert box(result) == box(expected)
    assert np.count_nonzero((result >= 128) != (expected >= 128)) <= 4


def test_a_faint_speck_is_not_ink():
    picture = seven()
    expected = from_raster(picture)
    picture[190, 150] = 245  # grey dust on white paper
    np.testing.assert_array_equal(from_raster(picture), expected)


def modes():
    grey = seven()
    deep = grey.astype(np.uint16) * 257
    opaque = np.full_like(grey, 255)
    clear = 255 - grey  # ink opaque, paper transparent
    black, white = np.zeros_like(grey), opaque
    palette = Image.fromarray(grey).convert("P")
    keyed = Image.fromarray(255 - grey)  # grey level 0 marked as transparent: on white, and white ink on it
    yield "L", encoded(grey)
    yield "1", encoded(Image.fromarray(grey).convert("1"))
    yield "16 bits", encoded(Image.fromarray(deep))
    yield "RGB", encoded(np.dstack([grey] * 3))
    yield "palette", encoded(palette)
    yield "RGBA", encoded(np.dstack([grey] * 3 + [opaque]))
    yield "transparent paper", encoded(np.dstack([black] * 3 + [clear]))
    yield "transparent paper, white ink", encoded(np.dstack([white] * 3 + [clear]))
    yield "grey with alpha", encoded(np.dstack([black, clear]))
    yield "transparent key, white ink", encoded(keyed, transparency=0)
    yield "JPEG", encoded(grey, "JPEG", quality=95)
    yield "JPEG RGB", encoded(np.dstack([grey] * 3), "JPEG", quality=95)
    yield "JPEG CMYK", encoded(Image.fromarray(np.dstack([grey] * 3)).convert("CMYK"), "JPEG", quality=95)


@pytest.mark.parametrize(("mode", "content"), list(modes()), ids=[mode for mode, _ in modes()])
def test_every_kind_of_picture_gives_the_same_digit(mode, content):
    result, expected = decode_image(content), from_raster(seven())
    if mode.startswith("JPEG"):
        assert np.count_nonzero((result >= 128) != (expected >= 128)) <= 4
    else:
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize(("orientation", "turn"), [(3, 2), (6, 1), (8, 3)])
def test_the_cameras_orientation_is_honoured(kind, orientation, turn):
    upright = seven()
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(np.rot90(upright, turn))
    result = decode_image(encoded(stored, kind, exif=exif, **({"quality": 95} if kind == "JPEG" else {})))
    assert np.count_nonzero((result >= 128) != (from_raster(upright) >= 128)) <= 4


def test_a_photograph_of_twelve_million_pixels():
    photo = seven(3000, 4000, paper=190, ink=60, stroke=200)
    assert_like_mnist(decode_image(encoded(photo, "JPEG")))


@pytest.mark.parametrize("grey", [0, 17, 128, 255])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_blank_pictures_are_refused(grey, kind):
    with pytest.raises(InputError, match="two is blank: no ink stands out"):
        decode_image(encoded(np.full((40, 50), grey, np.uint8), kind), name="two")


def test_a_wholly_transparent_picture_is_blank():
    with pytest.raises(InputError, match="is blank"):
        decode_image(encoded(np.zeros((30, 30, 4), np.uint8)))


def test_noise_alone_is_blank():
    noise = np.random.default_rng(0).integers(120, 130, (200, 200)).astype(np.uint8)
    with pytest.raises(InputError, match="is blank"):
        from_raster(noise)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "WEBP"])
def test_other_kinds_are_refused_by_content(tmp_path, kind):
    path = tmp_path / "digit.png"  # the name says PNG, the content does not
    path.write_bytes(encoded(seven(), kind))
    with pytest.raises(InputError, match=r"digit\.png is neither a PNG nor a JPEG picture"):
        load_image(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_what_is_no_picture_is_refused(content):
    with pytest.raises(InputError, match="neither a PNG nor a JPEG"):
        decode_image(content)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7])
def test_truncated_pictures_are_refused(kind, share):
    content = encoded(np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8), kind)
    with pytest.raises(InputError, match=f"upload is a damaged {kind} picture"):
        decode_image(content[: max(8, int(len(content) * share))], name="upload")


def huge_png(width, height):
    """A few bytes that claim to be a picture of this size."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(10_000, 5_001), (12_000, 12_000), (2_000_000, 2_000_000)])
def test_too_many_pixels_are_refused_before_decoding(width, height):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Pillow's own warning does not reach the person either
        with pytest.raises(InputError, match="allowed are at most 50 million pixels"):
            decode_image(huge_png(width, height))


def test_too_large_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_FILE_BYTES", 3_000_000)
    path = tmp_path / "large.png"
    path.write_bytes(encoded(seven()) + bytes(3_000_000))
    with pytest.raises(InputError, match=r"large\.png is larger than the 3 MB"):
        load_image(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.png cannot be read: No such file"):
        load_image(tmp_path / "none.png")


@pytest.mark.parametrize(
    "raster",
    [np.zeros((0, 5), np.uint8), np.zeros((5, 5)), np.zeros((5, 5, 3), np.uint8), np.zeros(5, np.uint8)],
)
def test_other_rasters_are_refused(raster):
    with pytest.raises(InputError, match="allowed is uint8 of shape"):
        from_raster(raster)


def test_too_large_rasters_are_refused():
    raster = np.broadcast_to(np.uint8(0), (10_000, 10_000))
    with pytest.raises(InputError, match="at most 50 million pixels"):
        from_raster(raster)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40), st.none() | st.booleans())
def test_any_raster_gives_a_digit_or_a_sentence(seed, height, width, light):
    raster = np.random.default_rng(seed).integers(0, 256, (height, width)).astype(np.uint8)
    contrast = int(raster.max()) - int(raster.min())
    if contrast < 24:
        with pytest.raises(InputError, match="is blank"):
            from_raster(raster, ink_is_light=light)
    elif light is None and contrast >= 48:
        result = from_raster(raster)
        assert result.shape == (28, 28)
        assert result.max() > 0
