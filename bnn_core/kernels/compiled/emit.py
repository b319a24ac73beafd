"""Writes LLVM's language: a function as lines of text, from the few idioms that the kernels are made of.

llvmlite has a builder of its own, which knows the whole language and takes several times as long; it is
the first start of the app that waits. Types are LLVM's own names: ``i64``, ``ptr``, ``<32 x i8>``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple


class Value(NamedTuple):
    """A value: its type, and its name or the constant itself."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


NULL = Value("ptr", "null")


def vector(element: str, lanes: int) -> str:
    """The type of that many lanes."""
    return f"<{lanes} x {element}>"


def lanes_of(kind: str) -> int:
    """Lanes of a vector type."""
    return int(kind[1:].split(" ")[0])


def constant(kind: str, value: int) -> Value:
    """A constant, in every lane if the type is a vector."""
    if not kind.startswith("<"):
        return Value(kind, str(value))
    lanes, element = kind[1:-1].split(" x ")
    return Value(kind, f"<{', '.join([f'{element} {value}'] * int(lanes))}>")


def i64(value: int) -> Value:
    """A 64-bit integer."""
    return Value("i64", str(value))


class Module:
    """Functions that are compiled together."""

    def __init__(self, triple: str) -> None:
        self._head = f'target triple = "{triple}"'
        self._declared: dict[str, str] = {}
        self._functions: dict[str, str] = {}

    def declare(self, name: str, result: str, arguments: Sequence[str]) -> str:
        """Make one of LLVM's own functions known; returns its name."""
        self._declared[name] = f"declare {result} @{name}({', '.join(arguments)})"
        return name

    def add(self, name: str, text: str) -> None:
        """Add a function; one that two others need is added once."""
        self._functions[name] = text

    def __str__(self) -> str:
        return "\n".join([self._head, *self._declared.values(), *self._functions.values(), ""])


def _pairing(operation: str) -> Callable[[Emit, Value, Value | int], Value]:
    """A method that emits it."""
    return lambda b, a, other: b.pair(operation, a, other)


