"""A series of scans as plain text: the course, one line a scan, and what became of the deposits by the last."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator

from ..terms.assessment import Refusal
from ..terms.change import Change, Difference
from ..terms.time import months_in_words
from ..terms.trend import Trend
from .change_text import reach
from .change_words import ORDER, amount, less_or_more, there

COURSES = {
    "falling": "Less and less calcium",
    "steady": "No course that these scans can show",
    "rising": "More and more calcium",
    "cannot tell": "These scans cannot tell",
}


def trend_headline(trend: Trend) -> str:
    """The course in a few words, with how many scans and how long."""
    last = trend.stops[-1].months
    over = "" if last is None else f" over {months_in_words(last)}"
    return f"{COURSES[trend.course]}: {len(trend.stops)} scans{over}"


def trend_words(trend: Trend) -> tuple[str, ...]:
    """Sentences for anyone."""
    said = [f"{trend.why[:1].upper()}{trend.why[1:]}."]
    if not isinstance(trend.annual_mass_mg, Refusal):
        said.append(_pace(trend.annual_mass_mg))
        said.append(
            "The scans fit one straight line."
            if trend.straight
            else "The scans do not fit one straight line: the pace changed between them."
        )
    elif trend.course != "cannot tell":
        said.append(f"No yearly pace: {trend.annual_mass_mg.reason}.")
    return (*said, "Each verdict below holds that scan against the first; each pair is judged by itself.")


def _pace(annual: Difference) -> str:
    reach = f"95 % interval {less_or_more(annual.low, annual)} to {less_or_more(annual.high, annual)}"
    first = f"; the first scan shows {amount(annual.before, annual)} mg"
    return f"On one straight line through all scans: {less_or_more(annual.change, annual, ' mg')} in a year ({reach}){first}."


def when(trend: Trend, at: int) -> str:
    """The time of a scan of the series, in words."""
    months = trend.stops[at].months
    if at == 0 or months is None:
        return "not dated" if at else "first scan"
    return f"after {months_in_words(months)}" if months else "on the same day"


def rows(trend: Trend) -> Iterator[tuple[str, ...]]:
    """For each scan: when, the mass, the change since the first, the verdict, and how many deposits did what."""
    for number, stop in enumerate(trend.stops):
        mass = stop.mass_mg
        if number == 0:
            yield when(trend, 0), "-" if isinstance(mass, Refusal) else f"{amount(mass.after, mass)} mg", "", "", ""
            continue
        total = "-" if isinstance(mass, Refusal) else f"{there(mass.before, mass)} -> {there(mass.after, mass)} mg"
        change = trend.changes[number - 1]
        since = (
            f"cannot be told: {mass.reason}" if isinstance(mass, Refusal) else f"{reach(mass)}, shows from {amount(mass.detectable, mass)}"
        )
        yield when(trend, number), total, since, change.total.verdict, counts(change)


def counts(change: Change) -> str:
    """How many deposits did what."""
    seen: Counter[str] = Counter(d.verdict for d in change.deposits)
    return ", ".join(f"{seen[verdict]} {verdict}" for verdict in ORDER if seen[verdict])


def trend_text(trend: Trend) -> str:
    """The whole answer for a terminal."""
    head = ("scan", "mass, first -> then", "change since the first [95 %]", "verdict", "deposits")
    table = [head, *rows(trend)]
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    lines = [f"{trend_headline(trend)}: {trend.course}", *_wrap(" ".join(trend_words(trend))), ""]
    lines += ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in table]
    lines += ["", *(line for said in trend.warnings for line in _wrap(f"warning: {said}")), "", trend.notice]
    return "\n".join(lines) + "\n"


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, 110, initial_indent="  ", subsequent_indent="    ")
