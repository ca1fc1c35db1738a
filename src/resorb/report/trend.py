"""A series of scans as an HTML page: the course over time, each deposit at every scan, one row a scan, what differs, and the sources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..terms.change import DepositChange, Difference
from ..terms.measurement import Picture
from ..terms.trend import Thread, Trend
from .as_html import environment
from .change_words import ORDER, Measured, most_known
from .timelines import Dated, Straight, over_months, small
from .trend_text import rows, trend_headline, trend_words, when
from .verdict_marks import badge, mark

MONTHS_A_YEAR = 12.0
MOST_CARDS = 48


class Card(NamedTuple):
    """One deposit of a series as it is shown: its number, its last verdict, its course, and its pictures with the words below each."""

    number: int
    verdict: str
    site: str
    drawn: str
    pictures: tuple[tuple[Picture, str], ...]


def trend_html(trend: Trend, pictures: tuple[Picture, ...] = ()) -> str:
    """One page that needs nothing else. pictures : as `resorb.followup.threads.series_pictures` gathers them."""
    made = environment().get_template("trend.html")
    numbers = {s.id: n for n, s in enumerate(trend.sources, 1)}
    differs = list({(d.what, d.says): d for change in trend.changes for d in change.comparable}.values())
    measured = most_known(*trend.changes)
    seen = {d.verdict for change in trend.changes for d in change.deposits} | {c.total.verdict for c in trend.changes}
    cards = sorted(_cards(trend, {p.name: p for p in pictures}, measured), key=lambda card: (ORDER.index(card.verdict), card.number))
    return str(
        made.render(
            t=trend, headline=trend_headline(trend), words=trend_words(trend), rows=list(rows(trend)), drawn=_drawn(trend),
            badge=badge, mark=mark, numbers=numbers, differs=differs, cards=cards[:MOST_CARDS], measured=measured,
            overviews=[p for p in pictures if p.name.startswith("mip")], seen=[v for v in ORDER if v in seen],
            verdicts=[_last_verdict(trend, thread) for thread in trend.threads],
        )
    )  # fmt: skip


def _drawn(trend: Trend) -> str:
    """The total at every scan that is dated and can be told: what the first scan shows, and each change since then."""
    told = [(c, m) for c in trend.changes if isinstance(m := c.total.mass_mg, Difference) and c.months_between is not None]
    if not told:
        return ""
    first = told[-1][1].before
    later = [Dated(c.months_between or 0.0, first + m.change, first + m.low, first + m.high, c.total.verdict) for c, m in told]
    annual = trend.annual_mass_mg
    line = Straight(*(x / MONTHS_A_YEAR for x in (annual.change, annual.low, annual.high))) if isinstance(annual, Difference) else None
    return over_months([Dated(0.0, first), *later], "mg", None, line)


def _cards(trend: Trend, pictures: dict[str, Picture], measured: Measured) -> Iterator[Card]:
    for number, thread in enumerate(trend.threads, 1):
        points = list(_points(trend, thread, measured))
        site = next((d.site for d in _seen(trend, thread) if d.site), "")
        said = f"deposit {number}: {measured.name} at each scan, {measured.unit}"
        named = [(p, when(trend, at)) for at in range(len(trend.stops)) if (p := pictures.get(f"scan-{at}-{number}"))]
        yield Card(number, _last_verdict(trend, thread), site or "", small(points, said) if len(points) > 1 else "", tuple(named))


def _points(trend: Trend, thread: Thread, measured: Measured) -> Iterator[Dated]:
    """What lay there at first, and what each change since adds; scans that are not dated or do not show it alone are left out."""
    first: float | None = None
    for change, numbers in zip(trend.changes, thread.rows, strict=True):
        d = change.deposits[numbers[0] - 1] if len(numbers) == 1 else None
        moved = getattr(d, measured.field, None)
        if d is None or change.months_between is None or not isinstance(moved, Difference):
            continue
        if first is None:
            first = moved.before
            yield Dated(0.0, first)
        yield Dated(change.months_between, first + moved.change, first + moved.low, first + moved.high, d.verdict)


def _seen(trend: Trend, thread: Thread) -> Iterator[DepositChange]:
    """Its rows in all changes, the last scan's first."""
    for change, numbers in zip(reversed(trend.changes), reversed(thread.rows), strict=True):
        yield from (change.deposits[n - 1] for n in numbers)


def _last_verdict(trend: Trend, thread: Thread) -> str:
    return next((d.verdict for d in _seen(trend, thread)), "cannot tell")
