"""A series of scans as an HTML page: the course over time, one row a scan, what differs between them, and the sources."""

from __future__ import annotations

from ..terms.change import Difference
from ..terms.measurement import Picture
from ..terms.trend import Trend
from .as_html import environment
from .pictures import over_months
from .trend_text import rows, trend_headline, trend_words
from .verdict_marks import badge


def trend_html(trend: Trend, pictures: tuple[Picture, ...] = ()) -> str:
    """One page that needs nothing else. Pictures belong to the pairs, which have pages of their own."""
    del pictures
    made = environment().get_template("trend.html")
    numbers = {s.id: n for n, s in enumerate(trend.sources, 1)}
    differs = list({(d.what, d.says): d for change in trend.changes for d in change.comparable}.values())
    return str(
        made.render(
            t=trend, headline=trend_headline(trend), words=trend_words(trend), rows=list(rows(trend)), drawn=_drawn(trend),
            badge=badge, numbers=numbers, differs=differs,
        )
    )  # fmt: skip


def _drawn(trend: Trend) -> str:
    """The total at every scan that is dated and can be told."""
    points = [(s.months, s.mass_mg) for s in trend.stops if s.months is not None and isinstance(s.mass_mg, Difference)]
    if len(points) < 2:
        return ""
    made = [(months, m.after, m.before + m.low if months else None, m.before + m.high if months else None) for months, m in points]
    return over_months(made, "mg", None)
