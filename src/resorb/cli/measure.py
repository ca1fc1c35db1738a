"""`resorb measure`: one CT in, every deposit out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resorb.cli.fhir_out import HELP, give
from resorb.terms.errors import ResorbError
from resorb.verbs import writable

if TYPE_CHECKING:
    from resorb.ct.findings import Findings
    from resorb.ct.scan import Scan
    from resorb.terms.measurement import Measurement

NO_LIBRARIES = "resorb measure needs the imaging libraries; found them missing. Try: pip install 'resorb[image]'"


def measure(  # noqa: PLR0917  (typer reads one parameter for each option)
    scan: Annotated[str, typer.Argument(help="A folder of DICOM files, a zip, an enhanced DICOM file, NIfTI, or a DICOMweb address.")],
    labels: Annotated[Path | None, typer.Option(help="Where to look: NIfTI label map or DICOM SEG.")] = None,
    box: Annotated[str | None, typer.Option(help="Where to look: two corners x,y,z,x,y,z in LPS mm.")] = None,
    segment: Annotated[bool, typer.Option("--segment", help="Make labels with an installed TotalSegmentator.")] = False,
    series: Annotated[str | None, typer.Option(help="Series UID or description, where the rule picks another.")] = None,
    study: Annotated[str | None, typer.Option(help="Study UID, with a DICOMweb address.")] = None,
    convention: Annotated[
        str, typer.Option(help="Agatston convention: agatston_1990, ge, terarecon, siemens, philips, canon.")
    ] = "agatston_1990",
    calibration: Annotated[float | None, typer.Option(help="Your own factor, mg/cm3 for each HU.")] = None,
    kvp: Annotated[float | None, typer.Option(help="Tube voltage, where the header has none.")] = None,
    contrast: Annotated[str | None, typer.Option(help="none or given, where you know it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write a page with pictures.")] = None,
    save_labels: Annotated[Path | None, typer.Option(help="Write the deposits as a NIfTI label map.")] = None,
    dicom_out: Annotated[Path | None, typer.Option(help="Write SEG, structured report and pictures as DICOM into this folder.")] = None,
    fhir: Annotated[str | None, typer.Option(help=HELP)] = None,
    send: Annotated[str | None, typer.Option(help="Send them to AET@host:port (C-STORE) or a DICOMweb address (STOW-RS).")] = None,
) -> None:
    """Measure every calcium deposit on a CT, each number with a 95 % interval or the reason why there is none.

    For research and education; not a medical device.
    """
    try:
        from resorb.ct.measuring import Settings
        from resorb.pacs.delivering import ready
        from resorb.pacs.fetching import borrowed
    except ImportError:
        typer.echo(NO_LIBRARIES, err=True)
        raise typer.Exit(1) from None
    try:
        if html is not None:
            writable(html)
        settings = Settings(convention, calibration, kvp, contrast, _corners(box))
        ready(send)
        with borrowed(scan, study, series, results=dicom_out is not None or send is not None) as path:
            seen, findings, measured = _measured(path, labels, segment, series, settings)
            _write(seen, findings, measured, html, save_labels)
            _deliver(path, (seen, findings, measured), dicom_out, send)
            if fhir is not None:
                give(measured, fhir)
    except ResorbError as error:
        typer.echo(f"resorb measure: {error}", err=True)
        raise typer.Exit(error.exit_code) from None
    except OSError as error:
        typer.echo(f"resorb measure: {error.filename or scan}: {error.strerror or error}", err=True)
        raise typer.Exit(1) from None
    if as_json or fhir != "-":
        typer.echo(_said(measured, as_json), nl=False)


def _corners(box: str | None) -> tuple[float, float, float, float, float, float] | None:
    from resorb.ct.refused import refuse

    if box is None:
        return None
    try:
        a, b, c, d, e, f = (float(part) for part in box.split(","))
    except ValueError:
        raise refuse("--box", repr(box), "six numbers x,y,z,x,y,z in LPS mm") from None
    return a, b, c, d, e, f


def _measured(path: Path, labels: Path | None, segment: bool, series: str | None, settings: object) -> tuple[Scan, Findings, Measurement]:
    """Read, find, measure."""
    from resorb.ct.finding import find
    from resorb.ct.measuring import Settings, labels_of, measure
    from resorb.ct.reading import read
    from resorb.ct.segmenter import segment_scan

    assert isinstance(settings, Settings)
    scan = read(path, series=series)
    where = labels_of(segment_scan(scan) if segment else labels, scan, settings)
    findings = find(scan, where, contrast=settings.contrast)
    if scan.single_slice:
        raise _no_depth(path, findings)
    return scan, findings, measure(scan, settings=settings, findings=findings)


def _no_depth(path: Path, findings: Findings) -> ResorbError:
    """One slice has no depth, so no volume, mass or score; what it shows is said."""
    from resorb.ct.refused import refuse

    many = len(findings.candidates)
    seen = f"{many} dense {'region' if many == 1 else 'regions'} on it" if many else "nothing dense on it"
    return refuse(
        path, f"a single slice, with {seen}", "a volume: without the distance between slices nothing can be measured", "the whole series"
    )


def _write(scan: Scan, findings: Findings, measured: Measurement, html: Path | None, save_labels: Path | None) -> None:
    if save_labels is not None:
        from resorb.ct import saving

        saving.save_labels(save_labels, scan, findings)
    if html is not None:
        import resorb
        from resorb.ct.pictures import pictures

        resorb.write(measured, html, pictures(scan, findings, measured))


def _deliver(path: Path, seen: tuple[Scan, Findings, Measurement], dicom_out: Path | None, send: str | None) -> None:
    """DICOM objects into a folder, to a peer, or both; says so on stderr."""
    if dicom_out is None and send is None:
        return
    from resorb.pacs import Measured, deliver, results

    typer.echo(f"resorb measure: {deliver(results(Measured.of(path, *seen)), folder=dicom_out, send=send)}", err=True)


def _said(measured: Measurement, as_json: bool) -> str:
    from resorb.report import to_json, to_text

    return to_json(measured) + "\n" if as_json else to_text(measured)
