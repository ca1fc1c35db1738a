"""Deposits added up, by site and in all. Errors of single deposits are independent; that of the calibration is shared."""

from __future__ import annotations

import math

from resorb.terms.assessment import Refusal
from resorb.terms.measurement import Calibration, DepositMeasure, Measure, Measured, SiteMeasure

SUMMED = ("agatston", "volume_mm3", "volume_threshold_mm3", "mass_mg", "mass_threshold_mg")
SHARED_ERROR = {"mass_mg"}
NO_SITE = "unlabelled"


def by_site(deposits: tuple[DepositMeasure, ...], calibration: Calibration, doubts: dict[str, str]) -> tuple[SiteMeasure, ...]:
    """One sum for each site, in order of name."""
    sites = sorted({d.site or NO_SITE for d in deposits})
    return tuple(add_up(site, tuple(d for d in deposits if (d.site or NO_SITE) == site), calibration, doubts) for site in sites)


def add_up(site: str, deposits: tuple[DepositMeasure, ...], calibration: Calibration, doubts: dict[str, str]) -> SiteMeasure:
    """Sums over these deposits. `doubts` says of each sum why it may not be given; an empty word where it may."""
    sums = {name: Refusal(name, doubts[name]) if doubts.get(name) else _sum(name, deposits, calibration) for name in SUMMED}
    return SiteMeasure(site, len(deposits), **sums)


def _sum(name: str, deposits: tuple[DepositMeasure, ...], calibration: Calibration) -> Measured:
    """A sum and its interval; refused where one of its parts is. Without deposits it is 0, of what this scan can see."""
    parts: list[Measure] = []
    for d in deposits:
        one: Measured = getattr(d, name)
        if isinstance(one, Refusal):
            return Refusal(name, f"deposit {d.id}: {one.reason}")
        parts.append(one)
    value = math.fsum(p.value for p in parts)
    shared = calibration.relative_sd * 1.96 if name in SHARED_ERROR else 0.0
    up = math.fsum(_own(p.high - p.value, p.value, shared) for p in parts)
    down = math.fsum(_own(p.value - p.low, p.value, shared) for p in parts)
    common = shared * value
    return Measure(value, max(0.0, value - math.sqrt(down + common**2)), value + math.sqrt(up + common**2))


def _own(reach: float, value: float, shared: float) -> float:
    """Square of the part of an interval that is the deposit's own, not the calibration's."""
    return max(0.0, reach**2 - (shared * value) ** 2)
