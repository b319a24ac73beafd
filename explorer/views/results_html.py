"""The paper's table as rows of marks on one axis of errors. Pure; everything from outside is escaped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from statistics import mean

from explorer import words_results as words
from explorer.views.numbers import percent
from explorer.views.results import Row


def table(rows: Sequence[Row]) -> str:
    """One line a network: inputs, what it is, the paper's marks and ours on one axis, the numbers."""
    errors = [e for r in rows for e in (*r.bitwise, *r.real, r.float_paper, r.bitwise_paper)]
    low, high = math.floor(min(errors) * 5) / 5 - 0.1, math.ceil(max(errors) * 5) / 5 + 0.1

    def place(error: float) -> str:
        return f"left:{100 * (error - low) / (high - low):.2f}%"

    ticks = [tick / 5 for tick in range(math.ceil(low * 5), math.floor(high * 5) + 1)]
    head = "".join(f'<span style="{place(t)}">{t:.1f}</span>' for t in ticks if round(t * 5) % 2 == 0)
    grid = "".join(f'<i class="grid" style="{place(t)}"></i>' for t in ticks)
    body = []
    before = ""
    for row in rows:
        marks = [f'<i class="paper float" style="{place(row.float_paper)}"></i>']
        marks.append(f'<i class="paper bit" style="{place(row.bitwise_paper)}"></i>')
        marks += [f'<i class="ours float" style="{place(e)}"></i>' for e in row.real]
        marks += [f'<i class="ours bit" style="{place(e)}"></i>' for e in row.bitwise]
        features = "" if row.features == before else row.features
        before = row.features
        real = percent(mean(row.real)) if row.real else "\N{EN DASH}"
        star = "" if row.confirmed else "*"
        body.append(
            f'<tr><th scope="row">{escape(features)}</th><td>{escape(row.experiment.title)}</td>'
            f'<td class="axis">{grid}{"".join(marks)}</td>'
            f'<td class="muted">{percent(row.float_paper)}*</td><td class="muted">{real}</td>'
            f'<td class="muted">{percent(row.bitwise_paper)}{star}</td>'
            f"<td><b>{percent(mean(row.bitwise))}</b></td></tr>"
        )
    columns = "".join(f'<th scope="col">{name}</th>' for name in ("float,<br>paper", "float,<br>ours"))
    columns += "".join(f'<th scope="col">{name}</th>' for name in ("bitwise,<br>paper", "bitwise,<br>ours"))
    legend = "".join(
        f'<span><i class="{mark}"></i>{escape(text)}</span>'
        for mark, text in zip(
            ("paper float", "paper bit", "ours float", "ours bit"), words.TABLE_LEGEND, strict=True
        )
    )
    return (
        f'<div class="bx bx-results"><div class="muted legend">{legend}</div><table>'
        f'<thead><tr><th scope="col">inputs</th><th scope="col">network</th>'
        f'<th scope="col" class="axis muted">{head}</th>{columns}</tr></thead>'
        f'<tbody>{"".join(body)}</tbody></table><div class="muted">* {escape(words.FOOTNOTE)}</div></div>'
    )
