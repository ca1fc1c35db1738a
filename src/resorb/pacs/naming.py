"""Names that deposits have already: read from our own SEG and reports that lie beside a scan, so that a name lasts over many scans.

A deposit is known again by its voxels: the SEG is of the very series. A name that came from an earlier scan goes before the one that
the deposit would have of its own; of two such, the older one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from resorb.ct.findings import Candidate
from resorb.ct.scan import Scan
from resorb.pacs.sources import Sources
from resorb.pacs.tracking import Track, dated, track_of, uid_of

ALL = "all deposits"
SHARED = 0.5


@dataclass(frozen=True)
class Names:
    """each : of every deposit, in order. whole : what all of them together are called."""

    each: tuple[Track, ...]
    whole: Track


def names_of(scan: Scan, candidates: Sequence[Candidate], sources: Sources | None = None) -> Names:
    """What the deposits of a scan are called: as in results that lie beside it, else by a name that follows from scan and voxels."""
    own = [track_of(scan, c.flat) for c in candidates]
    whole = Track(uid_of("total", scan.unique_id, scan.identity), dated(ALL, scan))
    if sources is None or not sources.beside:
        return Names(tuple(own), whole)
    found = [known for data in sources.beside if data.Modality == "SEG" for known in _told(_segments(data, scan, sources))]
    oldest = sorted(found, key=lambda known: (known[1].uid == known[2].uid, known[1].day, known[1].uid))
    for number, track in _matched([c.flat for c in candidates], oldest):
        own[number] = track
    totals = {track for data in sources.beside if data.Modality == "SR" for track in _told(_totals(data, scan)) if track.uid != whole.uid}
    return Names(tuple(own), min(totals, key=lambda track: (track.day, track.uid), default=whole))


Known = tuple[NDArray[Any], Track, Track]
Told = TypeVar("Told")


def _told(names: Iterator[Told]) -> list[Told]:
    """All names of one result; none of one that is damaged, which keeps nothing from being measured."""
    try:
        return list(names)
    except Exception:  # noqa: BLE001  what is lost in a result, pydicom meets with many kinds of error
        return []


def _segments(data: Any, scan: Scan, sources: Sources) -> Iterator[Known]:
    """Each segment of a SEG of this series: its voxels on the scan, its name, and the name those voxels would have of their own."""
    places = sources.places
    rows, columns = scan.hu.shape[1:]
    if (data.Rows, data.Columns) != (rows, columns) or not _of_series(data.get("ReferencedSeriesSequence"), scan):
        return
    voxels: dict[int, list[NDArray[Any]]] = {}
    for frame, about in zip(np.asarray(data.pixel_array).reshape(-1, rows, columns), data.PerFrameFunctionalGroupsSequence, strict=True):
        source = about.DerivationImageSequence[0].SourceImageSequence[0]
        at = places.get((str(source.ReferencedSOPInstanceUID), int(source.get("ReferencedFrameNumber", 0) or 0)))
        if at is not None:
            number = int(about.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
            voxels.setdefault(number, []).append(np.flatnonzero(frame) + at * rows * columns)
    for segment in data.SegmentSequence:
        if segment.get("TrackingUID") and int(segment.SegmentNumber) in voxels:
            flat = np.sort(np.concatenate(voxels[int(segment.SegmentNumber)]))
            yield flat, Track(str(segment.TrackingUID), str(segment.get("TrackingID", ""))), track_of(scan, flat)


def _of_series(referenced: Any, scan: Scan) -> bool:
    return any(str(series.get("SeriesInstanceUID", "")) == scan.unique_id for series in referenced or ())


def _matched(voxels: list[NDArray[Any]], known: list[Known]) -> Iterator[tuple[int, Track]]:
    """Each deposit with the first name whose voxels are its own, at least by half; no deposit and no name twice."""
    left = dict(enumerate(voxels))
    given: set[str] = set()
    for flat, track, _ in known:
        shared = {n: len(np.intersect1d(flat, own, assume_unique=True)) for n, own in left.items()} if track.uid not in given else {}
        best = max(shared, key=lambda n: shared[n], default=None)
        if best is not None and shared[best] > SHARED * min(len(flat), len(left[best])):
            given.add(track.uid)
            del left[best]
            yield best, track


def _totals(data: Any, scan: Scan) -> Iterator[Track]:
    """What a report on this series calls all deposits together."""
    if any(
        _of_series(study.get("ReferencedSeriesSequence"), scan) for study in data.get("CurrentRequestedProcedureEvidenceSequence") or ()
    ):
        for group in _below(data):
            uids = [str(item.UID) for item in group.ContentSequence if item.ValueType == "UIDREF"]
            said = [str(item.TextValue) for item in group.ContentSequence if item.ValueType == "TEXT"]
            yield from (Track(uid, name) for uid, name in zip(uids[:1], (s for s in said if s.startswith(ALL)), strict=False))


def _below(item: Any) -> Iterator[Any]:
    """Every container of a report that holds something."""
    if item.get("ValueType") == "CONTAINER" and item.get("ContentSequence"):
        yield item
        for child in item.ContentSequence:
            yield from _below(child)
