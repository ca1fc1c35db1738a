"""`results`: a measurement (or two and their change) becomes the DICOM objects that go back to the PACS."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from resorb.ct.findings import Findings
from resorb.ct.scan import Scan
from resorb.pacs.failed import need_libraries, quiet
from resorb.pacs.identity import Identity
from resorb.pacs.naming import Names, names_of
from resorb.pacs.sources import Sources, sources_of
from resorb.pacs.tracking import Track, carried, content_seed, voxel_key
from resorb.terms.change import Change
from resorb.terms.measurement import Measurement


@dataclass(frozen=True)
class Measured:
    """One measured scan with what results refer to: its sources' headers, and the names of its deposits."""

    scan: Scan
    findings: Findings
    measurement: Measurement
    sources: Sources
    names: Names

    @classmethod
    def of(cls, path: str | Path, scan: Scan, findings: Findings, measurement: Measurement) -> Measured:
        """With the headers read again from `path`. Deposits keep the names they have in results of ours there. Refused for NIfTI."""
        return cls.with_sources(sources_of(path, scan), scan, findings, measurement)

    @classmethod
    def with_sources(cls, sources: Sources, scan: Scan, findings: Findings, measurement: Measurement) -> Measured:
        """The same where the headers were read before."""
        with quiet():
            return cls(scan, findings, measurement, sources, names_of(scan, findings.candidates, sources))

    @property
    def tracks(self) -> tuple[Track, ...]:
        """What each deposit is called."""
        return self.names.each

    @property
    def seed(self) -> str:
        """A hash over everything said of this scan; the UIDs of its results follow from it."""
        said = self.measurement.to_dict() | {"other_series": []}
        said["scan"]["source"], said["versions"]["seal"] = "", ""  # where it lies, and beside what, is no part of what it says
        voxels = [voxel_key(self.scan, candidate) for candidate in self.findings.candidates]
        slices = [str(header.SOPInstanceUID) for header in self.sources.headers]
        return content_seed(said, slices, [(t.uid, t.name) for t in (*self.tracks, self.names.whole)], voxels)


def results(measured: Measured, baseline: Measured | None = None, change: Change | None = None) -> tuple[Any, ...]:
    """The objects for one scan, ready to be written or sent: a SEG (where there is a deposit), an SR and pictures.

    With `baseline` and its `change`: the follow-up's deposits keep the names they had at baseline, its report holds both time points and
    the verdicts, and the baseline's own objects come first. Same input, same bytes: nothing in them depends on the day they are made.
    """
    need_libraries()
    with quiet():
        if baseline is None or change is None:
            return _one(measured, Identity.of(measured.sources, measured.seed))
        own = names_of(measured.scan, measured.findings.candidates).each
        names = Names(carried(baseline.tracks, measured.tracks, own, change), baseline.names.whole)
        later = replace(measured, names=names)
        first = _one(baseline, Identity.of(baseline.sources, baseline.seed))
        seed = content_seed(later.seed, baseline.seed, change.to_dict())
        return (*first, *_one(later, Identity.of(later.sources, seed), (baseline, first, change)))


def _one(measured: Measured, identity: Identity, since: tuple[Measured, tuple[Any, ...], Change] | None = None) -> tuple[Any, ...]:
    from resorb.pacs.captures import captures
    from resorb.pacs.segmentation import segmentation
    from resorb.pacs.structured import report

    seg = segmentation(measured, identity) if measured.findings.candidates else None
    made = [seg] if seg is not None else []
    made.append(report(measured, identity, seg, since))
    made += captures(measured, identity, since[2] if since else None)
    for instance in made:
        identity.sign(instance)
    return tuple(made)
