"""Pictures as inline SVG: icon array, forest plot, outcome over time. Colours come from the page's CSS classes."""

from __future__ import annotations

import textwrap
from html import escape
from typing import TYPE_CHECKING

from ..terms.assessment import Estimate
from ..terms.time import months_in_words

if TYPE_CHECKING:
    from ..terms.measurement import Picture

_CELL = 22
_ROW = 50
_LEFT, _RIGHT, _WIDTH = 6, 130, 640


def icon_array(estimate: Estimate, outcome: str) -> str:
    """A hundred dots: filled for the estimate, ringed for the rest of its 95 % interval."""
    if estimate.estimate is None:
        return ""
    sure = round(estimate.estimate)
    top = round(estimate.high) if estimate.high is not None else sure
    dots = []
    for n in range(100):
        style = "full" if n < sure else "maybe" if n < top else "none"
        x, y = (n % 10) * _CELL + 11, (n // 10) * _CELL + 11
        dots.append(f'<circle class="dot {style}" cx="{x}" cy="{y}" r="8"/>')
    said = f"{sure} of 100: {outcome}"
    head = f'<svg class="icons" role="img" aria-label="{escape(said)}" viewBox="0 0 {10 * _CELL} {10 * _CELL}">'
    return f"{head}<title>{escape(said)}</title>{''.join(dots)}</svg>"


def forest(rows: list[tuple[str, Estimate]]) -> str:
    """Each estimate as a dot on 0 to 100 %, its 95 % interval as a line, its prediction interval as a thin line."""
    drawn = [(label, e) for label, e in rows if e.estimate is not None]
    if not drawn:
        return ""
    height = len(drawn) * _ROW + 40
    parts = [f'<svg class="forest" role="img" aria-label="studies, percent with 95 % interval" viewBox="0 0 {_WIDTH} {height}">']
    for tick in range(0, 101, 25):
        x = _x(tick)
        parts.append(f'<line class="grid" x1="{x}" y1="8" x2="{x}" y2="{height - 26}"/>')
        parts.append(f'<text class="tick" x="{x}" y="{height - 8}">{tick} %</text>')
    for n, (label, e) in enumerate(drawn):
        parts.append(_forest_row(label, e, n * _ROW + 28))
    return "".join([*parts, "</svg>"])


def _forest_row(label: str, e: Estimate, y: int) -> str:
    value = e.estimate or 0.0
    short = textwrap.shorten(label, 88, placeholder=" ...")
    text = f'<text class="label" x="0" y="{y - 12}">{escape(short)}</text>'
    said = f"{value:.0f} %"
    if e.low is not None and e.high is not None:
        said += f" ({e.low:.0f} to {e.high:.0f})"
        text += f'<line class="interval" x1="{_x(e.low)}" y1="{y}" x2="{_x(e.high)}" y2="{y}"/>'
    if e.predicts_low is not None and e.predicts_high is not None:
        text += f'<line class="prediction" x1="{_x(e.predicts_low)}" y1="{y}" x2="{_x(e.predicts_high)}" y2="{y}"/>'
    shape = f'<rect class="mark" x="{_x(value) - 5}" y="{y - 5}" width="10" height="10" transform="rotate(45 {_x(value)} {y})"/>'
    mark = shape if len(e.studies) > 1 else f'<circle class="mark" cx="{_x(value)}" cy="{y}" r="5"/>'
    return f'{text}{mark}<text class="value" x="{_WIDTH - _RIGHT + 12}" y="{y + 5}">{escape(said)}</text>'


def _x(percent: float) -> float:
    return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * percent / 100, 1)


def over_time(points: list[Estimate], label: str) -> str:
    """Percent by time for one outcome under one course; studies are different people, so they are not joined."""
    dated = [p for p in points if p.by_months and p.estimate is not None]
    if len({months_in_words(p.by_months or 0) for p in dated}) < 2:
        return ""
    longest = max(p.by_months or 0 for p in dated)
    parts = [f'<svg class="time" role="img" aria-label="{escape(label)} over time" viewBox="0 0 600 260">']
    for percent in range(0, 101, 25):
        at = 220 - 2 * percent
        line = f'<line class="grid" x1="50" y1="{at}" x2="590" y2="{at}"/>'
        parts.append(f'{line}<text class="tick end" x="44" y="{at + 4}">{percent} %</text>')
    for p in sorted(dated, key=lambda p: p.by_months or 0):
        months, value = p.by_months or 0.0, p.estimate or 0.0
        x, y = 50 + 530 * months / longest, 220 - 2 * value
        if p.low is not None and p.high is not None:
            parts.append(f'<line class="interval" x1="{x:.0f}" y1="{220 - 2 * p.low:.0f}" x2="{x:.0f}" y2="{220 - 2 * p.high:.0f}"/>')
        parts.append(f'<circle class="mark" cx="{x:.0f}" cy="{y:.0f}" r="5"><title>{value:.0f} % by {months:g} months</title></circle>')
        parts.append(f'<text class="tick" x="{x:.0f}" y="238">{months_in_words(months)}</text>')
    return "".join([*parts, "</svg>"])


def outline_path(picture: Picture, name: str | None = None) -> str:
    """The outlines of a picture (those of one name, or all) as the path of an SVG."""
    lines = (points for label, points in picture.outlines if name in (None, label))
    return "".join("M" + "L".join(f"{x:g} {y:g}" for x, y in points) for points in lines)
