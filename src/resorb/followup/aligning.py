"""Lay the follow-up on the baseline, and say how far that can be trusted.

`align` is the door. What comes out moves positions both ways, tells its own error at each place, and knows what either scan covers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from resorb.ct.scan import Scan
from resorb.terms.change import Alignment

Points = NDArray[Any]
Move = Callable[[Points], Points]
Which = Literal["baseline", "followup"]
TYPICAL_ERROR_MM = 0.3


@dataclass(frozen=True)
class Aligned:
    """Two scans of one person, laid on each other.

    forward, backward : take baseline positions to the follow-up and back, (n, 3) LPS [mm].
    errors : estimated 95th percentile of the error at baseline positions, (n,) [mm].
    facts : what was found, in the words of the answer.
    """

    baseline: Scan
    followup: Scan
    forward: Move
    backward: Move
    errors: Move
    facts: Alignment

    @property
    def ok(self) -> bool:
        """Can positions be trusted at all? Where not, `facts.failed` says why."""
        return not self.facts.failed

    def to_followup(self, points_lps: object) -> Points:
        """Where baseline positions (n, 3) lie in the follow-up. LPS [mm]"""
        return self.forward(_points(points_lps))

    def to_baseline(self, points_lps: object) -> Points:
        """Where follow-up positions (n, 3) lie in the baseline. LPS [mm]"""
        return self.backward(_points(points_lps))

    def error_mm(self, points_lps: object) -> Points:
        """Estimated 95th percentile of the error at baseline positions (n, 3), shape (n,). [mm]"""
        return self.errors(_points(points_lps))

    def covers(self, points_lps: object, which: Which = "followup", margin_mm: float = 0.0) -> NDArray[np.bool_]:
        """Are these places inside the field of the `which` scan, at least `margin_mm` from its edge? Shape (n,).

        Asked of the follow-up, points are in the baseline's frame; asked of the baseline, they are in the follow-up's.
        """
        points = _points(points_lps)
        if which == "followup":
            return inside(self.followup, self.to_followup(points), margin_mm)
        return inside(self.baseline, self.to_baseline(points), margin_mm)


def inside(scan: Scan, points: Points, margin_mm: float = 0.0) -> NDArray[np.bool_]:
    """Which positions (n, 3) LPS [mm] lie in the scan's field, at least `margin_mm` from its edge. Shape (n,)."""
    index = scan.to_index(points)
    margin = margin_mm / np.nan_to_num(scan.spacing, nan=1.0)
    last = np.array(scan.hu.shape) - 0.5 - margin
    return np.asarray(((index >= margin - 0.5) & (index <= last)).all(1), bool)


def handed_over(pair: tuple[Scan, Scan], forward: Move, backward: Move, error_mm: float = TYPICAL_ERROR_MM) -> Aligned:
    """An alignment that is known from elsewhere, with one stated error for all places. [mm]"""
    facts = Alignment("handed over", error_mm, None, None, None)
    return Aligned(*pair, forward, backward, lambda points: np.full(len(points), error_mm), facts)


def _points(given: object) -> Points:
    return np.asarray(given, np.float64).reshape(-1, 3)


def align(baseline: Scan, followup: Scan) -> Aligned:
    """The follow-up laid on the baseline. Look at `ok` before trusting any position."""
    if _same(baseline, followup):
        facts = Alignment("the same scan twice", 0.0, 0.0, 0.0, 100.0)
        return Aligned(baseline, followup, np.copy, np.copy, lambda points: np.zeros(len(points)), facts)
    return _failed(baseline, followup, "these scans were not laid on each other")


def _same(baseline: Scan, followup: Scan) -> bool:
    alike = baseline.hu.shape == followup.hu.shape and np.allclose(baseline.affine, followup.affine, atol=1e-6)
    return alike and np.array_equal(baseline.hu, followup.hu)


def _failed(baseline: Scan, followup: Scan, why: str) -> Aligned:
    """No position can be trusted; where points are moved all the same, they stay where they are."""
    facts = Alignment("none", None, None, None, None, why)
    return Aligned(baseline, followup, np.copy, np.copy, lambda points: np.full(len(points), np.inf), facts)
