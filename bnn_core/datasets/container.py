"""What of a PNG or JPEG file makes its pixels: only that is handed to the decoder.

Everything else in such files (texts, profiles, previews, further frames, what a camera records besides the
orientation) can be made to cost seconds and gigabytes, and says nothing about a digit: it is left out.
What decoding will cost is known from the headers, and bounded, before anything is decoded.
"""

import re
import struct
import zlib
from dataclasses import dataclass

from bnn_core.errors import InputError

MAX_PIXELS = 50_000_000
"""A phone's photograph has 12 to 50 million."""

MAX_SIDE = 20_000
"""A panorama's longer side; a picture of 50 million pixels is 2,500 wide then."""

MAX_PNG_BYTES = 210_000_000
"""What a PNG unpacks to: 50 million pixels of 8-bit colours with transparency, 26 million of 16-bit ones."""

MAX_COEFFICIENT_BYTES = 260_000_000
"""A JPEG of several scans is held whole, as 16-bit coefficients: 43 million pixels with full colours, and
50 million where the colours are coarser, as in photographs."""

MAX_SCANS = 500
MAX_SCANNED_PIXELS = 2_000_000_000
"""Each scan goes through the whole picture. Encoders make about 10: of 50 million pixels, 40 are allowed."""

MAX_PARTS = 100_000
"""Chunks of a PNG or segments before a JPEG's pixels; an encoder of tiny chunks makes 10,000 in 10 MB."""

_PNG_START = b"\x89PNG\r\n\x1a\n"
_STARTS = {"PNG": _PNG_START, "JPEG": b"\xff\xd8\xff"}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by a PNG's type of colour
_MARKER = re.compile(rb"\xff([^\x00\xff])")  # as libjpeg finds the next one
_ALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a length
_FRAMES = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive: all that cameras and programs write
_OTHER_FRAMES = {*range(0xC3, 0xD0)} - {0xC4, 0xC8, 0xCC}  # lossless, hierarchical, arithmetic
_TABLES = {0xC4, 0xDB, 0xDD}  # Huffman, quantisation, restarts
_MAX_RECORD = 1 << 16  # bytes that a compressed record of the orientation may unpack to


@dataclass(frozen=True)
class Stripped:
    """A picture's file without what does not matter.

    Attributes:
        kind: "PNG" or "JPEG".
        content: A file of that kind.
        orientation: How the camera was held, 1 (upright) to 8, as EXIF counts.
    """

    kind: str
    content: bytes
    orientation: int


def kind_of(content: bytes, name: str) -> str:
    """ "PNG" or "JPEG", told by the content; an InputError for anything else."""
    kind = next((kind for kind, start in _STARTS.items() if content.startswith(start)), None)
    if kind is None:
        raise InputError(f"{name} is neither a PNG nor a JPEG picture; allowed are these two.")
    return kind


def strip(content: bytes, kind: str, name: str) -> Stripped:
    """What of a PNG or JPEG file makes its pixels.

    Arguments:
        content: The bytes of the file.
        kind: What `kind_of` says of it.
        name: What errors call it.

    Raises:
        InputError: Decoding would cost too much.
        ValueError: No picture can come of it; the message is a phrase.
    """
    try:
        return (_png if kind == "PNG" else _jpeg)(content, name)
    except (struct.error, IndexError):
        raise ValueError("it ends too early") from None


def check_size(width: int, height: int, name: str) -> None:
    """Raise an InputError if there are too many pixels, in all or on a side."""
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise InputError(
            f"{name} has {width} x {height} pixels; "
            f"allowed are at most {MAX_PIXELS / 1e6:.0f} million pixels, at most {MAX_SIDE:,} on a side."
        )


