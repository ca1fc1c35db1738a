"""Which deposit of the one scan is which of the other: one to one, split, merged, gone, new.

Positions are in the baseline's frame, LPS millimetres. Single deposits are paired first, all at once, by the assignment that fits best
in total: overlap and distance together, so that neighbours a few millimetres apart are not taken for each other. What is left
over joins a pair only where it lies within one of the pair's deposits; otherwise it was found in one scan alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

Points = NDArray[Any]
SLACK_MM = 0.25
INSIDE_SHARE = 0.3
SAME_PLACE_MM = 2.0


@dataclass(frozen=True)
class Cloud:
    """One deposit: voxel centres (n, 3) in the baseline's frame, half a voxel along x, y, z, and the error of placing it there. [mm]"""

    points: Points
    half: Points
    error_mm: float = 0.0

    @property
    def centre(self) -> Points:
        """Mean of its voxels. [mm]"""
        return np.asarray(self.points.mean(0))


@dataclass(frozen=True, order=True)
class Group:
    """Deposits of either scan that are one thing; counted from 0. Empty where that scan shows none."""

    baseline: tuple[int, ...]
    followup: tuple[int, ...]


def match(before: Sequence[Cloud], after: Sequence[Cloud]) -> tuple[Group, ...]:
    """Every deposit of both scans in exactly one group, in order of the baseline, then of the follow-up."""
    within = overlaps(before, after)
    partner = {("b", i): ("f", j) for i, j in _assigned(scores(before, after, within))}
    groups: dict[tuple[str, int], set[tuple[str, int]]] = {}
    for one, other in partner.items():
        groups[one] = groups[other] = {one, other}
    for one, host in _leftovers(within, groups):
        groups[host].add(one)
        groups[one] = groups[host]
    every = [("b", i) for i in range(len(before))] + [("f", j) for j in range(len(after))]
    made = {frozenset(groups.get(one, {one})) for one in every}
    return tuple(sorted((_group(members) for members in made), key=_in_order))


def _group(members: frozenset[tuple[str, int]]) -> Group:
    return Group(*(tuple(sorted(n for side, n in members if side == wanted)) for wanted in ("b", "f")))


def _in_order(group: Group) -> tuple[bool, tuple[int, ...], tuple[int, ...]]:
    return not group.baseline, group.baseline, group.followup


def overlaps(before: Sequence[Cloud], after: Sequence[Cloud]) -> tuple[Points, Points]:
    """Share of each baseline deposit that lies within each of the follow-up, and the reverse; both [baseline, follow-up]."""
    mine, theirs = np.zeros((len(before), len(after))), np.zeros((len(before), len(after)))
    for i, one in enumerate(before):
        for j, other in enumerate(after):
            far = _reach(one, other) + _reach(other, one) + _radius(one) + _radius(other)
            if (np.abs(one.centre - other.centre) <= far).all():
                mine[i, j], theirs[i, j] = _within(one, other), _within(other, one)
    return mine, theirs


def _reach(one: Cloud, other: Cloud) -> Points:
    """How far a point may lie from a voxel's centre and still be within it, along x, y, z: half a voxel, and the error of its place."""
    return np.asarray(other.half + max(one.error_mm, other.error_mm) + SLACK_MM)


def _within(one: Cloud, other: Cloud) -> float:
    """Share of a deposit's voxels that lie within a voxel of another."""
    reach = _reach(one, other)
    nearest = cKDTree(other.points / reach).query(one.points / reach, p=np.inf, distance_upper_bound=1.0)[0]
    return float(np.mean(nearest < np.inf))


def _radius(cloud: Cloud) -> float:
    return float(np.linalg.norm(cloud.points - cloud.centre, axis=1).max())


def scores(before: Sequence[Cloud], after: Sequence[Cloud], within: tuple[Points, Points]) -> Points:
    """How well two deposits fit as one, 0 to 1, [baseline, follow-up]: the larger share of overlap, less with distance of the centres."""
    score = np.maximum(*within)
    for i, j in np.argwhere(score > 0):
        apart = float(np.linalg.norm(before[i].centre - after[j].centre))
        width = np.hypot(SAME_PLACE_MM + max(before[i].error_mm, after[j].error_mm), min(_radius(before[i]), _radius(after[j])))
        score[i, j] = (0.05 + 0.95 * score[i, j]) * np.exp(-0.5 * (apart / width) ** 2)
    return np.asarray(score)


def _assigned(score: Points) -> list[tuple[int, int]]:
    """The pairing with the highest total."""
    if not score.size:
        return []
    rows, columns = linear_sum_assignment(score, maximize=True)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if score[i, j] > 0]


def _leftovers(within: tuple[Points, Points], groups: dict[tuple[str, int], Any]) -> list[tuple[tuple[str, int], tuple[str, int]]]:
    """Unpaired deposits that lie within a paired one of the other scan, each with the one that holds most of it."""
    out = []
    for side, other, share in (("b", "f", within[0]), ("f", "b", within[1].T)):
        for one in range(len(share)):
            if (side, one) in groups or not share.shape[1]:
                continue
            host = int(share[one].argmax())
            if share[one, host] >= INSIDE_SHARE and (other, host) in groups:
                out.append(((side, one), (other, host)))
    return out
