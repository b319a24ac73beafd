"""What harm a picture can do: its cost is known before it is decoded, bounded, and nothing else is read."""

import io
import os
import re
import struct
import subprocess
import sys
import threading
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter, ImageOps

from bnn_core.datasets import container
from bnn_core.datasets import image as module
from bnn_core.datasets.image import decode_image, load_image
from bnn_core.errors import InputError

PNG_START = b"\x89PNG\r\n\x1a\n"


def encoded(image, kind="PNG", **options):
    buffer = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(buffer, kind, **options)
    return buffer.getvalue()


def one(height=90, width=60):
    """A figure 1, not symmetric."""
    picture = np.full((height, width), 230, np.uint8)
    picture[height // 8 : -height // 5, width // 3 : width // 3 + max(1, width // 10)] = 20
    picture[-height // 5 : -height // 5 + 2, width // 5 : width // 2] = 90
    return picture


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height, depth=8, colour=0, *, row=b"", before=b"", interlaced=0):
    """A PNG whose rows are all the same; it may be shorter than it claims."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    packer = zlib.compressobj(1)
    rows = [packer.compress(row * 100) for _ in range(height // 100 * bool(row))]
    pixels = b"".join((*rows, packer.compress(row * (height % 100 if row else 0)), packer.flush()))
    return PNG_START + chunk(b"IHDR", header) + before + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def with_chunks(content, *chunks):
    """A PNG with more chunks before its pixels."""
    at = content.index(b"IDAT") - 4
    return content[:at] + b"".join(chunks) + content[at:]


def segment(marker, body):
    return bytes([0xFF, marker]) + struct.pack(">H", 2 + len(body)) + body


def with_segments(content, *segments):
    return content[:2] + b"".join(segments) + content[2:]


def exif(orientation, order=">", kind=3, fill=b""):
    tiff = (b"MM\0*" if order == ">" else b"II*\0") + struct.pack(f"{order}IH", 8, 2)
    tiff += struct.pack(f"{order}HHII", 0x010F, 2, 4, 0)
    number = struct.pack(f"{order}{'HH' if kind == 3 else 'I'}", *((orientation, 0)[: 2 if kind == 3 else 1]))
    return tiff + struct.pack(f"{order}HHI", 0x0112, kind, 1) + number + bytes(4) + fill


def resized(jpeg, width, height):
    """The same JPEG, with a header that claims another size."""
    at = next(jpeg.index(bytes([0xFF, marker])) for marker in (0xC0, 0xC2) if bytes([0xFF, marker]) in jpeg)
    return jpeg[: at + 5] + struct.pack(">HH", height, width) + jpeg[at + 9 :]


@pytest.fixture
def no_decoding(monkeypatch):
    def opened(*_, **__):
        raise AssertionError("a decoder saw the file")

    monkeypatch.setattr(Image, "open", opened)


COLOURS = np.dstack([one()] * 3)
PROGRESSIVE = encoded(COLOURS, "JPEG", progressive=True, subsampling=0)
LAST_SCAN = PROGRESSIVE[PROGRESSIVE.rindex(b"\xff\xda") : -2]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (png(1, 16_777_217, colour=6), "has 1 x 16777217 pixels; allowed are at most 50 million pixels"),
        (png(20_001, 10), r"has 20001 x 10 pixels; .* at most 20,000 on a side"),
        (png(60_000, 60_000, colour=6), "60000 x 60000 pixels"),
        (png(7_000, 7_000, 16, 6), "unpacks to 392 MB of pixels; allowed are 210 MB"),
        (resized(encoded(one(), "JPEG"), 65_000, 700), "65000 x 700 pixels; allowed"),
        (resized(encoded(one(), "JPEG"), 9_000, 9_000), "9000 x 9000 pixels; allowed"),
        (resized(PROGRESSIVE, 7_000, 7_000), "in several scans, which takes 294 MB; allowed are 260 MB"),
        (
            resized(PROGRESSIVE[:-2] + 40 * LAST_SCAN, 7_000, 7_000),
            "50 scans; allowed are at most 40 at this",
        ),
        (PROGRESSIVE + 500 * LAST_SCAN, "510 scans; allowed are at most 500 at this size"),
        (with_segments(encoded(one(), "JPEG"), segment(0xFE, b"") * 100_001), "more than 100,000 segments"),
        (with_chunks(encoded(one()), chunk(b"IDAT", b"") * 100_001), "more than 100,000 chunks"),
        (
            encoded(one(), "JPEG").replace(b"\xff\xc0", b"\xff\xc9"),
            r"of a rare kind \(0xffc9\); allowed are base",
        ),
        (
            encoded(one(), "JPEG").replace(b"\xff\xc0", b"\xff\xfd"),
            r"a damaged JPEG picture \(its header is miss",
        ),
        (PNG_START + chunk(b"IDAT", bytes(99)), r"damaged PNG picture \(it does not begin with its header\)"),
        (PNG_START, r"a damaged PNG picture \(it ends too early\)"),
        (b"\xff\xd8\xff", r"a damaged JPEG picture \(it ends before its pixels\)"),
    ],
    ids=lambda value: "file" if isinstance(value, bytes) else None,
)
@pytest.mark.usefixtures("no_decoding")
def test_what_costs_too_much_is_refused_before_decoding(content, sentence):
    with pytest.raises(InputError, match=f"^upload .*{sentence}") as caught:
        decode_image(content, name="upload")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("width", "height", "depth", "colour"),
    [(20_000, 2_500, 8, 2), (7_000, 7_000, 8, 6), (7_071, 7_071, 16, 0)],
)
def test_a_phones_pictures_are_not_refused_for_their_size(width, height, depth, colour):
    container.strip(png(width, height, depth, colour), "PNG", "it")


@pytest.mark.parametrize("kind", [{}, {"subsampling": 0}, {"progressive": True}])
def test_a_phones_photographs_are_not_refused_for_their_size(kind):
    container.strip(resized(encoded(COLOURS, "JPEG", **kind), 8_160, 6_120), "JPEG", "it")


def modes():
    grey, light = one(91, 67), 255 - one(91, 67)
    palette = Image.fromarray(grey).convert("P")
    yield "L", "PNG", Image.fromarray(grey), {}
    yield "1", "PNG", Image.fromarray(grey).convert("1"), {}
    yield "RGB", "PNG", Image.fromarray(np.dstack([grey, light, grey])), {}
    yield "16 bits", "PNG", Image.fromarray(grey.astype(np.uint16) * 251), {}
    yield "palette", "PNG", palette, {}
    yield "palette with alpha", "PNG", palette, {"transparency": bytes(range(256))}
    yield "transparent key", "PNG", Image.fromarray(grey), {"transparency": 230}
    yield "RGBA", "PNG", Image.fromarray(np.dstack([grey, light, grey, light])), {}
    yield "LA", "PNG", Image.fromarray(np.dstack([grey, light])), {}
    yield "JPEG", "JPEG", Image.fromarray(np.dstack([grey, light, grey])), {}
    yield "JPEG, progressive", "JPEG", Image.fromarray(grey), {"progressive": True}
    yield "JPEG CMYK", "JPEG", Image.fromarray(np.dstack([grey] * 3)).convert("CMYK"), {}


def whole(content, kind, side):
    """The rasters as they come when the whole picture is turned, composited, then reduced."""
    image = Image.open(io.BytesIO(content))
    if kind == "JPEG":
        image.draft("L", (16 * side, 16 * side))
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        greys = [Image.fromarray(np.asarray(image).astype(np.float32) / 257.0)]
    elif image.has_transparency_data:
        papers = [Image.new("RGBA", image.size, ground) for ground in ("white", "black")]
        greys = [Image.alpha_composite(paper, image.convert("RGBA")).convert("L") for paper in papers]
    else:
        greys = [(image.convert("RGB") if image.mode in ("P", "CMYK") else image).convert("L")]
    return [np.asarray(grey.convert("F").reduce(max(1, max(image.size) // (8 * side)))) for grey in greys]


@pytest.mark.parametrize("side", [4, 28])
@pytest.mark.parametrize(("kind", "image", "options"), [m[1:] for m in modes()], ids=[m[0] for m in modes()])
def test_bands_give_what_the_whole_picture_gives(kind, image, options, side, monkeypatch):
    """To the last bit, for each orientation, also where blocks do not divide the picture."""
    monkeypatch.setattr(module, "_BAND", 150)
    for orientation in range(1, 9):
        record = Image.Exif()
        record[0x0112] = orientation
        content = encoded(image, kind, exif=record, **options)
        came = module._rasters(container.strip(content, kind, "it"), side)
        for raster, expected in zip(came, whole(content, kind, side), strict=True):
            np.testing.assert_array_equal(raster, expected)


XMP = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
RAW = "\nexif\n      42\n" + (b"Exif\0\0" + exif(6)).hex()
UPRIGHT, JPEG = encoded(one()), encoded(one(), "JPEG")
SIX = [
    with_chunks(UPRIGHT, chunk(b"eXIf", exif(6))),
    with_chunks(UPRIGHT, chunk(b"eXIf", exif(6, "<", kind=4))),
    with_chunks(UPRIGHT, chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)),
    with_chunks(UPRIGHT, chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(XMP))),
    with_chunks(UPRIGHT, chunk(b"tEXt", b"Raw profile type exif\0" + RAW.encode())),
    with_chunks(UPRIGHT, chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(RAW.encode()))),
    UPRIGHT[:-12] + chunk(b"eXIf", exif(6)) + UPRIGHT[-12:],
    with_segments(JPEG, segment(0xE1, b"Exif\0\0" + exif(6, "<"))),
    with_segments(JPEG, segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP)),
]


@pytest.mark.parametrize("content", SIX, ids=range(len(SIX)))
def test_every_record_of_the_orientation_is_honoured(content):
    assert Image.open(io.BytesIO(content)).getexif()[0x0112] == 6  # Pillow thinks so too
    assert container.strip(content, container.kind_of(content, "it"), "it").orientation == 6


@pytest.mark.parametrize("orientation", [0, 9, 40_000])
def test_an_orientation_without_sense_is_none(orientation):
    content = with_chunks(UPRIGHT, chunk(b"eXIf", exif(orientation)))
    np.testing.assert_array_equal(decode_image(content), decode_image(UPRIGHT))


def extras():
    frames = [Image.fromarray(np.roll(one(), shift, 1)) for shift in (0, 9, 20)]
    wide = "\U0001f600" + "a" * 1_000_000
    overlap = b"MM\0*" + struct.pack(">IH", 8, 5_000)
    overlap += b"".join(struct.pack(">HHII", tag, 7, 60_000, 8) for tag in range(1_000, 6_000))
    yield "text", "PNG", with_chunks(UPRIGHT, chunk(b"tEXt", b"k\0" + bytes(9_000_000)))
    yield (
        "texts that unpack to a gigabyte",
        "PNG",
        with_chunks(UPRIGHT, *[chunk(b"iTXt", b"k\0\1\0\0\0" + zlib.compress(wide.encode()))] * 1_000),
    )
    yield (
        "profile that is none",
        "PNG",
        with_chunks(UPRIGHT, chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(10_000_000)))),
    )
    yield "animation", "PNG", encoded(frames[0], save_all=True, append_images=frames[1:])
    yield "further pictures", "JPEG", encoded(frames[0], "MPO", save_all=True, append_images=frames[1:])
    yield "EXIF in bits", "JPEG", with_segments(JPEG, *[segment(0xE1, b"Exif\0\0" + bytes(10))] * 50_000)
    yield "EXIF upon EXIF", "JPEG", with_segments(JPEG, segment(0xE1, b"Exif\0\0" + overlap))
    yield "comments", "JPEG", with_segments(JPEG, *[segment(0xFE, bytes(60_000))] * 150)


@pytest.mark.parametrize(("kind", "content"), [e[1:] for e in extras()], ids=[e[0] for e in extras()])
def test_what_is_no_pixel_never_reaches_the_decoder(kind, content):
    plain = UPRIGHT if kind == "PNG" else JPEG
    stripped = container.strip(content, kind, "it").content
    assert len(stripped) <= (len(plain) if len(content) > 100_000 else len(content))
    assert not {b"tEXt", b"iTXt", b"iCCP", b"acTL", b"fdAT", b"Exif\0", b"MPF\0"} & set(
        re.findall(rb"tEXt|iTXt|iCCP|acTL|fdAT|Exif\0|MPF\0", stripped)
    )
    np.testing.assert_array_equal(decode_image(content), decode_image(plain))


def test_one_picture_is_decoded_at_a_time_and_waiting_ends(monkeypatch):
    monkeypatch.setattr(module, "MAX_WAIT_SECONDS", 0.01)
    refused = []

    def another():
        with pytest.raises(InputError, match=r"^second was not read: other pictures .*; try again\.$"):
            decode_image(UPRIGHT, name="second")
        refused.append(True)

    rasters = module._rasters

    def decode(*given):
        thread = threading.Thread(target=another)
        thread.start()
        thread.join()
        return rasters(*given)

    monkeypatch.setattr(module, "_rasters", decode)
    decode_image(UPRIGHT)
    with pytest.raises(InputError, match="damaged"):
        decode_image(UPRIGHT[:60])
    assert refused == [True, True]
    assert not module._decoding.locked()  # however it ended


@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 30), st.integers(0, 12))
def test_strokes_grow_as_by_the_largest_of_each_square(seed, height, width, reach):
    ink = np.random.default_rng(seed).integers(0, 256, (height, width)).astype(np.uint8)
    expected = Image.fromarray(ink).filter(ImageFilter.MaxFilter(2 * reach + 1))
    np.testing.assert_array_equal(module._spread(ink, reach), np.asarray(expected))


VALID = [
    UPRIGHT,
    encoded(np.dstack([one()] * 4)),
    encoded(Image.fromarray(one()).convert("P"), transparency=bytes(range(256))),
    encoded(one().astype(np.uint16) * 257),
    png(30, 40, 8, 6, row=b"\4" + bytes(range(120)), interlaced=1),
    JPEG,
    PROGRESSIVE,
    encoded(Image.fromarray(COLOURS).convert("CMYK"), "JPEG"),
    *SIX,
]


def digit_or_sentence(content):
    try:
        result = decode_image(content, name="it")
    except InputError as error:
        said = str(error)
    else:
        assert result.shape == (28, 28)
        assert result.dtype == np.uint8
        return
    assert said.startswith("it ")
    assert said.endswith(".")
    assert "\n" not in said


@given(st.sampled_from([b"", PNG_START, PNG_START + UPRIGHT[8:33], JPEG[:200], b"\xff\xd8\xff"]), st.binary())
def test_random_bytes_give_a_sentence(start, rest):
    digit_or_sentence(start + rest)


@given(
    st.sampled_from(VALID),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3), st.binary(min_size=1, max_size=6)), max_size=4),
)
def test_mutated_pictures_give_a_digit_or_a_sentence(content, changes):
    for place, cut, put in changes:
        at = int(place * len(content))
        content = content[:at] + put + content[at + cut * len(put) :]
    digit_or_sentence(content)


@given(st.sampled_from(VALID[:5]), st.integers(0, 12), st.binary(min_size=1, max_size=4))
def test_pngs_with_another_header_give_a_digit_or_a_sentence(content, at, put):
    """The sum is right, so that the decoder believes it."""
    header = (content[16 : 16 + at] + put + content[16 + at + len(put) : 29])[:13]
    digit_or_sentence(content[:8] + chunk(b"IHDR", header) + content[33:])


MEASURED = """
import re, sys
from pathlib import Path
from bnn_core.datasets.image import load_image
from bnn_core.errors import InputError
def peak():  # as getrusage, but without what the parent had before it became this process
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024
load_image(sys.argv[1])
before = peak()
for path in sys.argv[2:]:
    try: load_image(path)
    except InputError as error: print(error, file=sys.stderr)
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only: /proc tells the peak of memory")
def test_no_picture_takes_more_than_300_megabytes(tmp_path):
    """The largest that are allowed: with colours, transparent and turned; and with much text."""
    text = chunk(b"iTXt", b"k\0\1\0\0\0" + zlib.compress(("\U0001f600" + "a" * 1_000_000).encode()))
    files = {
        "small": UPRIGHT,
        "turned": png(7_000, 7_000, 8, 6, row=b"\0" + b"\1\2\3\x80" * 7_000, before=chunk(b"eXIf", exif(6))),
        "texts": png(7_000, 7_000, row=b"\0" + bytes(7_000), before=text * 63),
        "slow": png(1, 16_777_217, colour=6),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *(str(tmp_path / name) for name in files)],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("is blank") == 2  # those two are decoded to the end
    assert 150 < int(done.stdout) < 300


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX only: named pipes")
def test_a_pipe_or_a_device_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(InputError, match=r"(pipe|zero) is a pipe or a device; allowed is a file\.$"):
            load_image(path)
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        load_image(tmp_path)
    with pytest.raises(InputError, match="cannot be read: embedded null"):
        load_image("a\0b")
