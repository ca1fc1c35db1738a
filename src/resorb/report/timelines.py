"""Amounts over the months since the first scan, as inline SVG: the total large, each deposit small beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import NamedTuple

from ..terms.time import months_in_words
from .verdict_marks import css, mark


class Dated(NamedTuple):
    """An amount at one scan: months since the first, the ends of its 95 % interval, and the verdict against the first, if any."""

    months: float
    value: float
    low: float | None = None
    high: float | None = None
    verdict: str = ""


class Straight(NamedTuple):
    """A straight line through all scans: its change a month, with the ends of the interval."""

    by_month: float
    low: float
    high: float


class _Frame:
    """Months across, amounts up, both from 0."""

    def __init__(self, points: Sequence[Dated], box: tuple[float, float, float, float], reach: float = 0.0) -> None:
        self.left, self.right, self.top, self.bottom = box
        self.longest = max(p.months for p in points) or 1.0
        self.most = 1.15 * max(max(p.value, p.high or 0.0, points[0].value + reach) for p in points) or 1.0

    def x(self, months: float) -> float:
        return self.left + (self.right - self.left) * months / self.longest

    def y(self, value: float) -> float:
        return self.bottom - (self.bottom - self.top) * min(max(0.0, value), self.most) / self.most

    def grid(self, ticks: Iterable[float], unit: str) -> Iterator[str]:
        for tick in ticks:
            y = self.y(tick)
            yield f'<line class="grid" x1="{self.left - 10:.0f}" x2="{self.right + 28:.0f}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield f'<text class="tick end" x="{self.left - 16:.0f}" y="{y + 4:.1f}">{tick:.4g}{unit}</text>'

    def path(self, points: Sequence[Dated]) -> str:
        joined = "L".join(f"{self.x(p.months):.1f} {self.y(p.value):.1f}" for p in points)
        return f'<path class="course" d="M{joined}"/>'

    def band(self, first: float, reach: float) -> str:
        high, low = self.y(first + reach), self.y(first - reach)
        return f'<rect class="band" x="{self.left:.1f}" y="{high:.1f}" width="{self.right - self.left:.1f}" height="{low - high:.1f}"/>'

    def straight(self, first: float, line: Straight) -> Iterator[str]:
        start = f"{self.left:.1f},{self.y(first):.1f}"
        middle, low, high = (f"{self.right:.1f},{self.y(first + by * self.longest):.1f}" for by in line)
        yield f'<polygon class="band" points="{start} {low} {high}"/>'
        yield f'<polyline class="straight" points="{start} {middle}"/>'

    def interval(self, p: Dated) -> str:
        if p.low is None or p.high is None:
            return ""
        x, kind = self.x(p.months), f"reach {css(p.verdict)}" if p.verdict else "interval"
        return f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{self.y(p.low):.1f}" y2="{self.y(p.high):.1f}"/>'

    def point(self, p: Dated, radius: float) -> str:
        x, y = self.x(p.months), self.y(p.value)
        return mark(p.verdict, x, y, radius) if p.verdict else f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}"/>'


def over_months(rows: Iterable[Dated], unit: str, detectable: float | None, line: Straight | None = None) -> str:
    """The total at every scan, the first scan first; the band is what would show no change, or the interval of a line through all."""
    points = list(rows)
    frame, first = _Frame(points, (104, 580, 20, 200), detectable or 0.0), points[0].value
    parts = ['<svg class="time course-of-total" role="img" aria-label="total over time" viewBox="0 0 640 240">']
    parts += frame.grid(even(frame.most), f" {unit}")
    parts += [] if detectable is None else [frame.band(first, detectable)]
    parts += [] if line is None else frame.straight(first, line)
    parts.append(frame.path(points))
    for p in points:
        when = "first scan" if p.months == 0 else f"after {months_in_words(p.months)}"
        x, kind = (frame.right + 48, "tick end") if p.months == frame.longest else (frame.x(p.months), "tick")
        parts += [frame.interval(p), frame.point(p, 6), f'<text class="{kind}" x="{x:.1f}" y="226">{when}</text>']
    return "".join([*parts, "</svg>"])


def small(points: Sequence[Dated], said: str) -> str:
    """One deposit over time, small: each scan with its verdict against the first."""
    frame = _Frame(points, (58, 200, 12, 96))
    top = even(frame.most)[-1]
    head = f'<svg class="small-course" role="img" aria-label="{escape(said)}" viewBox="0 0 236 122">'
    parts = [head, f"<title>{escape(said)}</title>", *frame.grid((0.0, top / 2, top), ""), frame.path(points)]
    for p in points:
        parts += [frame.interval(p), frame.point(p, 5)]
    ends = ((frame.left, "first"), (frame.right, months_in_words(frame.longest)))
    return "".join([*parts, *(f'<text class="tick" x="{x:.0f}" y="116">{when}</text>' for x, when in ends), "</svg>"])


def even(top: float) -> list[float]:
    """Three to six round numbers from 0 up to `top`."""
    unit = 10 ** math.floor(math.log10(top))
    step = next(s * unit for s in (0.2, 0.5, 1.0, 2.0) if top / (s * unit) < 6)
    return [n * step for n in range(int(top / step) + 1)]
