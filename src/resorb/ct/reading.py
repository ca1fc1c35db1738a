"""`read`: a folder, a zip, a DICOM or a NIfTI file becomes one `Scan`, or is refused for stated reasons."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from resorb.ct.acquisition import remarks
from resorb.ct.enhanced import read_enhanced
from resorb.ct.entries import Entry, entries
from resorb.ct.grid import FEWEST, regular_grid
from resorb.ct.header import Header, read_header
from resorb.ct.nifti import is_nifti, read_nifti
from resorb.ct.pixels import fill
from resorb.ct.refused import refuse
from resorb.ct.scan import Acquisition, Scan
from resorb.ct.series import Series, acquisition_of, choose, gather


def read(path: str | Path, *, series: str | None = None) -> Scan:
    """Read one CT volume. [HU] on [slice, row, column], positions LPS [mm]

    path : a folder (mixed series, stray files and sub-folders are fine), a zip, one enhanced DICOM file, or NIfTI.
    series : series UID or description, where the rule (see `resorb.ct.series`) would pick another.

    Slices are ordered by position along their normal and rescaled one by one; the distance between them comes from
    positions. Raises `ScanRefused`, naming the files, for missing or doubled slices, mixed geometry, gantry tilt, values
    that are not HU, and damaged input. A single slice is read, but has no spacing.
    """
    where = Path(path)
    found = entries(where)
    niftis = [entry for entry in found if is_nifti(entry.name)]
    headers = [header for entry in found if not is_nifti(entry.name) and (header := read_header(entry)) is not None]
    if not headers and len(niftis) == 1:
        return _from_nifti(niftis[0])
    if not headers:
        files = "1 file" if len(found) == 1 else f"{len(found)} files"
        what = f"{len(niftis)} NIfTI files" if niftis else f"{files}, none of them a DICOM image or NIfTI"
        raise refuse(where, what, "one CT series or one NIfTI volume", "name the one file" if niftis else "check that it holds CT images")
    return _from_dicom(headers, series)


def _from_nifti(entry: Entry) -> Scan:
    if entry.path is not None:
        hu, affine, said = read_nifti(entry.path)
    else:
        with tempfile.TemporaryDirectory(prefix="resorb-") as folder:  # nibabel reads from a path; gone on leaving
            name = Path(folder) / Path(entry.name).name
            name.write_bytes(entry.fetch())
            hu, affine, said = read_nifti(name)
    said = [*said, "NIfTI keeps no tube voltage, kernel or contrast agent: these are unknown, not normal"]
    return _from_head_up(Scan(hu, affine, Acquisition(modality="unknown"), tuple(said), (), f"NIfTI {Path(entry.name).name}"))


def _from_head_up(scan: Scan) -> Scan:
    """The same scan with slices from feet to head, rows to the back and columns to the left, as DICOM axial slices lie."""
    hu, affine = scan.hu, scan.affine.copy()
    for axis, patient_axis in ((0, 2), (1, 1), (2, 0)):
        if affine[patient_axis, axis] < 0:
            affine[:3, 3] += affine[:3, axis] * (hu.shape[axis] - 1)
            affine[:3, axis] *= -1
            hu = np.flip(hu, axis)
    return replace(scan, hu=np.ascontiguousarray(hu), affine=affine)


def _from_dicom(headers: list[Header], wanted: str | None) -> Scan:
    chosen, others = choose(gather(headers), wanted)
    acquisition = acquisition_of(chosen)
    if any(header.is_multi_frame for header in chosen.headers):
        return _from_enhanced(chosen, others, acquisition)
    kept, said = _without_copies(chosen)
    grid = regular_grid(kept)
    ordered = [kept[i] for i in grid.order]
    hu = fill(ordered)
    said += list(chosen.dropped) + remarks(acquisition) + _range_remarks(hu)
    if grid.single:
        said.append("a single slice: the distance between slices is unknown, so no volume, mass or score can be given")
    source = f"DICOM series {chosen.uid or '(no UID)'}, {len(ordered)} files"
    return Scan(hu, grid.affine, acquisition, tuple(said), others, source, grid.single, chosen.uid)


def _from_enhanced(chosen: Series, others: tuple[str, ...], acquisition: Acquisition) -> Scan:
    if len(chosen.headers) > 1:
        a, b = chosen.headers[:2]
        raise refuse(f"{a.name} and {b.name}", "several multi-frame files in one series", "one", "name one file")
    hu, grid, said = read_enhanced(chosen.first)
    if len(hu) < FEWEST and len(hu) > 1:
        raise refuse(chosen.first.name, f"{len(hu)} frames", f"at least {FEWEST}")
    kvp, thick = said.get("KVP"), said.get("SliceThickness")
    acquisition = replace(
        acquisition,
        kernel=acquisition.kernel or said.get("ConvolutionKernel"),
        kvp=acquisition.kvp or (float(kvp) if kvp else None),
        thickness_mm=acquisition.thickness_mm or (float(thick) if thick else None),
        contrast_agent=acquisition.contrast_agent or said.get("ContrastBolusAgent"),
    )
    notes = tuple(remarks(acquisition) + _range_remarks(hu))
    return Scan(hu, grid.affine, acquisition, notes, others, f"enhanced DICOM {chosen.first.name}", grid.single, chosen.uid)


def _without_copies(series: Series) -> tuple[list[Header], list[str]]:
    """Files that are byte for byte the same image are kept once."""
    seen: dict[tuple[str, tuple[float, ...]], Header] = {}
    kept, said = [], []
    for header in series.headers:
        key = (header.text.get("SOPInstanceUID", ""), header.position)
        twin = seen.get(key) if key[0] else None
        if twin is not None and twin.entry.size == header.entry.size and twin.entry.fetch() == header.entry.fetch():
            said.append(f"{header.name}: the same image as {twin.name}, used once")
            continue
        seen.setdefault(key, header)
        kept.append(header)
    return kept, said


def _range_remarks(hu: np.ndarray) -> list[str]:
    """Refuses values that cannot be HU; says when the scale has no air to be checked by."""
    step = max(1, len(hu) // 16)
    sample = hu[::step, ::4, ::4]
    lo, hi = float(sample.min()), float(sample.max())
    if hi <= 10 or (lo >= 0 and hi <= 255):
        raise refuse("the pixel data", f"values from {lo:g} to {hi:g}", "HU (air -1000, water 0)")
    return [] if lo <= -150 else [f"the lowest value is {lo:g}: without air or fat nobody can check that values are HU"]
