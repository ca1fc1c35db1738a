"""Labels on a scan: a NIfTI label map or a DICOM SEG with names, or a box. They say where to look, and what a site is called."""

from __future__ import annotations

import io
import json
import re
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resorb.ct.nifti import is_nifti, open_nifti
from resorb.ct.refused import refuse
from resorb.ct.scan import Scan

SAME_GRID_MM = 0.05
FIT_BONE_HU, FIT_LUNG_HU = 90.0, -300.0
FIT_VOXELS = 200
MOST_LABELS = 4096


@dataclass(frozen=True)
class Labels:
    """index : label of each voxel on the scan's grid, 0 for none, [slice, row, column]. names : of each label in use."""

    index: NDArray[Any]
    names: dict[int, str]
    covered: float = 1.0
    source: str = ""

    def of_role(self, role: str) -> list[int]:
        """The labels whose names begin like those of a role: bone, blood, urinary, gut or lung."""
        return [i for i, name in self.names.items() if has_role(name, role)]


@cache
def _class_map() -> dict[str, Any]:
    path = Path(__file__).with_name("class_maps") / "totalsegmentator.json"
    loaded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return loaded


def has_role(name: str, role: str) -> bool:
    """Whether a label of this name plays a role (see `class_maps`)."""
    return name.lower().startswith(tuple(_class_map()["roles"][role]))


def read_labels(path: str | Path, scan: Scan) -> Labels:
    """A label map for this scan, carried to its grid by nearest voxel. Refuses one that does not lie on the scan or does not fit it.

    NIfTI : names come from its own header, from a `.tsv` or `.json` beside it, or from TotalSegmentator's class map if its labels fit.
    DICOM SEG : names are its segment labels.
    """
    where = Path(path)
    if not where.is_file():
        raise refuse(where, "no such file", "a NIfTI label map or a DICOM SEG")
    labels = _from_nifti(where, scan) if is_nifti(where.name) else _from_seg(where, scan)
    if not labels.names:
        raise refuse(where.name, "no label on any voxel of the scan", "labels that overlay the scan", "check that both are of one study")
    _check_fit(labels, scan, where)
    return labels


def box_labels(box: tuple[float, float, float, float, float, float], scan: Scan) -> Labels:
    """A region between two corners (x, y, z, x, y, z) in LPS mm. Refused where it holds no voxel of the scan."""
    corners = np.array(box, np.float64).reshape(2, 3)
    if not np.isfinite(corners).all():
        raise refuse(f"box {tuple(box)}", "a number that is not finite", "two corners x,y,z,x,y,z in LPS mm")
    low, high = corners.min(0), corners.max(0)
    index = np.zeros(scan.hu.shape, np.uint8)
    ends = scan.to_index(np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]))
    first = np.clip(np.ceil(ends.min(0) - 1e-6), 0, None).astype(int)
    last = np.minimum(np.floor(ends.max(0) + 1e-6).astype(int) + 1, scan.hu.shape)
    if (last <= first).any():
        raise refuse(f"box {tuple(box)}", "no voxel of the scan", "two corners x,y,z,x,y,z in LPS mm inside the scan")
    index[tuple(slice(a, b) for a, b in zip(first, last, strict=True))] = 1
    return Labels(index, {1: "box"}, 1.0, f"box {tuple(box)}")


def _from_nifti(path: Path, scan: Scan) -> Labels:
    image, shape, affine = open_nifti(path)
    try:
        stored = np.asarray(image.dataobj).reshape(shape)
    except Exception as error:  # noqa: BLE001  truncated or damaged streams
        raise refuse(path.name, f"voxels that cannot be read ({type(error).__name__})", "a whole file", "copy it again") from None
    if stored.dtype.kind == "f" and (not np.isfinite(stored).all() or (stored != np.rint(stored)).any()):
        raise refuse(path.name, "values that are not whole numbers", "a label map", "is this the CT itself?")
    low, high = int(stored.min()), int(stored.max())
    if low < 0 or high > MOST_LABELS:
        raise refuse(path.name, f"labels from {low} to {high}", f"0 to {MOST_LABELS}", "is this the CT itself?")
    index, covered = _on_grid(stored.astype(np.uint16 if high > 255 else np.uint8), affine, scan)
    used = np.flatnonzero(np.bincount(index.reshape(-1)))
    return Labels(index, _names(path, image, [int(i) for i in used if i]), covered, f"labels {path.name}")


