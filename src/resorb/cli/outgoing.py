"""DICOM results of a comparison: scans come from folders or a PACS, results go into a folder or back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from resorb.ct.scan import Scan
    from resorb.pacs.sources import Sources
    from resorb.terms.change import Change


@dataclass
class Outgoing:
    """Where results go (none: nowhere), and the headers of the scans that were read, in turn."""

    folder: Path | None = None
    send: str | None = None
    sources: list[Sources] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Refuse a target that could never be sent to, before long work."""
        if self.send is not None:
            from resorb.pacs.delivering import ready

            ready(self.send)

    @property
    def wanted(self) -> bool:
        """Whether anything is to be written or sent."""
        return self.folder is not None or self.send is not None

    def read(self, place: str, study: str | None, series: str | None) -> Scan:
        """A scan from a path or a DICOMweb address. Its headers are kept where results will refer to them."""
        from resorb.ct.reading import read
        from resorb.pacs import borrowed

        with borrowed(place, study, series, results=self.wanted) as path:
            scan = read(path, series=series)
            if self.wanted:
                from resorb.pacs.sources import sources_of

                self.sources.append(sources_of(path, scan))
            return scan

    def deliver(self, scans: list[Scan], labels: list[Path | None], settings: Any, changes: list[Change]) -> None:
        """The objects of the baseline and of each follow-up, under the names the deposits had at baseline; says so on stderr."""
        if not self.wanted:
            return
        from resorb.pacs import deliver, results

        first, *later = [self._measured(n, scan, labels[n], settings) for n, scan in enumerate(scans)]
        objects: dict[str, Any] = {}
        for one, change in zip(later, changes, strict=True):
            objects |= {str(made.SOPInstanceUID): made for made in results(one, first, change)}
        typer.echo(f"resorb compare: {deliver(list(objects.values()), folder=self.folder, send=self.send)}", err=True)

    def _measured(self, number: int, scan: Scan, labels: Path | None, settings: Any) -> Any:
        from resorb.ct.finding import find
        from resorb.ct.measuring import labels_of, measure
        from resorb.pacs import Measured

        findings = find(scan, labels_of(labels, scan, settings), contrast=settings.contrast)
        measured = measure(scan, settings=settings, findings=findings)
        return Measured.with_sources(self.sources[number], scan, findings, measured)
