"""What a viewer needs of a compared pair: the follow-up laid on the baseline's slices, with both outlines.

The alignment is kept as a coarse lattice of where baseline positions lie in the follow-up; it is smooth, so that little is lost.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from resorb.ct.viewing import View
from resorb.followup.aligning import Aligned
from resorb.terms.change import Change

LATTICE_MM = 6.0
OUTSIDE_HU = -1024.0


@dataclass(frozen=True)
class PairView:
    """A kept pair. lattice : follow-up indices (slice, row, column) at every `step` of the baseline; none where nothing is aligned.

    rows : for each side, the id of a deposit -> the number of its row in the change, from 0.
    """

    baseline: View
    followup: View
    lattice: NDArray[np.float32] | None
    step: NDArray[np.int64]
    rows: dict[str, dict[int, int]]


def keep_pair_view(folder: Path, aligned: Aligned, change: Change) -> None:
    """Write the lattice and which deposit stands in which row."""
    shape = np.array(aligned.baseline.hu.shape)
    step = np.maximum(1, np.floor(LATTICE_MM / np.nan_to_num(aligned.baseline.spacing, nan=1.0))).astype(int)
    if aligned.ok:
        axes = [np.arange(-(-(n - 1) // s) + 1) * s for n, s in zip(shape, step, strict=True)]
        at = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
        there = aligned.followup.to_index(aligned.to_followup(aligned.baseline.to_lps(at.reshape(-1, 3))))
        np.save(folder / "lattice.npy", there.reshape(at.shape).astype(np.float32))
    rows = {
        "baseline": {str(i): n for n, d in enumerate(change.deposits) for i in d.baseline or ()},
        "followup": {str(i): n for n, d in enumerate(change.deposits) for i in d.followup or ()},
    }
    (folder / "view.json").write_text(json.dumps({"step": step.tolist(), "rows": rows}), "utf-8")


def open_pair_view(folder: Path, baseline: View, followup: View) -> PairView:
    """A view that was kept, on the views of its two scans."""
    facts = json.loads((folder / "view.json").read_text("utf-8"))
    path = folder / "lattice.npy"
    lattice = np.load(path) if path.is_file() else None
    rows = {side: {int(i): n for i, n in of.items()} for side, of in facts["rows"].items()}
    return PairView(baseline, followup, lattice, np.array(facts["step"]), rows)


def followup_slice(pair: PairView, k: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """The follow-up where slice k of the baseline is: HU and ids of deposits, [row, column]; air where it does not reach."""
    rows, columns = pair.baseline.hu.shape[1:]
    where = _there(pair, k, rows, columns)
    hu = np.full((rows, columns), OUTSIDE_HU, np.float32)
    low = np.floor(where[0].min()), np.ceil(where[0].max())
    first, last = int(max(low[0], 0)), int(min(low[1], len(pair.followup.hu) - 1))
    if first <= last:
        slab = np.asarray(pair.followup.hu[first : last + 1], np.float32)
        slab = np.concatenate([slab, slab[-1:]]) if len(slab) == 1 else slab
        map_coordinates(slab, where - np.array([first, 0, 0])[:, None, None], hu, order=1, mode="constant", cval=OUTSIDE_HU)
    return hu, _ids(pair.followup, where)


def _there(pair: PairView, k: int, rows: int, columns: int) -> NDArray[np.float64]:
    """For each pixel of slice k, its (slice, row, column) in the follow-up, shape (3, rows, columns)."""
    if pair.lattice is None:
        raise ValueError("nothing is aligned")
    y, x = np.mgrid[:rows, :columns]
    at = np.stack([np.full(y.shape, k / pair.step[0]), y / pair.step[1], x / pair.step[2]])
    return np.stack([map_coordinates(pair.lattice[..., axis], at, order=1, mode="nearest") for axis in range(3)]).astype(np.float64)


def _ids(view: View, where: NDArray[np.float64]) -> NDArray[np.int32]:
    """The deposit of the nearest voxel of each place; 0 where there is none."""
    nearest = np.rint(where).astype(np.int64)
    shape = np.array(view.hu.shape)
    inside = ((nearest >= 0) & (nearest < shape[:, None, None])).all(0)
    flat = np.where(inside, (nearest[0] * shape[1] + nearest[1]) * shape[2] + nearest[2], -1)
    if not len(view.flat):
        return np.zeros(flat.shape, np.int32)
    found = np.minimum(np.searchsorted(view.flat, flat), len(view.flat) - 1)
    return np.where(view.flat[found] == flat, view.ids[found], 0).astype(np.int32)
