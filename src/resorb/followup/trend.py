"""Three or more scans: each later one against the first, and one straight line through the totals, with the error of that line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resorb.followup.threads import threads_of
from resorb.terms.assessment import Refusal, SourceShown
from resorb.terms.change import Change, Differed, Difference
from resorb.terms.errors import UserError
from resorb.terms.trend import Course, Stop, Trend

Z_95 = 1.96
MONTHS_A_YEAR = 12.0
CHI2_95 = (3.84, 5.99, 7.81, 9.49, 11.07, 12.59, 14.07, 15.51, 16.92, 18.31)  # 95 % points for 1 to 10 degrees of freedom


def trend(changes: Sequence[Change]) -> Trend:
    """The course over changes that all start from the same first scan, in any order. Raises UserError where they do not."""
    if len(changes) < 2 or len({c.baseline.identity for c in changes}) != 1:
        raise UserError("series: found changes that do not start from one first scan; expected each later scan against the first")
    ordered = sorted(changes, key=lambda c: (c.months_between is None, c.months_between or 0.0))
    annual, straight, reason = _line(ordered)
    course, why = _course(annual, reason)
    stops = tuple(Stop(c.followup, c.months_between, c.total.mass_mg) for c in ordered)
    first = _first(ordered)
    sources: dict[str, SourceShown] = {s.id: s for c in ordered for s in c.sources}
    warnings = tuple(dict.fromkeys(w for c in ordered for w in c.warnings))
    made = (Stop(ordered[0].baseline, 0.0, first), *stops)
    told = (tuple(ordered), warnings, tuple(sources.values()), ordered[-1].versions)
    return Trend(course, why, annual, straight, made, *told, threads_of(ordered))


def _first(changes: Sequence[Change]) -> Differed:
    """The first scan against itself: no change."""
    mass = changes[-1].total.mass_mg
    return mass if isinstance(mass, Refusal) else Difference(mass.before, mass.before, 0.0, 0.0, 0.0, mass.detectable)


def _line(changes: Sequence[Change]) -> tuple[Differed, bool, str]:
    """The yearly change by generalised least squares through the first scan, whether a straight line fits, and why there is none."""
    rows = [(c.months_between, c.total.mass_mg) for c in changes if isinstance(c.total.mass_mg, Difference)]
    known = [(months / MONTHS_A_YEAR, mass) for months, mass in rows if months and isinstance(mass, Difference)]
    if len(known) < 2:
        undated = any(months is None for months, _ in rows)
        reason = "the scans are not dated" if undated else "fewer than three scans show a total that can be compared"
        return Refusal("annual_mass_mg", reason), False, reason
    years = np.array([year for year, _ in known])
    change = np.array([mass.change for _, mass in known])
    inverse = np.linalg.pinv(_covariance([mass for _, mass in known]))
    precision = float(years @ inverse @ years)
    slope, sd = float(years @ inverse @ change) / precision, precision**-0.5
    left = change - slope * years
    straight = float(left @ inverse @ left) <= CHI2_95[min(len(known) - 1, len(CHI2_95)) - 1]
    before = known[-1][1].before
    annual = Difference(before, before + slope, slope, slope - Z_95 * sd, slope + Z_95 * sd, Z_95 * sd)
    return annual, straight, ""


def _covariance(masses: Sequence[Difference]) -> NDArray[Any]:
    """Of the changes from one first scan: all share its error, taken to be half the variance of the surest pair."""
    own = np.array([max((m.high - m.low) / (2 * Z_95), 1e-6 * max(m.before, m.after, 1.0)) ** 2 for m in masses])
    shared = own.min() / 2
    return np.asarray(np.diag(own - shared) + shared)


def _course(annual: Differed, reason: str) -> tuple[Course, str]:
    if isinstance(annual, Refusal):
        return "cannot tell", reason
    if abs(annual.change) <= annual.detectable or math.isclose(annual.change, 0.0):
        return "steady", "over all scans the mass goes neither down nor up by more than they scatter"
    course: Course = "falling" if annual.change < 0 else "rising"
    return course, f"over all scans the mass goes {'down' if annual.change < 0 else 'up'} by more than they scatter"
