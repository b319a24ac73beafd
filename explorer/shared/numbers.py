"""Numbers as the pages write them: a true minus sign, grouped thousands, units of a thousand."""

from __future__ import annotations

MINUS = "\N{MINUS SIGN}"


def signed(value: int) -> str:
    """+25, −379, 0."""
    return f"+{value}" if value > 0 else f"{MINUS}{-value}" if value < 0 else "0"


def grouped(value: int) -> str:
    """2,910,208."""
    return f"{value:,}".replace("-", MINUS)


def percent(value: float, digits: int = 2) -> str:
    """1.59 %, with the narrow space that does not break."""
    return f"{value:.{digits}f}\N{NARROW NO-BREAK SPACE}%"


def size(count: int) -> str:
    """Bytes in units of a thousand: 812 bytes, 364 kB, 11.7 MB."""
    if count < 1000:
        return f"{count} bytes"
    value = float(count)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.5 or unit == "GB":
            return f"{value:.1f} {unit}" if value < 100 else f"{value:.0f} {unit}"
    raise AssertionError("unreachable")


def duration(microseconds: float) -> str:
    """12.1 µs, 310 µs, 1.2 ms."""
    value, unit = (microseconds, "µs") if microseconds < 999.5 else (microseconds / 1000, "ms")
    return f"{value:.1f} {unit}" if value < 100 else f"{value:.0f} {unit}"


def energy(picojoules: float) -> str:
    """812 pJ, 6.5 nJ, 3.1 µJ."""
    value = picojoules
    for unit in ("pJ", "nJ", "µJ"):
        if value < 999.5 or unit == "µJ":
            return f"{value:.1f} {unit}" if value < 100 else f"{value:.0f} {unit}"
        value /= 1000
    raise AssertionError("unreachable")


def times(ratio: float) -> str:
    """32×, 7.9×: two figures below 10, whole numbers above."""
    return f"{ratio:.1f}×" if ratio < 10 else f"{ratio:.0f}×"


def plural(count: int, one: str, many: str | None = None) -> str:
    """1 vote, 396 votes."""
    return f"{grouped(count)} {one if count == 1 else many or one + 's'}"
