"""The places of a pair: every deposit of either scan with the same place in the other, ready to be weighed in both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resorb.ct.findings import Candidate, Findings
from resorb.ct.gauge import Rules
from resorb.ct.scan import Scan
from resorb.ct.surroundings import Neighbourhood
from resorb.followup.aligning import Aligned, inside
from resorb.followup.matching import Cloud, Group, match
from resorb.followup.placing import Local

Points = NDArray[Any]
MOST_CLOUD = 2000
EDGE_MM = 2.0
MOST_FOREIGN = 0.3
CONFIDENCE = ("low", "moderate", "high")
OUTSIDE = "its place lies outside the field of the other scan, or at its very edge"
TAKEN = "its place is taken by a neighbour in the other scan"


@dataclass(frozen=True)
class Side:
    """One scan, what was found on it, and what may be counted."""

    scan: Scan
    findings: Findings
    rules: Rules

    def centre(self, candidate: Candidate) -> Points:
        """Middle of a deposit, weighted by how dense it is. LPS [mm]"""
        at = np.stack(np.unravel_index(candidate.flat, self.scan.hu.shape), 1)
        values = self.scan.hu.reshape(-1)[candidate.flat].astype(float)
        weight = np.maximum(values - values.min() * 0.5, 1.0)
        return np.asarray(self.scan.to_lps((at * weight[:, None]).sum(0)[None] / weight.sum())[0])

    def places(self, candidate: Candidate) -> Points:
        """Voxel centres, thinned out where there are very many. LPS [mm]"""
        thin = candidate.flat[:: max(1, len(candidate.flat) // MOST_CLOUD)]
        return self.scan.to_lps(np.stack(np.unravel_index(thin, self.scan.hu.shape), 1))


@dataclass(frozen=True)
class Place:
    """One group of deposits and where it lies in either scan. LPS [mm]

    before, after : number of its candidate in the scan's neighbourhood; none where the place cannot be looked at. unseen : why not.
    """

    group: Group
    centre: Points
    centre_followup: Points
    local: Local
    error_mm: float
    before: int | None
    after: int | None
    unseen: str = ""
    site: str | None = None


@dataclass(frozen=True)
class Pairing:
    """All places of two scans, with the deposits of each scan as the pair sees them."""

    places: tuple[Place, ...]
    before: Neighbourhood
    after: Neighbourhood
    candidates_before: tuple[Candidate, ...]
    candidates_after: tuple[Candidate, ...]


def pair(before: Side, after: Side, aligned: Aligned) -> Pairing:
    """Match what was found, and mark the place of what was found in one scan only in the other."""
    locals_before = [_local(before, c, aligned, False) for c in before.findings.candidates]
    locals_after = [_local(after, c, aligned, True) for c in after.findings.candidates]
    groups = match(
        [_cloud(before, c, local, aligned, False) for c, local in zip(before.findings.candidates, locals_before, strict=True)],
        [_cloud(after, c, local, aligned, True) for c, local in zip(after.findings.candidates, locals_after, strict=True)],
    )
    taken = tuple(np.sort(np.concatenate([c.flat for c in s.findings.candidates] or [np.zeros(0, np.int64)])) for s in (before, after))
    made: tuple[list[Candidate], list[Candidate]] = ([], [])
    places = tuple(_place(group, (before, after), aligned, taken, made) for group in groups)
    around = [Neighbourhood.of(s.scan, replace(s.findings, candidates=tuple(c))) for s, c in zip((before, after), made, strict=True)]
    return Pairing(places, around[0], around[1], tuple(made[0]), tuple(made[1]))


def _local(side: Side, candidate: Candidate, aligned: Aligned, is_followup: bool) -> Local:
    centre, points = side.centre(candidate), side.places(candidate)
    reach = float(np.linalg.norm(points - centre, axis=1).max())
    return Local.of(aligned, aligned.to_baseline(centre)[0] if is_followup else centre, reach)


def _cloud(side: Side, candidate: Candidate, local: Local, aligned: Aligned, is_followup: bool) -> Cloud:
    points = side.places(candidate)
    if is_followup:
        points = local.backward(points)
    half = np.abs(side.scan.affine[:3, :3]).sum(1) / 2
    return Cloud(points, half, float(aligned.error_mm(local.centre)[0]))


def joined(candidates: tuple[Candidate, ...]) -> Candidate:
    """Several pieces as one deposit, as sure as the least sure of them."""
    if len(candidates) == 1:
        return candidates[0]
    least = min(candidates, key=lambda c: CONFIDENCE.index(c.sure))
    flat = np.unique(np.concatenate([c.flat for c in candidates]))
    notes = tuple(dict.fromkeys(note for c in candidates for note in c.notes))
    return replace(least, flat=flat, faint=all(c.faint for c in candidates), notes=notes)


def _place(
    group: Group, sides: tuple[Side, Side], aligned: Aligned, taken: tuple[Points, ...], made: tuple[list[Candidate], list[Candidate]]
) -> Place:
    """One group placed in both scans; its candidates are added to `made`."""
    own = [joined(tuple(s.findings.candidates[n] for n in ids)) if ids else None for s, ids in zip(sides, group_sides(group), strict=True)]
    whole = own[0] or own[1]
    assert whole is not None
    local = _local(sides[0 if own[0] else 1], whole, aligned, own[0] is None)
    numbers: list[int | None] = [None, None]
    unseen = ""
    for n, side in enumerate(sides):
        candidate = _at_place(own[n], side, (sides[1 - n], own[1 - n]), local, taken[n], n == 1)
        if isinstance(candidate, str):
            unseen = candidate
            continue
        made[n].append(candidate)
        numbers[n] = len(made[n]) - 1
    centre, centre_followup = local.centre, local.at
    if own[1]:
        centre_followup = sides[1].centre(own[1])
    error = float(aligned.error_mm(local.centre)[0])
    return Place(group, centre, centre_followup, local, error, numbers[0], numbers[1], unseen, whole.site)


def _at_place(
    own: Candidate | None, side: Side, other: tuple[Side, Candidate | None], local: Local, taken: Points, is_followup: bool
) -> Candidate | str:
    """What this scan shows of its own, and the place of what the other shows: both scans are looked at over the same region."""
    there, found = other
    if found is None:
        assert own is not None
        return own
    forced = _forced(side, there, found, local, taken, is_followup)
    if own is None or (isinstance(forced, str) and forced == OUTSIDE):
        return forced
    return own if isinstance(forced, str) else replace(own, flat=np.union1d(own.flat, forced.flat))


def group_sides(group: Group) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Baseline ids, follow-up ids."""
    return group.baseline, group.followup


