"""Numbers as the pages write them: a true minus sign, grouped thousands, units of a thousand."""

from __future__ import annotations

from collections.abc import Sequence

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


def _scaled(value: float, units: Sequence[str]) -> str:
    """In units of a thousand, the first that it fits: 12.1 below a hundred, else 310."""
    unit, *larger = units
    for next_unit in larger:
        if value >= 999.5:
            value, unit = value / 1000, next_unit
    return f"{value:.1f} {unit}" if value < 100 else f"{value:.0f} {unit}"


def size(count: int) -> str:
    """Bytes in units of a thousand: 812 bytes, 364 kB, 11.7 MB."""
    return f"{count} bytes" if count < 1000 else _scaled(count / 1000, ("kB", "MB", "GB"))


def duration(microseconds: float) -> str:
    """12.1 µs, 310 µs, 1.2 ms."""
    return _scaled(microseconds, ("µs", "ms"))


def energy(picojoules: float) -> str:
    """812 pJ, 6.5 nJ, 3.1 µJ."""
    return _scaled(picojoules, ("pJ", "nJ", "µJ"))


def times(ratio: float) -> str:
    """32×, 7.9×: two figures below 10, whole numbers above."""
    return f"{ratio:.1f}×" if ratio < 10 else f"{ratio:.0f}×"


def plural(count: int, one: str) -> str:
    """1 vote, 396 votes."""
    return f"{grouped(count)} {one}{'' if count == 1 else 's'}"
