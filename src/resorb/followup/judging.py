"""Was it a change? Decided for all deposits of a patient together, so that one false alarm in twenty patients is all there is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

FAMILY = 0.05
SINGLE = 0.02
LEFT_Z = 2.576

_NORMAL = NormalDist()


@dataclass(frozen=True)
class Call:
    """One change against its error had nothing changed. z : critical value that all of the patient's deposits were held to."""

    changed: bool
    p: float
    z: float


def p_value(change: float, sd: float) -> float:
    """Two-sided probability of a change this large where nothing changed."""
    return 1.0 if change == 0 else 2 * _NORMAL.cdf(-abs(change) / sd) if sd > 0 else 0.0


def call(p_values: Sequence[float], family: float = FAMILY, single: float = SINGLE) -> tuple[Call, ...]:
    """Holm's step-down test: the chance of any false call is at most `family`, whatever depends on what; of each, at most `single`."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    rejected = 0
    for step, i in enumerate(order):
        if p_values[i] > min(single, family / (len(order) - step)):
            break
        rejected = step + 1
    level = min(single, family / max(1, len(order) - rejected))
    z = -_NORMAL.inv_cdf(level / 2)
    return tuple(Call(p_values[i] <= level and order.index(i) < rejected, p_values[i], z) for i in range(len(p_values)))


def left(value: float, sd: float, z: float = LEFT_Z) -> bool:
    """Is there anything, beyond what noise makes?"""
    return value > z * sd


def detectable(sd: float, z: float) -> float:
    """The smallest change that would have been called one."""
    return z * sd if math.isfinite(sd) else math.inf