def _png(content: bytes, name: str) -> Stripped:
    """The header, the palette, what is transparent, and the pixels as one chunk."""
    view = memoryview(content)
    width, height, depth, colour = struct.unpack_from(">IIBB", content, 16)
    if content[12:16] != b"IHDR":
        raise ValueError("it does not begin with its header")
    check_size(width, height, name)
    unpacked = height * (1 + (width * depth * _CHANNELS.get(colour, 1) + 7) // 8)
    if unpacked > MAX_PNG_BYTES:
        raise InputError(
            f"{name} unpacks to {unpacked / 1e6:.0f} MB of pixels; allowed are {MAX_PNG_BYTES / 1e6:.0f} MB."
        )
    kept, pixels, records = [], [], {}
    at = len(_PNG_START)
    for _ in range(MAX_PARTS):
        if at + 8 > len(content):
            break
        length, chunk = struct.unpack_from(">I4s", content, at)
        body = view[at + 8 : at + 8 + length]
        if chunk == b"IDAT":
            pixels.append(body)
        elif chunk in (b"IHDR", b"PLTE", b"tRNS"):
            kept.append(view[at : at + 12 + length])
        elif chunk in (b"eXIf", b"tEXt", b"zTXt", b"iTXt"):
            records.update(_record(chunk, body))
        elif chunk == b"IEND":
            break
        at += 12 + length
    else:
        raise _too_many(name, "chunks")
    head = struct.pack(">I4s", sum(map(len, pixels)), b"IDAT")
    check = zlib.crc32(head[4:])
    for part in pixels:
        check = zlib.crc32(part, check)
    end = struct.pack(">II4sI", check, 0, b"IEND", zlib.crc32(b"IEND"))
    whole = b"".join((_PNG_START, *kept, head, *pixels, end))
    return Stripped("PNG", whole, _orientation(records.get("exif", b""), records.get("xmp", b"")))


def _record(chunk: bytes, body: memoryview) -> dict[str, bytes]:
    """What a PNG's chunk says of the orientation: EXIF, EXIF as ImageMagick writes it, or XMP."""
    if chunk == b"eXIf":
        return {"exif": bytes(body)}
    key, _, text = bytes(body[:_MAX_RECORD]).partition(b"\0")
    if key == b"XML:com.adobe.xmp" and chunk == b"iTXt":
        zipped, text = text[:1] == b"\1", text[2:].split(b"\0", 2)[-1]
        return {"xmp": _inflated(text) if zipped else text}
    if key == b"Raw profile type exif" and chunk in (b"tEXt", b"zTXt"):
        lines = (_inflated(text[1:]) if chunk == b"zTXt" else text).split(b"\n")[3:]
        try:
            return {"exif": bytes.fromhex(b"".join(lines).decode("ascii"))}
        except ValueError:
            return {}
    return {}


def _inflated(content: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(content, _MAX_RECORD)
    except zlib.error:
        return b""


def _jpeg(content: bytes, name: str) -> Stripped:
    """The frame, the tables, what tells its colours, and the pixels."""
    kept, exif, xmp, frame = [content[:2]], b"", b"", None
    at = 2
    for _ in range(MAX_PARTS):
        if (found := _MARKER.search(content, at)) is None:
            raise ValueError("it ends before its pixels")
        marker, at = found[1][0], found.end()
        if marker in _ALONE:
            continue
        (length,) = struct.unpack_from(">H", content, at)
        body, start = content[at + 2 : at + length], found.start()
        if marker in _OTHER_FRAMES:
            raise InputError(
                f"{name} is a JPEG picture of a rare kind (0xff{marker:02x}); "
                "allowed are baseline and progressive ones."
            )
        if marker == 0xDA:
            break
        if marker in _FRAMES:
            frame = marker, body
        if marker == 0xE1 and body.startswith(b"Exif\0\0"):
            exif = exif or body
        elif marker == 0xE1 and body.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
            xmp = body
        if (
            marker in _FRAMES | _TABLES
            or (marker == 0xE0 and body.startswith(b"JFIF"))
            or (marker == 0xEE and body.startswith(b"Adobe"))
        ):
            kept.append(content[start : at + length])
        at += max(length, 2)
    else:
        raise _too_many(name, "segments")
    if frame is None:
        raise ValueError("its header is missing")
    pixels = content[start:]
    _check_jpeg(*frame, scanned=body[0], scans=pixels.count(b"\xff\xda"), name=name)
    return Stripped("JPEG", b"".join((*kept, pixels)), _orientation(exif, xmp))


def _check_jpeg(marker: int, frame: bytes, *, scanned: int, scans: int, name: str) -> None:
    """Refuse what costs too much. `scanned`: the colours in the first scan, `scans`: all scans."""
    _, height, width, colours = struct.unpack_from(">BHHB", frame)
    check_size(width, height, name)
    sampling = [divmod(frame[7 + 3 * i], 16) for i in range(colours)]
    if not sampling or min(map(min, sampling)) == 0:
        raise ValueError("its header is not possible")
    if marker != 0xC2 and scanned == colours:
        return  # decoded as it comes, nothing is held
    if scans > min(MAX_SCANS, allowed := MAX_SCANNED_PIXELS // max(1, width * height)):
        raise InputError(
            f"{name} has its {width} x {height} pixels in {scans} scans; "
            f"allowed are at most {min(MAX_SCANS, allowed)} at this size."
        )
    full = max(down for down, _ in sampling) * max(across for _, across in sampling)
    held = 2 * width * height * sum(down * across for down, across in sampling) // full
    if held > MAX_COEFFICIENT_BYTES:
        raise InputError(
            f"{name} has {width} x {height} pixels in several scans, which takes {held / 1e6:.0f} MB; "
            f"allowed are {MAX_COEFFICIENT_BYTES / 1e6:.0f} MB."
        )


def _too_many(name: str, parts: str) -> InputError:
    return InputError(f"{name} has more than {MAX_PARTS:,} {parts}; allowed are at most so many.")


def _orientation(exif: bytes, xmp: bytes) -> int:
    """1 to 8; 1 where nothing is recorded that makes sense. EXIF goes before XMP."""
    value = _exif_orientation(exif)
    if value is None and (found := re.search(rb'tiff:Orientation(?:="|>)([0-9])', xmp)):
        value = int(found[1])
    return value if value is not None and 1 <= value <= 8 else 1


def _exif_orientation(exif: bytes) -> int | None:
    """Of EXIF's first directory, this one number."""
    exif = exif.removeprefix(b"Exif\0\0").removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return None
    try:
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, values = struct.unpack_from(f"{order}HHI", exif, entry)
            if tag == 0x0112 and kind in (3, 4) and values == 1:
                return int(struct.unpack_from(order + ("H" if kind == 3 else "I"), exif, entry + 8)[0])
    except struct.error:
        pass
    return None
