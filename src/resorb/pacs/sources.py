"""The headers behind a scan, without pixels: what results refer to, and whose study they join."""

from __future__ import annotations

import io
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from resorb.ct.entries import Entry, entries
from resorb.ct.nifti import is_nifti
from resorb.ct.refused import refuse
from resorb.ct.scan import Scan
from resorb.pacs.failed import quiet

MAKER = "resorb"
OFF_MM = 0.02
EMPTY = ("AccessionNumber", "PatientBirthDate", "PatientID", "PatientName", "PatientSex", "ReferringPhysicianName", "StudyDate", "StudyID",
         "StudyTime")  # fmt: skip
_DATES = {"StudyDate": r"\d{8}", "PatientBirthDate": r"\d{8}", "SeriesDate": r"\d{8}", "AcquisitionDate": r"\d{8}", "ContentDate": r"\d{8}"}
RESULTS = ("SEG", "SR")
_TIMES = {"StudyTime": r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?"}


@dataclass(frozen=True)
class Sources:
    """headers : one for each slice of the scan, in its order; or the one of a multi-frame file.
    frames : of a multi-frame file, the frame (from 0) that each slice came from; empty otherwise.
    beside : our own SEG and reports on the same study that lie with it; `naming` reads the deposits' names in them.
    """

    headers: tuple[Any, ...]
    frames: tuple[int, ...] = ()
    beside: tuple[Any, ...] = ()

    @property
    def first(self) -> Any:
        """Any header; what names study, patient and frame of reference is the same in all."""
        return self.headers[0]

    @property
    def places(self) -> dict[tuple[str, int], int]:
        """The slice that each image is, by its UID and frame number (from 1; 0 where there are no frames)."""
        if self.frames:
            return {(str(self.first.SOPInstanceUID), frame + 1): k for k, frame in enumerate(self.frames)}
        return {(str(header.SOPInstanceUID), 0): k for k, header in enumerate(self.headers)}


def sources_of(path: str | Path, scan: Scan) -> Sources:
    """The headers of the slices of `scan`, read again from where it was read.

    Refused: NIfTI (it names no study), a series without a UID, a study or a frame of reference, which no result could refer to.
    """
    where = Path(path)
    found = entries(where)
    if not scan.unique_id:
        kind = "NIfTI" if any(is_nifti(entry.name) for entry in found) else "a series without a UID"
        raise refuse(where, kind, "DICOM: results join the study of their source", "the DICOM series this volume was made from")
    with quiet():
        opened = [(entry, data) for entry in found if (data := _opened(entry)) is not None]
        headers = [data for _, data in opened if _is_slice(data, scan.unique_id)]
        for header in headers:
            _check(header, where)
            _tidy(header)
        studies = {header.StudyInstanceUID for header in headers}
        ours = [entry for entry, data in opened if _is_ours(data) and data.get("StudyInstanceUID") in studies]
        return replace(_placed(headers, scan, where), beside=tuple(made for entry in ours if (made := _whole(entry)) is not None))


def _opened(entry: Entry) -> Any | None:
    """The data set of one file without its pixels; none for what is no DICOM."""
    import pydicom

    try:
        return pydicom.dcmread(io.BytesIO(entry.fetch()), stop_before_pixels=True)
    except Exception:  # noqa: BLE001  stray files beside the series; pydicom meets them with many kinds of error
        return None


def _is_ours(data: Any) -> bool:
    return data.get("Modality") in RESULTS and data.get("Manufacturer") == MAKER


def _whole(entry: Entry) -> Any | None:
    """A result of ours with its voxels, read now: its file may be gone later. None where it is damaged."""
    import pydicom

    with suppress(Exception):
        data = pydicom.dcmread(io.BytesIO(entry.fetch()))
        if data.Modality != "SEG" or data.pixel_array is not None:
            return data
    return None


def _is_slice(data: Any, series: str) -> bool:
    return data.get("SeriesInstanceUID") == series and "LOCALIZER" not in list(data.get("ImageType") or [])


def _check(header: Any, where: Path) -> None:
    wanted = ("SOPInstanceUID", "SOPClassUID", "StudyInstanceUID", "FrameOfReferenceUID")
    missing = [name for name in wanted if not header.get(name)]
    if missing:
        raise refuse(where, f"slices without {', '.join(missing)}", "all of them: results refer to them", "the series as the PACS holds it")


def _tidy(header: Any) -> None:
    """In our copy of the header: empty what is absent, or what no writer accepts (a date that is none), and have its texts in UTF-8."""
    for name in EMPTY:
        if name not in header:
            setattr(header, name, "")
    for name, form in {**_DATES, **_TIMES}.items():
        if not re.fullmatch(form, str(header.get(name) or "").strip()):
            setattr(header, name, "")
    if str(header.PatientSex or "") not in ("M", "F", "O"):
        header.PatientSex = ""
    header.decode()
    header.SpecificCharacterSet = "ISO_IR 192"


def _placed(headers: list[Any], scan: Scan, where: Path) -> Sources:
    """Each slice with its header, by position. Copies of a slice are left out; a slice without a header is refused."""
    if len(headers) == 1 and int(headers[0].get("NumberOfFrames", 1) or 1) > 1:
        corners = [_frame_corner(headers[0], i) for i in range(int(headers[0].NumberOfFrames))]
    else:
        corners = [np.array(h.ImagePositionPatient, float) for h in headers]
    first = scan.to_lps([[k, 0, 0] for k in range(len(scan.hu))])
    chosen = []
    for k, corner in enumerate(first):
        distance = [float(np.linalg.norm(c - corner)) for c in corners]
        if not distance or min(distance) > max(OFF_MM, 0.1 * float(np.nan_to_num(scan.spacing[0], nan=1.0))):
            raise refuse(where, f"no header for slice {k + 1}", "the files the scan was read from", "leave them as they are")
        chosen.append(int(np.argmin(distance)))
    if len(headers) == 1 and len(corners) > 1:
        return Sources((headers[0],), tuple(chosen))
    return Sources(tuple(headers[i] for i in chosen))


def _frame_corner(header: Any, i: int) -> Any:
    own = header.PerFrameFunctionalGroupsSequence[i]
    group = own if "PlanePositionSequence" in own else header.SharedFunctionalGroupsSequence[0]
    return np.array(group.PlanePositionSequence[0].ImagePositionPatient, float)
