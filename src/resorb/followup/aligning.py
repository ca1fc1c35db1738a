"""Lay the follow-up on the baseline, and say how far that can be trusted.

`align` is the door. What comes out moves positions both ways, tells its own error at each place, and knows what either scan covers.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from resorb.ct.scan import Scan
from resorb.followup.bodyfit import library, rigid_fit, rigid_of
from resorb.followup.cells import Cells, cells_of
from resorb.followup.checking_fit import LEAST_POINTS, check, too_little
from resorb.followup.edges import Points as Anchors
from resorb.followup.edges import There, points_of
from resorb.followup.localfit import local_fit
from resorb.terms.change import Alignment

Points = NDArray[Any]
Move = Callable[[Points], Points]
Which = Literal["baseline", "followup"]
TYPICAL_ERROR_MM = 0.3
FILLED_BELOW_HU = -1000
LEAST_EXTENT_MM = 20.0
HOW = "rigid by SimpleITK (correlation), then moved locally"


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

    def facts_at(self, points_lps: object) -> Alignment:
        """The facts, told for these baseline positions (n, 3): the error that 95 % of them stay below, and how far they had moved."""
        points = _points(points_lps)
        points = points[self.covers(points)]
        if not self.ok or not len(points):
            return self.facts
        moved = np.linalg.norm(self.to_followup(points) - points, axis=1)
        error, distance = float(np.percentile(self.error_mm(points), 95)), float(np.median(moved))
        return replace(self.facts, error_mm=round(error, 2), displacement_mm=round(distance, 2))

    def covers(self, points_lps: object, which: Which = "followup", margin_mm: float = 0.0) -> NDArray[np.bool_]:
        """Are these places inside the field of the `which` scan, at least `margin_mm` from its edge? Shape (n,).

        Asked of the follow-up, points are in the baseline's frame; asked of the baseline, they are in the follow-up's.
        """
        points = _points(points_lps)
        if which == "followup":
            return inside(self.followup, self.to_followup(points), margin_mm)
        return inside(self.baseline, self.to_baseline(points), margin_mm)


def inside(scan: Scan, points: Points, margin_mm: float = 0.0) -> NDArray[np.bool_]:
    """Which positions (n, 3) LPS [mm] the scan shows, at least `margin_mm` from the edge of its field. Shape (n,).

    What was filled in around a round field is not shown.
    """
    index = scan.to_index(points)
    margin = margin_mm / np.nan_to_num(scan.spacing, nan=1.0)
    last = np.array(scan.hu.shape) - 0.5 - margin
    shown = np.asarray(((index >= margin - 0.5) & (index <= last)).all(1), bool)
    around = index[shown][:, None] + np.concatenate([np.zeros((1, 3)), np.eye(3), -np.eye(3)]) * max(margin_mm, 1.0) / scan.spacing
    nearest = np.clip(np.round(np.nan_to_num(around)), 0, np.array(scan.hu.shape) - 1).astype(int)
    hu = scan.hu[tuple(np.moveaxis(nearest, -1, 0))]
    shown[shown] = (hu != hu[:, :1]).any(1) | (hu[:, 0] > FILLED_BELOW_HU)
    return shown


def handed_over(pair: tuple[Scan, Scan], forward: Move, backward: Move, error_mm: float = TYPICAL_ERROR_MM) -> Aligned:
    """An alignment that is known from elsewhere, with one stated error for all places. [mm]"""
    facts = Alignment("handed over", error_mm, None, None, None)
    return Aligned(*pair, forward, backward, lambda points: np.full(len(points), error_mm), facts)


def align(baseline: Scan, followup: Scan) -> Aligned:
    """The follow-up laid on the baseline. Look at `ok` before trusting any position."""
    if _same(baseline, followup):
        facts = Alignment("the same scan twice", 0.0, 0.0, 0.0, 100.0)
        return Aligned(baseline, followup, np.copy, np.copy, lambda points: np.zeros(len(points)), facts)
    library()
    if why := _unfit(baseline, followup):
        return _failed(baseline, followup, why)
    with ThreadPoolExecutor(2) as pool:
        fixed, moving = pool.map(_prepared, (baseline, followup))
    if not (fixed.body.any() and moving.body.any()):
        return _failed(baseline, followup, "a scan shows no body: nothing in it is denser than air")
    rigid = rigid_fit(fixed, moving)
    if rigid is None:
        return _failed(baseline, followup, "no part of the body was found in both scans")
    there = There.of(moving, rigid)
    del moving  # as large as what was made of it
    return _refined(baseline, followup, fixed, there)


def _same(baseline: Scan, followup: Scan) -> bool:
    alike = baseline.hu.shape == followup.hu.shape and np.allclose(baseline.affine, followup.affine, atol=1e-6)
    return alike and all(map(np.array_equal, baseline.hu, followup.hu))


def _unfit(*scans: Scan) -> str:
    """Why these scans cannot be laid on each other whatever they show; empty where they can."""
    for scan, name in zip(scans, ("baseline", "follow-up"), strict=True):
        if scan.single_slice:
            return f"the {name} is a single slice: there is no depth to align"
        extent = np.array(scan.hu.shape) * scan.spacing
        if extent.min() < LEAST_EXTENT_MM:
            return f"the {name} is only {extent.min():.0f} mm deep: at least {LEAST_EXTENT_MM:.0f} mm are needed to align it"
    return ""


def _prepared(scan: Scan) -> Cells:
    cells = cells_of(scan)
    _ = cells.body, cells.deposits
    return cells


def _refined(baseline: Scan, followup: Scan, fixed: Cells, there: There) -> Aligned:
    """The local moves, their check, and what comes of both."""
    points = points_of(fixed)
    if len(points.at) < LEAST_POINTS:
        return _failed(baseline, followup, too_little(len(points.at)))
    there, field, left = local_fit(points, there)
    rigid, checked = there.rigid, check(points, left, field, fixed)
    if checked.failed:
        return _failed(baseline, followup, checked.failed)

    def errors(at: Points) -> Points:
        return field.sample(checked.error, at)

    def forward(at: Points) -> Points:
        return rigid.there(field.moved(at))

    turned = rigid_of(points.at[::50], forward(points.at[::50])).degrees
    facts = Alignment(HOW, round(checked.typical_error_mm, 2), None, round(turned, 2), round(100 * checked.seen_share, 1))
    made = Aligned(baseline, followup, forward, lambda at: field.back(rigid.back(at)), errors, facts)
    return replace(made, facts=made.facts_at(_places(fixed, points)))


def _places(cells: Cells, points: Anchors) -> Points:
    """Where deposits seem to lie; all that was matched by, where there are none."""
    where = np.argwhere(cells.deposits)
    return cells.to_lps(where[:: max(1, len(where) // 2000)].astype(float)) if len(where) else points.at[::50]


def _failed(baseline: Scan, followup: Scan, why: str) -> Aligned:
    """No position can be trusted; where points are moved all the same, they stay where they are."""
    facts = Alignment("none", None, None, None, None, why)
    return Aligned(baseline, followup, np.copy, np.copy, lambda points: np.full(len(points), np.inf), facts)


def _points(given: object) -> Points:
    return np.asarray(given, np.float64).reshape(-1, 3)
