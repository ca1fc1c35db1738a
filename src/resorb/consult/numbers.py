"""Intervals from counts. Proportions between 0 and 1; 95 % throughout."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist
from typing import NamedTuple

_Z = NormalDist().inv_cdf(0.975)


class Interval(NamedTuple):
    """A proportion and its interval."""

    value: float
    low: float
    high: float


class Pooled(NamedTuple):
    """Random effects: the mean, its interval, where a new study would fall, and the between-study SD (logit)."""

    value: float
    low: float
    high: float
    predicts_low: float
    predicts_high: float
    tau: float


@lru_cache(maxsize=8192)
def wilson_1927(events: int, of: int) -> Interval:
    """The score interval of a proportion (Wilson, J Am Stat Assoc 1927), as Brown, Cai and DasGupta (2001) advise."""
    z2, p = _Z**2, events / of
    middle = (p + z2 / (2 * of)) / (1 + z2 / of)
    half = math.sqrt(z2 * (p * (1 - p) / of + z2 / (4 * of * of))) / (1 + z2 / of)
    return Interval(p, 0.0 if events == 0 else middle - half, 1.0 if events == of else middle + half)


@lru_cache(maxsize=2048)
def newcombe_1998(events: int, of: int, other_events: int, other_of: int) -> Interval:
    """The difference of two proportions (Newcombe, Stat Med 1998, method 10: from Wilson's intervals)."""
    one, two = wilson_1927(events, of), wilson_1927(other_events, other_of)
    difference = one.value - two.value
    low = difference - math.hypot(one.value - one.low, two.high - two.value)
    high = difference + math.hypot(one.high - one.value, two.value - two.low)
    return Interval(difference, max(low, -1.0), min(high, 1.0))


@lru_cache(maxsize=1024)
def random_effects(counts: tuple[tuple[int, int], ...]) -> Pooled:
    """Three or more (events, of), pooled on the logit scale: REML between-study variance, Hartung-Knapp interval.

    A half is added to both cells of a study with none or all events. The prediction interval follows
    Higgins, Thompson and Spiegelhalter (J R Stat Soc A 2009), with k - 2 degrees of freedom.
    """
    cells = [(e + 0.5, n - e + 0.5) if e in (0, n) else (float(e), float(n - e)) for e, n in counts]
    effects = [math.log(a / b) for a, b in cells]
    variances = [1 / a + 1 / b for a, b in cells]
    tau2 = _reml(effects, variances)
    weights = [1 / (v + tau2) for v in variances]
    total, k = sum(weights), len(counts)
    mean = sum(w * y for w, y in zip(weights, effects, strict=True)) / total
    spread = sum(w * (y - mean) ** 2 for w, y in zip(weights, effects, strict=True)) / (k - 1)
    error = math.sqrt(max(spread, 1.0) / total)
    half = student_1908(k - 1) * error
    reach = student_1908(k - 2) * math.sqrt(tau2 + error**2)
    low, high, least, most = (_expit(mean + x) for x in (-half, half, -reach, reach))
    return Pooled(_expit(mean), low, high, least, most, math.sqrt(tau2))


def _reml(effects: list[float], variances: list[float]) -> float:
    """Between-study variance by restricted maximum likelihood (Viechtbauer, J Educ Behav Stat 2005), never negative."""
    tau2 = 0.0
    for _ in range(200):
        weights = [1 / (v + tau2) for v in variances]
        total = sum(weights)
        mean = sum(w * y for w, y in zip(weights, effects, strict=True)) / total
        squares = sum(w * w * ((y - mean) ** 2 - v) for w, y, v in zip(weights, effects, variances, strict=True))
        new = max(0.0, squares / sum(w * w for w in weights) + 1 / total)
        if abs(new - tau2) < 1e-10:
            return new
        tau2 = new
    return tau2


@lru_cache(maxsize=64)
def student_1908(degrees: int) -> float:
    """The two-sided 95 % quantile of Student's t (Biometrika 1908) for whole degrees of freedom, from its finite series."""
    low, high = 0.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, degrees) < 0.95 else (low, middle)
    return (low + high) / 2


def _within(t: float, degrees: int) -> float:
    """P(|T| < t): the finite trigonometric series (Abramowitz and Stegun 26.7.3 and 26.7.4)."""
    angle = math.atan(t / math.sqrt(degrees))
    cosine, odd = math.cos(angle) ** 2, degrees % 2
    term, total = (math.cos(angle), math.cos(angle)) if odd else (1.0, 1.0)
    for n in range(2 + odd, degrees - 1, 2):
        term *= cosine * (n - 1) / n
        total += term
    if odd:
        return 2 / math.pi * (angle + (math.sin(angle) * total if degrees > 1 else 0.0))
    return math.sin(angle) * total


def _expit(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0
