"""What the word stepper writes and paints, step by step: all its text is put together here. Pure."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnn_core.bits import WORD_BITS
from bnn_core.network.bitwise import LayerTrace
from explorer.screens.xnor import words
from explorer.screens.xnor.unit import LayerCheck, Unit, Word, hex_word, telling_word
from explorer.shared.numbers import MINUS, plural, signed
from explorer.shared.words import BIASES

Term = dict[str, Any]
"""A number of the ledger, or a sign between two: its text, its tone, and what stands below it."""


def stepper(unit: Unit, trace: LayerTrace, check: LayerCheck, *, identity: str, word: int) -> dict[str, Any]:
    """Everything that the browser needs to step through a unit by itself.

    Args:
        trace: the unit's layer. check: the same layer from every kernel.
        identity: names network, moment, digit and unit: as long as it stays, the browser keeps its place.
        word: where it stands, from 1; 0 when all words and the bias are counted.
    """
    count = len(unit.words)
    return {
        "identity": identity,
        "word": word,
        "count": count,
        "telling": telling_word(unit.words),
        "inputs": unit.inputs,
        "zero_one": unit.zero_one,
        "planes": {
            "inputs": _packed(trace.inputs),
            "weights": _packed(trace.weights[unit.unit]),
            "mask": None if trace.mask is None else _packed(trace.mask[unit.unit]),
        },
        "agree": [each.agree for each in unit.words],
        "active": [each.active for each in unit.words],
        "sums": [each.sum for each in unit.words],
        "total": unit.ledger.total,
        "steps": [_step(unit, number, each) for number, each in enumerate(unit.words, start=1)],
        "end": _end(unit),
        "ways": _ways(unit, check),
        "kernel": _kernel(unit),
        "words": _words(unit),
    }


def _packed(bits: NDArray[np.uint8]) -> str:
    """Bits as base64, the first one lowest."""
    return base64.b64encode(np.packbits(bits, bitorder="little").tobytes()).decode()


def _words(unit: Unit) -> dict[str, str]:
    """Labels that no step changes."""
    return words.LABELS | {
        "label": words.stage_label(unit.layer, unit.layers, unit.unit),
        "all": words.ALL_LABEL.format(words=len(unit.words)),
        "part": words.TAKES_PART if unit.masked or unit.zero_one else "",
        "bias": words.BIAS_ROW.format(bias=signed(unit.ledger.bias)),
        "total": signed(unit.ledger.total),
        "zero": words.zero_key(masked=unit.masked, zero_one=unit.zero_one),
    }


def _step(unit: Unit, number: int, word: Word) -> dict[str, Any]:
    """One word: what is written beside it while the sum stands there."""
    count = len(unit.words)
    out = word.bits - word.active
    agree = sum(each.agree for each in unit.words[:number])
    differ = agree - word.sum
    return {
        "title": words.WORD_TITLE.format(number=number, words=count),
        "note": words.word_note(word.first, word.bits, WORD_BITS - word.bits),
        "short": words.word_range(word.first, word.bits),
        "hex": _equation(unit, word),
        "adds": signed(word.adds),
        "agree": words.AGREE_LABEL.format(count=word.agree),
        "differ": words.DIFFER_LABEL.format(count=word.differ),
        "out": words.out_label(out) if out else "",
        "sum": signed(word.sum),
        "row": words.row_label(number, word.agree, word.differ, word.sum),
        "ledger": [
            _number(str(agree), words.AGREE_SO_FAR.format(words=plural(number, "word")), "on"),
            _sign(MINUS),
            _number(str(differ), "differ", "off"),
            _sign("="),
            _number(signed(word.sum), words.to_come(count - number)),
        ],
        "spoken": words.word_spoken(number, count, word.agree, word.differ, out, word.adds, word.sum),
    }


def _equation(unit: Unit, word: Word) -> list[str]:
    """0x36bf xnor 0x7e14 = 0xb754, with the mask where there is one."""
    parts = [hex_word(word.inputs, word.bits), "xnor", hex_word(word.weights, word.bits)]
    if unit.masked or unit.zero_one:
        parts += ["and", hex_word(word.used, word.bits)]
    return [*parts, "=", hex_word(word.xnor, word.bits)]


def _end(unit: Unit) -> dict[str, Any]:
    """All words and the bias: the sum, and what it becomes."""
    book = unit.ledger
    if unit.output:
        outcome = words.VOTES_NOTE.format(digit=unit.unit)
        strong, note = words.verdict(unit.unit, unit.read)
        closing = [_sign(""), {"text": strong, "note": note, "tone": "said"}]
    else:
        outcome = words.outcome(book.bit)
        closing = [
            _sign("≥ 0" if book.bit else "< 0"),
            _sign("so"),
            _number("+1" if book.bit else f"{MINUS}1", "is its bit", "on" if book.bit else "off"),
            {"text": "", "note": "", "tone": "cell on" if book.bit else "cell off"},
        ]
    terms = [
        _number(str(book.agree), "inputs agree", "on"),
        _sign(MINUS),
        _number(str(book.differ), "differ", "off"),
        _sign("+"),
        _number(words.bias_term(book.bias), BIASES[unit.variant], "off" if book.bias < 0 else "on"),
        _sign("="),
        _number(signed(book.total), words.VOTES_NOTE.format(digit=unit.unit) if unit.output else "sum"),
        *closing,
    ]
    out = ""
    if book.out:
        out = words.out_note(book.out, unit.inputs, masked=unit.masked, zero_one=unit.zero_one)
    return {
        "note": words.telling_note(len(unit.words)),
        "ledger": terms,
        "out": out,
        "spoken": words.end_spoken(len(unit.words), book.agree, book.differ, book.bias, book.total, outcome),
    }


def _number(text: str, note: str, tone: str = "") -> Term:
    return {"text": text, "note": note, "tone": tone}


def _sign(text: str) -> Term:
    return {"text": text, "note": "", "tone": "sign"}


def _ways(unit: Unit, check: LayerCheck) -> dict[str, Any]:
    """The unit's integer from every kernel, and whether the whole layer agrees."""
    count = len(check.sums)
    rows = []
    for kernel, sums in check.sums.items():
        value = int(sums[unit.unit])
        rows.append([kernel.title, signed(value), value == unit.ledger.total])
    if check.wrong:
        note = "✕ " + words.layer_differs(check.wrong, check.units)
    else:
        note = words.LAYER_AGREES.format(kernels=count, units=check.units)
    return {
        "head": words.ways(count, finished=True),
        "before": words.ways(count, finished=False),
        "rows": rows,
        "note": note,
        "wrong": bool(check.wrong),
    }


def _kernel(unit: Unit) -> dict[str, str]:
    """The same unit by XOR and popcount."""
    by = unit.kernel
    return {
        "head": words.KERNEL,
        "line": words.kernel_line(by.base, by.bias, by.cost, by.mismatches, by.total),
        "note": words.kernel_note(by.base, by.mismatches, masked=unit.masked, zero_one=unit.zero_one),
    }
