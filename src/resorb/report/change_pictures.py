"""A change as inline SVG: mass before against after with the band of "unchanged", and the total over time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape

from ..terms.change import Change, Difference
from .change_words import Measured
from .timelines import Dated, over_months
from .verdict_marks import css, mark

_LEFT, _TOP, _SIDE, _BOTTOM = 62, 14, 430, 50


def before_against_after(change: Change, measured: Measured) -> str:
    """Each deposit as a mark: across what it was, up what it is, on square-root axes; the band is what this pair calls unchanged."""
    rows = ((n, d.verdict, getattr(d, measured.field)) for n, d in enumerate(change.deposits, 1))
    points = [row for row in rows if isinstance(row[2], Difference)]
    if not points:
        return ""
    most = 1.15 * max(max(d.before, d.after, d.before + max(d.high, d.detectable, 0.0)) for _, _, d in points) or 1.0
    plot = _Plot(most)
    said, box = escape(f"{measured.name} after against before, one mark a deposit"), f"0 0 {_LEFT + _SIDE + 20} {_TOP + _SIDE + _BOTTOM}"
    parts = [f'<svg class="scatter" role="img" aria-label="{said}" viewBox="{box}">', *plot.axes(measured)]
    parts += plot.band([d for _, _, d in points])
    for number, verdict, d in points:
        x, y = plot.x(d.before), plot.y(d.after)
        low, high = plot.y(d.before + d.low), plot.y(d.before + d.high)
        parts.append(f'<line class="reach {css(verdict)}" x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}"/>')
        parts.append(mark(verdict, x, y, 6))
        parts.append(f'<text class="number" x="{x + 9:.1f}" y="{y - 5:.1f}">{number}</text>')
    return "".join([*parts, "</svg>"])


class _Plot:
    """A square with the same square-root scale on both axes, from 0 to `most`; noise below nothing is drawn at 0."""

    def __init__(self, most: float) -> None:
        self.most = most

    def x(self, value: float) -> float:
        return _LEFT + _SIDE * math.sqrt(max(0.0, value) / self.most)

    def y(self, value: float) -> float:
        return _TOP + _SIDE - _SIDE * math.sqrt(max(0.0, value) / self.most)

    def axes(self, measured: Measured) -> Iterator[str]:
        low = _TOP + _SIDE
        for tick in ticks(self.most):
            x, y = self.x(tick), self.y(tick)
            yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{low}"/>'
            yield f'<line class="grid" x1="{_LEFT}" x2="{_LEFT + _SIDE}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield f'<text class="tick" x="{x:.1f}" y="{low + 16}">{tick:g}</text>'
            yield f'<text class="tick end" x="{_LEFT - 6}" y="{y + 4:.1f}">{tick:g}</text>'
        middle = _TOP + _SIDE / 2
        yield f'<text class="tick" x="{_LEFT + _SIDE / 2}" y="{low + 38}">{measured.name} before, {measured.unit}</text>'
        yield f'<text class="tick" transform="translate(14 {middle}) rotate(-90)">{measured.name} after, {measured.unit}</text>'
        yield f'<line class="same" x1="{_LEFT}" y1="{low}" x2="{_LEFT + _SIDE}" y2="{_TOP}"/>'

    def band(self, differences: list[Difference]) -> Iterator[str]:
        """What this pair calls unchanged: exact at each deposit (the upright bar), joined between them."""
        rows = sorted((d.before, d.detectable) for d in differences)
        upper = [(self.x(b), self.y(b + t)) for b, t in rows]
        lower = [(self.x(b), self.y(b - t)) for b, t in rows]
        outline = " ".join(f"{x:.1f},{y:.1f}" for x, y in [*upper, *reversed(lower)])
        yield f'<polygon class="band" points="{outline}"/>'
        for (x, top), (_, bottom) in zip(upper, lower, strict=True):
            yield f'<line class="bar-of-band" x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}"/>'


def ticks(most: float) -> list[float]:
    """Round numbers for a square-root axis that ends at `most`: dense near 0."""
    unit = 10 ** math.floor(math.log10(most))
    return [0.0, *(t for t in (0.05 * unit, 0.2 * unit, 0.5 * unit, unit, 2 * unit, 4 * unit, 7 * unit) if t < most)]


def timeline(change: Change, measured: Measured) -> str:
    """The total of both scans over the months between; empty where the scans are not dated."""
    d = getattr(change.total, measured.field)
    if change.months_between is None or not isinstance(d, Difference):
        return ""
    rows = [Dated(0.0, d.before), Dated(change.months_between, d.after, d.before + d.low, d.before + d.high, change.total.verdict)]
    return over_months(rows, measured.unit, d.detectable)
