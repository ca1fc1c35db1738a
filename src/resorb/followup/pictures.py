"""Pictures of a pair: each deposit before and after, cut at the same place, with both outlines; and where the verdicts lie."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from resorb.ct.pictures import MOST_TILES, TILE, WINDOW, Outline, grey_of, outline, png, projection
from resorb.ct.scan import Scan
from resorb.followup.aligning import Aligned
from resorb.followup.pairing import Side
from resorb.terms.change import DepositChange
from resorb.terms.measurement import Picture

if TYPE_CHECKING:
    from resorb.followup.comparison import Compared

HALF_FIELD_MM = 12.0
SLAB_MM = 3.0
OUTSIDE_HU = -1024.0
MOST_MM = 60.0
FLAT = 0.25  # deposits spread over less height than this share of their depth lie flat
_DULL = ("unchanged", "not covered")

Move = Callable[[NDArray[Any]], NDArray[Any]]


def pictures(compared: Compared) -> tuple[Picture, ...]:
    """Both scans seen from the front with every verdict marked, then two pictures for each of the first 48 deposits, changed ones first."""
    aligned, rows = compared.aligned, list(enumerate(compared.change.deposits, 1))
    axis = _axis(compared)
    here = [(n, d) for n, d in rows if aligned.ok or d.baseline is not None]
    there = [(n, d) for n, d in rows if _in_followup(d, aligned)]
    views = (
        _view(aligned.baseline, ((str(n), d.centroid_mm) for n, d in here), "before", axis),
        _view(aligned.followup, ((str(n), d.centroid_followup_mm) for n, d in there), "after", axis),
    )
    if not aligned.ok:
        return views
    shown = sorted(rows, key=lambda row: (row[1].verdict in _DULL, row[0]))[:MOST_TILES]
    return (*views, *(tile for n, d in shown for tile in _pair(n, d, compared)))


def _axis(compared: Compared) -> int:
    """From the front (1), unless the deposits lie so flat that they are told apart only from the feet (0)."""
    centres = np.array([d.centroid_mm for d in compared.change.deposits] or [(0.0, 0.0, 0.0)])
    _, deep, high = np.ptp(centres, axis=0)
    flat = compared.before.scan.single_slice or compared.after.scan.single_slice
    return 0 if flat or high < FLAT * deep else 1


def _view(scan: Scan, marks: Iterable[tuple[str, Any]], name: str, axis: int) -> Picture:
    made = projection(scan, marks, axis)
    whose = f"{name}, {scan.acquisition.description}" if scan.acquisition.description else name
    return replace(made, name=f"mip-{name}", caption=f"{whose}: {made.caption}")


def _in_followup(d: DepositChange, aligned: Aligned) -> bool:
    """Whether the follow-up has a place for it: where the scans do not lie on each other, only if it was found there."""
    if not aligned.ok:
        return d.followup is not None
    return d.verdict != "not covered" or d.followup is not None or bool(aligned.covers([d.centroid_mm])[0])


def _pair(number: int, d: DepositChange, compared: Compared) -> tuple[Picture, Picture]:
    """One place in both scans, on one grid in the baseline's frame: the brightest within 3 mm."""
    places = compared.pairing.places if compared.pairing else ()
    move: Move = places[number - 1].local.forward if places else compared.aligned.to_followup
    grid = _grid(compared.before, d)
    there = move(grid.reshape(-1, 3)).reshape(grid.shape)
    zoom = max(1, round(TILE / grid.shape[1]))
    lines = (
        *_lines("before", _mask(compared.before, d.baseline, grid), zoom),
        *_lines("after", _mask(compared.after, d.followup, there), zoom),
    )
    made = []
    for name, scan, points in (("before", compared.before.scan, grid), ("after", compared.after.scan, there)):
        hu = _sampled(scan, points)
        seen = np.isfinite(hu)
        grey = grey_of(np.where(seen, hu, OUTSIDE_HU), WINDOW).repeat(zoom, 0).repeat(zoom, 1)
        caption = "" if seen.any() else "outside this scan"
        made.append(Picture(f"{name}-{number}", caption, png(grey), grey.shape[1], grey.shape[0], lines))
    return made[0], made[1]


def _grid(side: Side, d: DepositChange) -> NDArray[Any]:
    """Positions [slab, row, column, LPS mm] around a deposit, along the baseline's own axes, at its pixel spacing."""
    scan = side.scan
    along = scan.affine[:3, :3] / np.linalg.norm(scan.affine[:3, :3], axis=0)
    step = float(np.clip(scan.spacing[1:].min(), 0.3, 1.0))
    half = max(HALF_FIELD_MM, 0.5 * _widest_mm(side, d.baseline) + 5)
    across = np.arange(-half, half + step / 2, step)
    slab = np.linspace(-SLAB_MM / 2, SLAB_MM / 2, 5)
    k, j, i = np.meshgrid(slab, across, across, indexing="ij")
    return np.asarray(np.array(d.centroid_mm) + np.stack([k, j, i], -1) @ along.T)


def _flats(side: Side, ids: tuple[int, ...] | None) -> list[NDArray[Any]]:
    """The voxels of the deposits with these ids, which count from 1."""
    return [side.findings.candidates[i - 1].flat for i in ids or ()]


def _widest_mm(side: Side, ids: tuple[int, ...] | None) -> float:
    """How wide the pieces are together, in the plane of a slice; at most 60 mm."""
    flats = _flats(side, ids)
    if not flats:
        return 0.0
    at = np.stack(np.unravel_index(np.concatenate(flats), side.scan.hu.shape), 1)[:, 1:]
    return min(MOST_MM, float((np.ptp(at, axis=0) * side.scan.spacing[1:]).max()))


def _sampled(scan: Scan, points: NDArray[Any]) -> NDArray[Any]:
    """The brightest of the slab at [slab, row, column] positions; NaN where the scan shows nothing. [HU]"""
    at = scan.to_index(points.reshape(-1, 3))
    inside = ((at >= -0.5) & (at <= np.array(scan.hu.shape) - 0.5)).all(1)
    low = np.clip(np.floor(at.min(0)).astype(int) - 1, 0, np.array(scan.hu.shape) - 1)
    high = np.clip(np.ceil(at.max(0)).astype(int) + 2, 1, scan.hu.shape)
    part = scan.hu[tuple(slice(a, b) for a, b in zip(low, np.maximum(high, low + 1), strict=True))].astype(np.float32)
    hu = map_coordinates(part, (at - low).T, order=1, mode="nearest").reshape(points.shape[:-1])
    return np.asarray(np.where(inside.reshape(hu.shape), hu, -np.inf).max(0))


def _mask(side: Side, ids: tuple[int, ...] | None, points: NDArray[Any]) -> NDArray[np.bool_]:
    """Where the slab meets the deposits of these ids, seen along the slab. [row, column]"""
    flats, shape = _flats(side, ids), points.shape[:-1]
    if not flats:
        return np.zeros(shape[1:], bool)
    at = np.rint(side.scan.to_index(points.reshape(-1, 3))).astype(np.int64)
    inside = ((at >= 0) & (at < np.array(side.scan.hu.shape))).all(1)
    flat = np.ravel_multi_index(np.where(inside[:, None], at, 0).T, side.scan.hu.shape)
    return np.asarray((inside & np.isin(flat, np.concatenate(flats))).reshape(shape).any(0))


def _lines(name: str, mask: NDArray[np.bool_], zoom: int) -> tuple[Outline, ...]:
    return tuple((name, tuple((x * zoom, y * zoom) for x, y in line)) for line in outline(mask))
