"""Which files belong together, and which series is the one to measure.

The rule, in this order: CT slices only (no scout, no secondary capture, no bolus monitoring); one that forms a volume before one
that does not; without contrast; a kernel that is not sharp; most slices; thinnest; smallest series number. Every other series is listed.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass

from resorb.ct.acquisition import contrast_in_header, is_sharp
from resorb.ct.header import CT_CLASSES, Header
from resorb.ct.refused import ScanRefused, refuse
from resorb.ct.scan import Acquisition
from resorb.terms.errors import Problem

FEWEST_FOR_VOLUME = 3


@dataclass(frozen=True)
class Series:
    """The image files of one series; `dropped` says which of its files are no slices."""

    uid: str
    headers: tuple[Header, ...]
    dropped: tuple[str, ...] = ()

    @property
    def first(self) -> Header:
        """Any header; what is series-wide is the same in all."""
        return self.headers[0]

    @property
    def frames(self) -> int:
        """Number of slices."""
        return sum(max(1, header.whole("NumberOfFrames", 1)) for header in self.headers)

    @property
    def says(self) -> str:
        """One line for people."""
        first = self.first.text
        name = first.get("SeriesDescription", "") or "no description"
        who = f"{self.uid or 'no series UID'}: {name}"
        return f"{who}, {first.get('Modality', '?')}, {self.frames} images, kernel {first.get('ConvolutionKernel', '?') or '?'}"

    @property
    def problems(self) -> list[Problem]:
        """Why this series cannot be CT slices in HU."""
        first, found = self.first, []
        where = f"series {self.uid or first.name}"
        if not first.is_ct:
            said = first.text.get("Modality") or first.text.get("SOPClassUID") or "no modality"
            found.append(Problem(where, f"found modality {said}; expected CT ({', '.join(CT_CLASSES.values())})"))
        if first.whole("SamplesPerPixel", 1) != 1:
            found.append(Problem(where, "found colour pictures (a report or screen copy); expected slices in grey"))
        kind = first.text.get("RescaleType", "")
        if first.is_ct and kind not in ("", "HU", "US"):
            found.append(Problem(where, f"found values in {kind}; expected HU"))
        return found


def gather(headers: list[Header]) -> list[Series]:
    """Files grouped by series; scouts are dropped from a series that also has slices."""
    groups: dict[str, list[Header]] = defaultdict(list)
    for header in headers:
        groups[header.text.get("SeriesInstanceUID", "")].append(header)
    return [_without_scouts(uid, group) for uid, group in sorted(groups.items())]


def _without_scouts(uid: str, group: list[Header]) -> Series:
    slices = [header for header in group if not header.is_localizer]
    if not slices or len(slices) == len(group):
        return Series(uid, tuple(group))
    return Series(uid, tuple(slices), tuple(f"{h.name}: a scout view" for h in group if h.is_localizer))


def choose(found: list[Series], wanted: str | None) -> tuple[Series, tuple[str, ...]]:
    """The series to measure and a line on each of the others. Refuses when there is none."""
    if wanted is not None:
        picked = [s for s in found if wanted in (s.uid, s.first.text.get("SeriesDescription"), s.first.text.get("SeriesNumber"))]
        if len(picked) != 1:
            listing = "\n".join(s.says for s in found)
            raise refuse(f"series {wanted!r}", f"{len(picked)} that match", "one of those listed", f"one of these series UIDs:\n{listing}")
        chosen = picked[0]
    else:
        chosen = min(found, key=_preference)
    problems = chosen.problems
    if chosen.first.is_localizer:
        problems.append(Problem(f"series {chosen.uid}", "found only scout views (localizer); expected slices"))
    if problems:
        raise ScanRefused([*problems, *shape_problems(chosen)])
    return chosen, tuple(s.says for s in found if s is not chosen)


def shape_problems(series: Series) -> list[Problem]:
    """What else is wrong with a refused series, so that one message says everything."""
    from resorb.ct.grid import geometry_problems

    return geometry_problems(series.headers)


def _preference(series: Series) -> tuple[object, ...]:
    first = series.first
    acquisition = acquisition_of(series)
    unfit = bool(series.problems) or first.is_localizer
    return (
        unfit,
        series.frames < FEWEST_FOR_VOLUME,
        "SECONDARY" in first.text.get("ImageType", "").upper() and "PRIMARY" not in first.text.get("ImageType", "").upper(),
        bool(contrast_in_header(acquisition)),
        is_sharp(acquisition.kernel),
        -series.frames,
        acquisition.thickness_mm or 99.0,
        series.uid,
    )


def acquisition_of(series: Series) -> Acquisition:
    """How the scan was made. The patient is kept only as a hash, to tell whether two scans are of one person."""
    first = series.first
    text = first.text
    person = f"{text.get('PatientID', '')}|{text.get('PatientBirthDate', '')}"
    agent = text.get("ContrastBolusAgent", "") or ("coded agent" if first.coded_contrast else "")
    return Acquisition(
        kvp=first.number("KVP"),
        kernel=text.get("ConvolutionKernel") or None,
        thickness_mm=first.number("SliceThickness"),
        manufacturer=text.get("Manufacturer") or None,
        contrast_agent=agent or None,
        description=text.get("SeriesDescription", ""),
        modality=text.get("Modality", "CT"),
        patient_key=hashlib.sha256(person.encode()).hexdigest()[:16] if text.get("PatientID") else None,
        acquired=text.get("AcquisitionDate") or text.get("StudyDate") or text.get("ContentDate") or None,
        mass_factor=first.number("CalciumScoringMassFactorPatient"),
        device=_device(text.get("Manufacturer", ""), text.get("DeviceSerialNumber", "")),
    )


def _device(maker: str, serial: str) -> str | None:
    """Which scanner it was, as a hash: to tell only whether two scans were made on one."""
    return hashlib.sha256(f"{maker}|{serial}".encode()).hexdigest()[:16] if serial.strip() else None
