"""The work of a `measure` job: a scan on the shelf in, its measurement, pages and pictures out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..report import to_html, to_json

Tell = Callable[[float, str], None]


def measure_into(part: Path, folder: Path, settings: dict[str, Any], tell: Tell) -> None:
    """Read, find, measure, draw; everything goes below `part`."""
    tell(0.02, "loading the imaging libraries")
    from ..ct.finding import find
    from ..ct.measuring import labels_of, measure
    from ..ct.reading import read

    stated = stated_of(settings)
    tell(0.08, "reading the scan")
    scan = read(scan_path(folder), series=settings.get("series"))
    labels = next(iter(sorted((folder / "labels").glob("*"))), None)
    tell(0.3, "looking for deposits")
    findings = find(scan, labels_of(labels, scan, stated), contrast=stated.contrast)
    tell(0.6, f"measuring {len(findings.candidates)} deposits")
    measured = measure(scan, settings=stated, findings=findings)
    tell(0.75, "writing")
    (part / "measurement.json").write_text(to_json(measured) + "\n", "utf-8")
    _draw(part, scan, findings, measured)
    tell(0.9, "making the preview")
    from ..ct.viewing import keep_view

    keep_view(part, scan, findings)


def stated_of(settings: dict[str, Any]) -> Any:
    """What was stated beside the upload, as the scanner room takes it."""
    from ..ct.measuring import Settings

    stated: Any = {name: tuple(value) if name == "box" else value for name, value in settings.items() if name != "series"}
    return Settings(**stated)


def _draw(part: Path, scan: Any, findings: Any, measured: Any) -> None:
    from ..ct.pictures import pictures
    from ..ct.saving import save_labels

    (part / "report.html").write_text(to_html(measured, pictures(scan, findings, measured)), "utf-8")
    save_labels(part / "labels.nii.gz", scan, findings)


def scan_path(folder: Path) -> Path:
    """The upload of a scan: its one file, or the folder of them."""
    files = list((folder / "upload").iterdir())
    return files[0] if len(files) == 1 else folder / "upload"