def _on_grid(stored: NDArray[Any], affine: NDArray[Any], scan: Scan) -> tuple[NDArray[Any], float]:
    """Labels carried to the scan's grid by nearest voxel, and the share of the scan that they cover."""
    step = np.linalg.inv(affine) @ scan.affine
    axis_of = np.abs(step[:3, :3]).argmax(0)
    aligned = len(set(axis_of)) == 3 and np.abs(step[:3, :3]).sum() - np.abs(step[:3, :3]).max(0).sum() < 1e-3
    out = np.zeros(scan.hu.shape, stored.dtype)
    if aligned:
        picks = [np.rint(step[axis_of[a], a] * np.arange(n) + step[axis_of[a], 3]).astype(int) for a, n in enumerate(out.shape)]
        inside = [np.flatnonzero((p >= 0) & (p < stored.shape[axis_of[a]])) for a, p in enumerate(picks)]
        if all(len(i) for i in inside):
            moved = stored.transpose([int(a) for a in axis_of])
            out[np.ix_(*inside)] = moved[np.ix_(*(p[i] for p, i in zip(picks, inside, strict=True)))]
        return out, float(np.prod([len(i) / n for i, n in zip(inside, out.shape, strict=True)]))
    seen = 0
    rows, columns = np.meshgrid(np.arange(out.shape[1]), np.arange(out.shape[2]), indexing="ij")
    for k in range(out.shape[0]):
        at = np.rint(np.stack([np.full(rows.shape, k), rows, columns], -1) @ step[:3, :3].T + step[:3, 3]).astype(int)
        ok = ((at >= 0) & (at < stored.shape)).all(-1)
        out[k][ok] = stored[tuple(at[ok].T)]
        seen += int(ok.sum())
    return out, seen / out.size


def _names(path: Path, image: Any, used: list[int]) -> dict[int, str]:
    """Names of the labels in use: from the header, a table beside the file, or TotalSegmentator's class map."""
    said = _caret_names(image) or _table_names(path)
    if not said and len(used) > 5 and max(used) <= len(_class_map()["names"]):
        said = dict(enumerate(_class_map()["names"], start=1))
    return {i: said.get(i, f"label_{i}") for i in used}


def _caret_names(image: Any) -> dict[int, str]:
    text = "".join(str(e.get_content()) for e in getattr(image.header, "extensions", []))
    found = re.findall(r'<Label\b[^>]*?Key="(\d+)"[^>]*>\s*(?:<!\[CDATA\[)?([^\]<]+)', text.replace("\\n", "\n"))
    return {int(key): name.strip() for key, name in found}


def _table_names(path: Path) -> dict[int, str]:
    """`index name` in a .tsv, or {"1": "name"} in a .json, of the same name as the label map."""
    stem = re.sub(r"\.nii(\.gz)?$", "", str(path), flags=re.IGNORECASE)
    table, mapping = Path(stem + ".tsv"), Path(stem + ".json")
    try:
        if mapping.is_file():
            loaded = json.loads(mapping.read_text("utf-8"))
            return {int(k): str(v) for k, v in loaded.items() if str(k).isdigit()}
        if table.is_file():
            rows = [line.split("\t") for line in table.read_text("utf-8").splitlines()]
            return {int(row[0]): row[1].strip() for row in rows if len(row) > 1 and row[0].strip().isdigit()}
    except (OSError, ValueError, AttributeError) as error:
        raise refuse(stem, f"a name table that cannot be read ({error})", "index and name, one pair a line") from None
    return {}


