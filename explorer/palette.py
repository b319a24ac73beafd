"""The colours of Bitwise Explorer, for a light and a dark page, in one place.

Only bits have hue: blue is +1, orange is -1, everywhere; the rest is ink and grey. Two exceptions, each with
a second cue: *changed* (the rest is faded) and *wrong* (a cross and the word).

The pages and the components read the colours as CSS variables (`css_variables`), which follow the theme
in the browser; Plotly wants plain colours and takes a `Palette`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Palette:
    """One colour a role, each as `#RRGGBB`.

    `on_*` is +1 (agree, positive), `off_*` is -1 (differ, negative), `zero` a switched-off connection.
    `*_cell` fills cells and bars, `*_text` writes text and outlines bars, `*_faded` is what did not change.
    """

    page: str
    panel: str
    rule: str
    ink: str
    muted: str
    axis: str
    on_cell: str
    on_text: str
    on_faded: str
    off_cell: str
    off_text: str
    off_faded: str
    zero: str
    changed: str
    wrong: str
    float: str
    primary: str


LIGHT = Palette(
    page="#FFFFFF",
    panel="#F4F6F8",
    rule="#DCE1E7",
    ink="#12171E",
    muted="#5B6572",
    axis="#9AA3AE",
    on_cell="#1B4F9C",
    on_text="#1B4F9C",
    on_faded="#B9CAE4",
    off_cell="#F3B964",
    off_text="#96560A",
    off_faded="#FAE2BF",
    zero="#E3E7EC",
    changed="#C2007A",
    wrong="#B3261E",
    float="#78828E",
    primary="#12171E",
)

DARK = Palette(
    page="#0E1217",
    panel="#181E26",
    rule="#2C3541",
    ink="#F3F5F8",
    muted="#A3ADBA",
    axis="#5D6875",
    on_cell="#8CC4FF",
    on_text="#8CC4FF",
    on_faded="#37536E",
    off_cell="#9A5412",
    off_text="#E89A4A",
    off_faded="#3B2A18",
    zero="#2A313B",
    changed="#FF6AC6",
    wrong="#FF8A80",
    float="#8D97A4",
    primary="#64748B",
)


def palette(theme: str | None) -> Palette:
    """The palette of a theme, "dark" or anything else (light, also on a projector)."""
    return DARK if theme == "dark" else LIGHT


def css_variables() -> str:
    """CSS declarations `--bx-on-cell: light-dark(#1B4F9C, #8CC4FF);` and so on, one a role.

    `light-dark` follows the `color-scheme` that Streamlit sets on the page: a new theme needs no rerun.
    """
    declarations = []
    for field in fields(Palette):
        name = field.name.replace("_", "-")
        light, dark = getattr(LIGHT, field.name), getattr(DARK, field.name)
        declarations.append(f"--bx-{name}: light-dark({light}, {dark});")
    return "\n".join(declarations)


_LOGO_BITS = ("101", "011", "110")


def logo() -> str:
    """The mark, 3 x 3 bits, as SVG; its colours follow the page's theme where the browser passes that on."""
    cells = "".join(
        f'<rect class="{"on" if bit == "1" else "off"}" x="{col * 8}" y="{row * 8}" width="7" height="7"/>'
        for row, bits in enumerate(_LOGO_BITS)
        for col, bit in enumerate(bits)
    )
    style = (
        f".on{{fill:{LIGHT.on_cell}}}.off{{fill:{LIGHT.off_cell}}}"
        f"@media (prefers-color-scheme: dark){{.on{{fill:{DARK.on_cell}}}.off{{fill:{DARK.off_cell}}}}}"
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 23 23"><style>{style}</style>{cells}</svg>'
