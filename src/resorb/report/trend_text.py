"""A series of scans as plain text: the course, one line a scan, and what became of the deposits by the last."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator

from ..terms.assessment import Refusal
from ..terms.change import Change
from ..terms.time import months_in_words
from ..terms.trend import Trend
from .change_text import reach
from .change_words import ORDER, amount, went

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
        said.append(f"In a year, on that line: mass {went(trend.annual_mass_mg, 'mg')}.")
        said.append(
            "A straight line fits the scans."
            if trend.straight
            else "A straight line does not fit the scans: the pace changed between them."
        )
    elif trend.course != "cannot tell":
        said.append(f"No yearly pace: {trend.annual_mass_mg.reason}.")
    return (*said, "Each verdict below holds that scan against the first; each pair is judged by itself.")


def rows(trend: Trend) -> Iterator[tuple[str, ...]]:
    """For each scan: when, the mass, the change since the first, the verdict, and how many deposits did what."""
    for number, stop in enumerate(trend.stops):
        when = "first" if number == 0 else "not dated" if stop.months is None else f"after {months_in_words(stop.months)}"
        mass = stop.mass_mg
        total = "-" if isinstance(mass, Refusal) else f"{amount(mass.after, mass)} mg"
        if number == 0:
            yield when, total, "", "", ""
            continue
        change = trend.changes[number - 1]
        since = (
            f"cannot be told: {mass.reason}" if isinstance(mass, Refusal) else f"{reach(mass)}, shows from {amount(mass.detectable, mass)}"
        )
        yield when, total, since, change.total.verdict, counts(change)


def counts(change: Change) -> str:
    """How many deposits did what."""
    seen: Counter[str] = Counter(d.verdict for d in change.deposits)
    return ", ".join(f"{seen[verdict]} {verdict}" for verdict in ORDER if seen[verdict])


def trend_text(trend: Trend) -> str:
    """The whole answer for a terminal."""
    head = ("scan", "mass", "change since the first [95 %]", "verdict", "deposits")
    table = [head, *rows(trend)]
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    lines = [f"{trend_headline(trend)}: {trend.course}", *_wrap(" ".join(trend_words(trend))), ""]
    lines += ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in table]
    lines += ["", *(line for said in trend.warnings for line in _wrap(f"warning: {said}")), "", trend.notice]
    return "\n".join(lines) + "\n"


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, 110, initial_indent="  ", subsequent_indent="    ")
