"""Every counted result of one outcome by time, all courses in one picture; a course keeps its shape and its colour."""

from __future__ import annotations

import math
from html import escape

from ...terms.assessment import Estimate
from .language import language
from .rendering import time_in_words

_WIDE, _HIGH, _LEFT, _BASE, _TOP = 640, 300, 52, 240, 16
_SHAPES = (
    "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0 -12 0",
    "M-5.5-5.5h11v11h-11z",
    "M0-7L7 5.5H-7z",
    "M0-7.5L7.5 0 0 7.5-7.5 0z",
    "M0 7L7-5.5H-7z",
    "M-2-7h4v5h5v4h-5v5h-4v-5h-5v-4h5z",
)


def curve(points: list[Estimate], code: str) -> str:
    """Percent by time as SVG; empty where fewer than two times are known. Groups of people are not joined by a line."""
    dated = [p for p in points if p.by_months]
    times = sorted({p.by_months or 0.0 for p in dated})
    if len({time_in_words(t, code) for t in times}) < 2:
        return ""
    courses = list(dict.fromkeys(p.course for p in dated))[: len(_SHAPES)]
    label = f"{language(code).name(dated[0].outcome_name)}: {language(code).gettext('percent by time')}"
    parts = [f'<svg class="curve" role="img" aria-label="{escape(label)}" viewBox="0 0 {_WIDE} {_HIGH}">', *_grid()]
    for n, p in enumerate(p for p in dated if p.course in courses):
        parts.append(_point(p, courses.index(p.course), _x(p.by_months or 0, times[-1]) + (n % 3 - 1) * 3, code))
    parts += _ticks(times, code)
    return "".join([*parts, "</svg>", _legend(dated, courses, code)])


def _x(months: float, longest: float) -> float:
    """Early weeks need room beside late years, so time runs as its square root."""
    return round(_LEFT + 24 + (_WIDE - _LEFT - 60) * math.sqrt(months / longest), 1)


def _y(percent: float) -> float:
    return round(_BASE - (_BASE - _TOP) * percent / 100, 1)


def _grid() -> list[str]:
    lines = []
    for percent in range(0, 101, 25):
        y = _y(percent)
        lines.append(f'<line class="grid" x1="{_LEFT}" y1="{y}" x2="{_WIDE}" y2="{y}"/>')
        lines.append(f'<text class="tick end" x="{_LEFT - 8}" y="{y + 4}">{percent} %</text>')
    return lines


def _point(p: Estimate, shape: int, x: float, code: str) -> str:
    value = p.estimate or 0.0
    course = language(code).name(p.course_name)
    time = time_in_words(p.by_months or 0.0, code)
    reach = ""
    said = f"{course}, {time}: {value:.0f} %"
    if p.low is not None and p.high is not None:
        reach = f'<line class="interval" x1="{x}" y1="{_y(p.low)}" x2="{x}" y2="{_y(p.high)}"/>'
        said += f" ({p.low:.0f}-{p.high:.0f})"
    mark = f'<path class="mark" d="{_SHAPES[shape]}" transform="translate({x} {_y(value)})"/>'
    return f'<g class="point c{shape}" data-stop="{escape(time)}"><title>{escape(said)}</title>{reach}{mark}</g>'


def _ticks(times: list[float], code: str) -> list[str]:
    """The times, as many as fit without touching; every other one a line lower."""
    drawn: list[str] = []
    last = -1e9
    for t in times:
        x = _x(t, times[-1])
        if x - last >= 62:
            drawn.append(f'<text class="tick" x="{x}" y="{_BASE + 24}">{escape(time_in_words(t, code))}</text>')
            last = x
    return drawn


def _legend(dated: list[Estimate], courses: list[str], code: str) -> str:
    names = {p.course: language(code).name(p.course_name) for p in dated}
    marks = (
        f'<li class="c{n}"><svg viewBox="-9 -9 18 18" aria-hidden="true"><path class="mark" d="{_SHAPES[n]}"/></svg>{escape(names[c])}</li>'
        for n, c in enumerate(courses)
    )
    return f'<ul class="legend">{"".join(marks)}</ul>'
