"""What a viewer needs of a measured scan: slices as pictures with the deposits outlined, and a preview small enough to send.

Kept as plain arrays, so that a slice is a read of one page of a file.
"""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LONGEST_PREVIEW = 128
OUTLINE = (255, 176, 0)


@dataclass(frozen=True)
class View:
    """A kept scan. hu : [slice, row, column], read from disk as it is asked for. flat, ids : the voxels of deposits, in order."""

    hu: NDArray[Any]
    flat: NDArray[np.int64]
    ids: NDArray[np.int32]
    facts: dict[str, Any]

    def marks(self, k: int) -> NDArray[np.int32]:
        """The deposits of slice k: [row, column], 0 where there is none, else the id."""
        rows, columns = self.hu.shape[1:]
        low, high = np.searchsorted(self.flat, [k * rows * columns, (k + 1) * rows * columns])
        marked = np.zeros(rows * columns, np.int32)
        marked[self.flat[low:high] - k * rows * columns] = self.ids[low:high]
        return marked.reshape(rows, columns)


def keep_view(folder: Path, scan: Any, findings: Any) -> None:
    """Write the volume, the voxels of its deposits, and the previews of both."""
    from resorb.ct.nifti import write_labels

    _keep(folder / "volume.npy", scan.hu)
    parts = [candidate.flat for candidate in findings.candidates]
    flat = np.concatenate([*parts, np.zeros(0, np.int64)]).astype(np.int64)
    ids = np.repeat(np.arange(1, len(parts) + 1, dtype=np.int32), [len(p) for p in parts])
    order = np.argsort(flat, kind="stable")
    _keep(folder / "deposit_voxels.npy", flat[order])
    _keep(folder / "deposit_ids.npy", ids[order])
    small, marks, affine = preview(scan, flat, ids)
    write_labels(folder / "preview.nii.gz", small, affine)
    write_labels(folder / "labels_preview.nii.gz", marks, affine)
    facts = {"shape": list(map(int, scan.hu.shape)), "spacing_mm": [None if np.isnan(s) else float(s) for s in scan.spacing]}
    (folder / "view.json").write_text(json.dumps(facts), "utf-8")


def _keep(path: Path, array: NDArray[Any]) -> None:
    """Write an array; a disk that is full is said so, which `np.save` does not."""
    whole = np.ascontiguousarray(array)
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(whole))
        file.write(whole.data)


def open_view(folder: Path) -> View:
    """A view that was kept."""
    hu = np.load(folder / "volume.npy", mmap_mode="r")
    facts = json.loads((folder / "view.json").read_text("utf-8"))
    return View(hu, np.load(folder / "deposit_voxels.npy"), np.load(folder / "deposit_ids.npy"), facts)


def preview(scan: Any, flat: NDArray[Any], ids: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The scan in blocks, none more than 128 to a side: mean HU and, of deposits, the largest id; affine of the blocks. [LPS mm]"""
    shape = np.array(scan.hu.shape)
    step = np.maximum(1, -(-shape // LONGEST_PREVIEW))
    size = -(-shape // step)
    small = np.empty(size, np.int16)
    for k in range(size[0]):
        block = scan.hu[k * step[0] : (k + 1) * step[0]].astype(np.float32).mean(0)
        padded = np.pad(block, [(0, size[1] * step[1] - shape[1]), (0, size[2] * step[2] - shape[2])], mode="edge")
        small[k] = np.rint(padded.reshape(size[1], step[1], size[2], step[2]).mean((1, 3)))
    marks = np.zeros(size, np.uint8 if len(ids) == 0 or ids.max() < 256 else np.uint16)
    np.maximum.at(marks, tuple(np.stack(np.unravel_index(flat, shape)) // step[:, None]), ids.astype(marks.dtype))
    affine = scan.affine.copy()
    affine[:3, 3] += scan.affine[:3, :3] @ ((step - 1) / 2)
    affine[:3, :3] = scan.affine[:3, :3] * step
    return small, marks, affine


def slice_png(view: View, k: int, window: float, level: float, *, outlined: bool) -> bytes:
    """Slice k in grey from level - window / 2 to level + window / 2 [HU], deposits outlined in colour where asked."""
    return picture_of(view.hu[k], view.marks(k) if outlined else None, window, level)


def picture_of(hu: NDArray[Any], marks: NDArray[np.int32] | None, window: float, level: float) -> bytes:
    """One slice [row, column] in grey, the borders of `marks` in colour."""
    grey = np.asarray(np.clip((hu.astype(np.float32) - (level - window / 2)) / window, 0, 1) * 255, np.uint8)
    if marks is None:
        from resorb.ct.pictures import png

        return png(grey)
    picture = np.repeat(grey[:, :, None], 3, 2)
    picture[edges(marks)] = OUTLINE
    return _colour_png(picture)


def edges(marks: NDArray[Any]) -> NDArray[np.bool_]:
    """Voxels of a deposit that have a neighbour, up, down, left or right, that is not of it."""
    padded = np.pad(marks, 1)
    here = padded[1:-1, 1:-1]
    differs = [
        padded[1 + y : padded.shape[0] - 1 + y, 1 + x : padded.shape[1] - 1 + x] != here for y, x in ((0, 1), (0, -1), (1, 0), (-1, 0))
    ]
    return np.asarray((here > 0) & np.logical_or.reduce(differs))


def outlines_of(marks: NDArray[np.int32]) -> list[dict[str, Any]]:
    """The deposits of one slice [row, column], each with its border as an SVG path in pixels."""
    from resorb.ct.pictures import outline

    paths = []
    for number in np.unique(marks[marks > 0]):
        lines = outline(marks == number)
        paths.append({"deposit": int(number), "path": "".join(f"M{a:g} {b:g}L{c:g} {d:g}" for (a, b), (c, d) in lines)})
    return paths


def _colour_png(picture: NDArray[np.uint8]) -> bytes:
    """8-bit RGB PNG (ISO 15948) of a [row, column, 3] picture."""
    rows = np.concatenate([np.zeros((len(picture), 1), np.uint8), picture.reshape(len(picture), -1)], 1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", picture.shape[1], picture.shape[0], 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows.tobytes(), 6)) + chunk(b"IEND", b"")