def _from_seg(path: Path, scan: Scan) -> Labels:
    """A DICOM SEG, frame by frame at its own place (PS3.3 A.51)."""
    import pydicom

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data: Any = pydicom.dcmread(io.BytesIO(path.read_bytes()), force=True)
            if data.get("Modality") != "SEG":
                raise refuse(path.name, f"modality {data.get('Modality', 'none')}", "a NIfTI label map or a DICOM SEG")
            names = {int(s.SegmentNumber): str(s.SegmentLabel) for s in data.SegmentSequence}
            frames = np.asarray(data.pixel_array).reshape(-1, data.Rows, data.Columns)
            placed = [_place(data, i) for i in range(len(frames))]
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, RuntimeError, NotImplementedError, EOFError) as error:
        raise refuse(path.name, f"a SEG that cannot be read ({type(error).__name__})", "a whole DICOM SEG") from None
    index = np.zeros(scan.hu.shape, np.uint16)
    hits = sum(
        _paint(index, scan, frame, *place, str(data.get("SegmentationType", "BINARY"))) for frame, place in zip(frames, placed, strict=True)
    )
    used = set(np.flatnonzero(np.bincount(index.reshape(-1)))) - {0}
    return Labels(index, {int(i): names.get(int(i), f"segment_{i}") for i in used}, hits / max(1, len(frames)), f"labels {path.name}")


def _place(data: Any, i: int) -> tuple[NDArray[Any], int]:
    """The affine of frame i, (0, row, column, 1) to LPS mm, and its segment (0 in a LABELMAP)."""

    def group(name: str) -> Any:
        own = data.PerFrameFunctionalGroupsSequence[i]
        return getattr(own if name in own else data.SharedFunctionalGroupsSequence[0], name)[0]

    across, down = np.split(np.array(group("PlaneOrientationSequence").ImageOrientationPatient, float), 2)
    rows, columns = map(float, group("PixelMeasuresSequence").PixelSpacing)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = np.cross(across, down), down * rows, across * columns
    affine[:3, 3] = [float(v) for v in group("PlanePositionSequence").ImagePositionPatient]
    labelmap = data.get("SegmentationType") == "LABELMAP"
    return affine, 0 if labelmap else int(group("SegmentIdentificationSequence").ReferencedSegmentNumber)


def _paint(index: NDArray[Any], scan: Scan, frame: NDArray[Any], affine: NDArray[Any], segment: int, kind: str) -> bool:
    """Paint one frame into the slice it lies on; false when it lies on none."""
    corner = scan.to_index(affine[:3, 3][None])[0]
    k = int(np.rint(corner[0]))
    if not 0 <= k < len(index) or abs(corner[0] - k) > 0.25:
        return False
    rows, columns = np.meshgrid(np.arange(index.shape[1]), np.arange(index.shape[2]), indexing="ij")
    lps = scan.to_lps(np.stack([np.full(rows.size, k), rows.ravel(), columns.ravel()], -1))
    at = np.rint((lps - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3]).T).astype(int)[:, 1:].reshape(*rows.shape, 2)
    ok = ((at >= 0) & (at < frame.shape)).all(-1)
    seen = np.zeros(rows.shape, np.uint16)
    value = frame[at[ok][:, 0], at[ok][:, 1]]
    seen[ok] = value if kind == "LABELMAP" else (value > (127 if kind == "FRACTIONAL" else 0)) * segment
    index[k][seen > 0] = seen[seen > 0]
    return True


def _check_fit(labels: Labels, scan: Scan, path: Path) -> None:
    """Do labels named bone lie on bone, and lung on air? A map of another scan, or a shifted one, does not."""
    step = (slice(None), slice(None, None, 2), slice(None, None, 2))
    index, hu = labels.index[step], scan.hu[step]
    for role, sign, limit in (("bone", 1, FIT_BONE_HU), ("lung", -1, FIT_LUNG_HU)):
        here = hu[np.isin(index, labels.of_role(role))]
        if len(here) >= FIT_VOXELS and sign * (float(np.median(here)) - limit) < 0:
            found = f"labels named {role} on voxels of {float(np.median(here)):.0f} HU (half of them below)"
            raise refuse(
                path.name, found, "labels that lie on what they name", "the label map is of another scan, or its header places it wrongly"
            )
