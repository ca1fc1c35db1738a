"""NIfTI in and out. NIfTI keeps RAS millimetres and [column, row, slice]; this room keeps LPS and [slice, row, column]."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resorb.ct.grid import MOST_EXTENT_MM, MOST_SLICES, PIXEL_RANGE_MM, SLICE_RANGE_MM
from resorb.ct.refused import ScanRefused, refuse

MOST_VOXELS = 2**31
RAS_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
SHEAR_COSINE = 5e-3


def is_nifti(name: str) -> bool:
    """By name: .nii or .nii.gz."""
    return name.lower().endswith((".nii", ".nii.gz"))


def open_nifti(path: Path) -> tuple[Any, tuple[int, ...], NDArray[Any]]:
    """The image, its first three sizes and its affine in LPS. Refuses damage, lying headers, NaN or sheared affines."""
    import nibabel

    _check_size(path)
    try:
        image: Any = nibabel.load(path)
        shape, affine = tuple(map(int, image.shape)), np.asarray(image.affine, np.float64)
    except Exception as error:  # noqa: BLE001  nibabel meets damaged headers with many kinds of error
        raise refuse(path.name, f"no readable NIfTI ({type(error).__name__}: {str(error)[:150]})", "a NIfTI-1 or -2 file") from None
    if len(shape) < 3 or any(n != 1 for n in shape[3:]):
        raise refuse(path.name, f"{len(shape)} dimensions {shape}", "one volume (several phases must be split)")
    return image, shape[:3], _checked_affine(path, affine, shape)


def _check_size(path: Path) -> None:
    """Does the header promise more voxels than the file can hold?"""
    try:
        with path.open("rb") as file:
            raw = file.read(1 << 16)
        head = zlib.decompressobj(47).decompress(raw, 1024) if path.name.lower().endswith(".gz") else raw
        order = "<" if struct.unpack_from("<i", head)[0] in (348, 540) else ">"
        if struct.unpack_from(order + "i", head)[0] != 348:
            return
        dims = struct.unpack_from(order + "8h", head, 40)
        bits = struct.unpack_from(order + "h", head, 72)[0]
    except (OSError, struct.error, zlib.error):
        raise refuse(path.name, "no NIfTI header, or one that is cut short", "a NIfTI-1 or -2 file") from None
    voxels = int(np.prod([max(1, d) for d in dims[1 : 1 + max(0, min(7, dims[0]))]], dtype=object))
    most = path.stat().st_size * (1100 if path.name.lower().endswith(".gz") else 1)
    if voxels > MOST_VOXELS or voxels * max(8, bits) // 8 > most:
        raise refuse(path.name, f"a header that promises {voxels:,} voxels in a file of {path.stat().st_size:,} bytes", "an honest header")


def _checked_affine(path: Path, affine: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    if affine.shape != (4, 4) or not np.isfinite(affine[:3]).all():
        raise refuse(path.name, "an affine with NaN or infinity", "12 finite numbers", "write the file again from its DICOM")
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if lengths.min() < PIXEL_RANGE_MM[0] or lengths.max() > SLICE_RANGE_MM[1] or np.abs(affine[:3, 3]).max() > 1e5:
        raise refuse(path.name, f"voxels of {np.round(lengths, 4).tolist()} mm", f"{PIXEL_RANGE_MM[0]} to {SLICE_RANGE_MM[1]} mm")
    if max(shape[:3]) > MOST_SLICES or (lengths * shape[:3]).max() > MOST_EXTENT_MM:
        raise refuse(path.name, f"{shape[:3]} voxels of {np.round(lengths, 4).tolist()} mm", "a volume of at most 3 m")
    cosines = affine[:3, :3] / lengths
    if np.abs(cosines.T @ cosines - np.eye(3)).max() > SHEAR_COSINE:
        raise refuse(path.name, "a sheared affine (gantry tilt?)", "axes at right angles", "resample it to a straight grid")
    lps = RAS_LPS @ affine
    lps[3] = [0, 0, 0, 1]
    return np.asarray(lps)


def slice_axis_first(affine: NDArray[Any]) -> tuple[int, int, int]:
    """The permutation that puts the axis nearest the patient's long axis first, then rows (back), then columns (left)."""
    size = np.abs(affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0))
    first = int(np.argmax(size[2]))
    rest = [axis for axis in (0, 1, 2) if axis != first]
    row = max(rest, key=lambda axis: size[1, axis])
    return first, row, next(axis for axis in rest if axis != row)


def read_nifti(path: Path) -> tuple[NDArray[Any], NDArray[Any], list[str]]:
    """HU [slice, row, column] and the LPS affine. Refuses what cannot be HU."""
    image, shape, affine = open_nifti(path)
    if min(shape) < 2:
        raise refuse(path.name, f"{shape} voxels", "at least 2 along each axis: one slice has no measured spacing")
    stored = _voxels(image, path).reshape(shape)
    order = slice_axis_first(affine)
    hu, said = _as_hu(stored.transpose(order), image, path)
    return hu, affine[:, [*order, 3]], said


def _voxels(image: Any, path: Path) -> NDArray[Any]:
    try:
        return np.asarray(image.dataobj.get_unscaled())
    except Exception as error:  # noqa: BLE001  truncated or damaged compressed streams, short files
        raise refuse(
            path.name, f"voxels that cannot be read ({type(error).__name__}: {str(error)[:150]})", "a whole file", "copy it again"
        ) from None


def _as_hu(stored: NDArray[Any], image: Any, path: Path) -> tuple[NDArray[Any], list[str]]:
    slope, intercept = (1.0, 0.0) if image.dataobj.slope is None else (float(image.dataobj.slope), float(image.dataobj.inter))
    if stored.dtype.kind not in "iuf" or stored.dtype.itemsize > 8:
        raise refuse(path.name, f"voxels of type {stored.dtype}", "numbers")
    lo, hi = float(stored.min()) * slope + intercept, float(stored.max()) * slope + intercept
    if not (np.isfinite(lo) and np.isfinite(hi)):
        raise refuse(path.name, "voxels that are NaN or infinite", "HU everywhere", "fill the outside with -1024")
    lo, hi = min(lo, hi), max(lo, hi)
    if lo < -32768 or hi > 65535 or hi <= 10 or (lo >= 0 and hi <= 255):
        raise refuse(path.name, f"values from {lo:g} to {hi:g}", "HU (air -1000, water 0)", "write the NIfTI with its HU")
    said = [] if lo <= -150 else [f"the lowest value is {lo:g}: without air or fat nobody can check that values are HU"]
    whole = stored.dtype.kind in "iu" and slope.is_integer() and intercept.is_integer() and lo >= -32768 and hi <= 32767
    hu = np.empty(stored.shape, np.int16 if whole else np.float32)
    for at in range(len(hu)):
        hu[at] = stored[at] if slope == 1 and intercept == 0 else stored[at] * slope + intercept
    return hu, said


def write_labels(path: Path, labels: NDArray[Any], affine: NDArray[Any]) -> None:
    """A label map [slice, row, column] as NIfTI that overlays the scan; written whole or not at all."""
    import nibabel

    made: Any = nibabel.Nifti1Image
    ras = RAS_LPS @ affine[:, [2, 1, 0, 3]]
    image = made(labels.transpose(2, 1, 0), ras)
    image.header.set_xyzt_units("mm")
    image.set_sform(ras, 1)
    image.set_qform(ras, 1)
    partial = path.with_name(f".partial-{path.name}")
    try:
        nibabel.save(image, partial)
        partial.replace(path)
    except (OSError, ScanRefused):
        partial.unlink(missing_ok=True)
        raise