class Emit:
    """One function that returns nothing. Integers given where a value is expected become constants."""

    def __init__(self, module: Module, name: str, arguments: Sequence[str], *, public: bool = False) -> None:
        self.module = module
        self._name = name
        self.arguments = [Value(kind, f"%a{place}") for place, kind in enumerate(arguments)]
        linkage = "" if public else "internal "
        self._lines = [f"define {linkage}void @{name}({', '.join(map(str, self.arguments))}) nounwind {{"]
        self._count = 0
        self._block = ""
        self._open("entry")

    def end(self) -> str:
        """Return, and add the function to its module; its name."""
        self._lines += [" ret void", "}"]
        self.module.add(self._name, "\n".join(self._lines))
        return self._name

    # --- values ---

    def _new(self, kind: str, text: str) -> Value:
        self._count += 1
        value = Value(kind, f"%v{self._count}")
        self._lines.append(f" {value.name} = {text}")
        return value

    def pair(self, operation: str, a: Value, b: Value | int, kind: str | None = None) -> Value:
        """An operation on two values of one type; of that type, unless it gives another."""
        if isinstance(b, int):
            b = constant(a.kind, b)
        return self._new(kind or a.kind, f"{operation} {a}, {b.name}")

    add = _pairing("add")  # modulo the width, like the next two
    sub = _pairing("sub")
    mul = _pairing("mul")
    div = _pairing("udiv")  # rounded down, for a >= 0
    both = _pairing("and")
    either = _pairing("or")
    differ = _pairing("xor")
    left = _pairing("shl")
    right = _pairing("lshr")  # zeros come in

    def test(self, condition: str, a: Value, b: Value | int) -> Value:
        """Compare: eq, ne, signed sgt, sge, slt, sle, unsigned ugt, uge, ult, ule."""
        lanes = vector("i1", lanes_of(a.kind)) if a.kind.startswith("<") else "i1"
        return self.pair(f"icmp {condition}", a, b, lanes)

    def choose(self, condition: Value, a: Value, b: Value) -> Value:
        """a if the condition holds, else b."""
        return self._new(a.kind, f"select {condition}, {a}, {b}")

    def smaller(self, a: Value, b: Value) -> Value:
        """The smaller of two signed integers."""
        return self.choose(self.test("slt", a, b), a, b)

    def larger(self, a: Value, b: Value) -> Value:
        """The larger of two signed integers."""
        return self.choose(self.test("sgt", a, b), a, b)

    def cast(self, how: str, a: Value, kind: str) -> Value:
        """To another type: zext, sext, trunc, bitcast, inttoptr."""
        return a if a.kind == kind else self._new(kind, f"{how} {a} to {kind}")

    def call(self, name: str, arguments: Sequence[Value], result: str = "void") -> Value:
        """Call a function of the module."""
        text = f"call {result} @{name}({', '.join(map(str, arguments))})"
        if result != "void":
            return self._new(result, text)
        self._lines.append(f" {text}")
        return Value("void", "")

    # --- memory, by byte offset ---

    def at(self, base: Value, offset: Value | int) -> Value:
        """The address that many bytes behind."""
        if offset == 0:
            return base
        place = offset if isinstance(offset, Value) else i64(offset)
        return self._new("ptr", f"getelementptr inbounds i8, {base}, {place}")

    def get(self, kind: str, base: Value, offset: Value | int = 0, *, align: int = 1) -> Value:
        """Load what lies that many bytes behind."""
        return self._new(kind, f"load {kind}, {self.at(base, offset)}, align {align}")

    def put(self, value: Value, base: Value, offset: Value | int = 0, *, align: int = 1) -> None:
        """Store it that many bytes behind."""
        self._lines.append(f" store {value}, {self.at(base, offset)}, align {align}")

    # --- vectors ---

    def order(self, a: Value, b: Value, lanes: Sequence[int]) -> Value:
        """A vector of lanes of a (numbered from 0) and of b (numbered on)."""
        kind = vector(a.kind[1:-1].split(" x ")[1], len(lanes))
        places = ", ".join(f"i32 {lane}" for lane in lanes)
        return self._new(kind, f"shufflevector {a}, {b}, <{len(lanes)} x i32> <{places}>")

    def splat(self, value: Value, lanes: int) -> Value:
        """The value in every lane."""
        kind = vector(value.kind, lanes)
        one = self._new(kind, f"insertelement {kind} poison, {value}, i32 0")
        return self.order(one, Value(kind, "poison"), [0] * lanes)

    def joined(self, pieces: Sequence[Value]) -> Value:
        """Vectors of one size, a power of two of them, end to end."""
        while len(pieces) > 1:
            lanes = range(2 * lanes_of(pieces[0].kind))
            pieces = [self.order(a, b, lanes) for a, b in zip(pieces[::2], pieces[1::2], strict=True)]
        return pieces[0]

    # --- the course of things ---

    def _label(self) -> str:
        self._count += 1
        return f"b{self._count}"

    def _open(self, label: str) -> None:
        self._lines.append(f"{label}:")
        self._block = label

    def _go(self, label: str) -> None:
        self._lines.append(f" br label %{label}")

    def _fork(self, condition: Value, yes: str, no: str) -> None:
        self._lines.append(f" br {condition}, label %{yes}, label %{no}")

    @contextmanager
    def when(self, condition: Value) -> Iterator[None]:
        """``if condition:``."""
        inside, after = self._label(), self._label()
        self._fork(condition, inside, after)
        self._open(inside)
        yield
        self._go(after)
        self._open(after)

    def branch(self, condition: Value, yes: Callable[[], None], no: Callable[[], None]) -> None:
        """``if condition: yes() else: no()``."""
        labels, after = (self._label(), self._label()), self._label()
        self._fork(condition, *labels)
        for label, course in zip(labels, (yes, no), strict=True):
            self._open(label)
            course()
            self._go(after)
        self._open(after)

    def switch(self, value: Value, cases: Mapping[int, Callable[[], object]]) -> None:
        """Run the case of that number; none if there is none."""
        after = self._label()
        labels = {number: self._label() for number in cases}
        table = " ".join(f"i64 {number}, label %{label}" for number, label in labels.items())
        self._lines.append(f" switch {value}, label %{after} [{table}]")
        for number, case in cases.items():
            self._open(labels[number])
            case()
            self._go(after)
        self._open(after)

    def loop(
        self,
        start: Value | int,
        stop: Value,
        step: int,
        body: Callable[..., Sequence[Value] | None],
        carried: Sequence[Value] = (),
    ) -> list[Value]:
        """``for index in range(start, stop, step)``.

        Args:
            start: i64.
            stop: i64.
            step: a positive constant.
            body: (index, *carried values) -> their values after the turn.
            carried: values before the first turn.

        Returns:
            The carried values after the last turn.
        """
        first = i64(start) if isinstance(start, int) else start
        before, inside, after = self._block, self._label(), self._label()
        self._fork(self.test("slt", first, stop), inside, after)
        self._open(inside)
        place = len(self._lines)  # what comes round is known only at the end of the turn
        values = []
        for kind in ("i64", *(value.kind for value in carried)):
            self._count += 1
            values.append(Value(kind, f"%v{self._count}"))
        results = list(body(*values) or ())
        following = self.add(values[0], step)
        last = self._block  # the body may have opened blocks of its own
        self._fork(self.test("slt", following, stop), inside, after)
        self._lines[place:place] = [
            f" {value.name} = phi {value.kind} [ {begin.name}, %{before} ], [ {end.name}, %{last} ]"
            for value, begin, end in zip(values, (first, *carried), (following, *results), strict=True)
        ]
        self._open(after)
        return [
            self._new(value.kind, f"phi {value.kind} [ {value.name}, %{before} ], [ {end.name}, %{last} ]")
            for value, end in zip(carried, results, strict=True)
        ]

    def merge(self, otherwise: Value, condition: Value, make: Callable[[], Value]) -> Value:
        """What ``make`` gives if the condition holds, else the other value."""
        before = self._block
        with self.when(condition):
            made = make()
            last = self._block
        return self._new(
            made.kind, f"phi {made.kind} [ {otherwise.name}, %{before} ], [ {made.name}, %{last} ]"
        )