def _forced(side: Side, other: Side, found: Candidate, local: Local, taken: Points, is_followup: bool) -> Candidate | str:
    """The voxels of this scan at the place of a deposit that only the other scan shows; or why they cannot be looked at."""
    forward = local.forward if is_followup else local.backward
    back = local.backward if is_followup else local.forward
    points = forward(other.places(found))
    if not inside(side.scan, points, EDGE_MM).all():
        return OUTSIDE
    index, shape = side.scan.to_index(points), np.array(side.scan.hu.shape)
    low, high = np.maximum(np.floor(index.min(0)).astype(int), 0), np.minimum(np.ceil(index.max(0)).astype(int), shape - 1)
    at = np.stack(np.meshgrid(*(np.arange(a, b + 1) for a, b in zip(low, high, strict=True)), indexing="ij"), -1).reshape(-1, 3)
    own = _within(other, found, back(side.scan.to_lps(at)))
    if not own.any():
        at, own = np.rint(index.mean(0))[None].astype(int), np.array([True])
    flat = np.sort(np.ravel_multi_index(tuple(at[own].T), side.scan.hu.shape))
    if _among(flat, side.findings.foreign).mean() > MOST_FOREIGN:
        return "its place is taken for bone, metal or contrast in the other scan"
    flat = flat[~_among(flat, taken)]
    if not len(flat):
        return TAKEN
    return Candidate(flat, "low", "not found here: measured at the place where the other scan shows it", True, found.site)


def _within(other: Side, found: Candidate, points: Points) -> NDArray[np.bool_]:
    """Which points lie in a voxel of this deposit."""
    index = np.rint(other.scan.to_index(points)).astype(int)
    shape = other.scan.hu.shape
    valid = ((index >= 0) & (index < shape)).all(1)
    flat = np.ravel_multi_index(tuple(np.clip(index, 0, np.array(shape) - 1).T), shape)
    return np.asarray(valid & _among(flat, found.flat))


def _among(wanted: Points, ordered: Points) -> NDArray[np.bool_]:
    """Which of these are among sorted others; cheap however many the others are."""
    if not len(ordered):
        return np.zeros(len(wanted), bool)
    return np.asarray(ordered[np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)] == wanted)
