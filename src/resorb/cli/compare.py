"""`resorb compare`: two or more scans of one person in, what became of every deposit out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from resorb.cli.fhir_out import HELP, give
from resorb.cli.outgoing import Outgoing
from resorb.terms.errors import ResorbError, UserError
from resorb.verbs import measurements_of, writable

if TYPE_CHECKING:
    from resorb.terms.change import Change
    from resorb.terms.measurement import Picture

NO_LIBRARIES = "resorb compare needs the imaging libraries; found them missing. Try: pip install 'resorb[image,register]'"
_NOTHING = ("cannot tell", "not covered")


def compare(  # noqa: PLR0917  (typer reads one parameter for each option)
    scans: Annotated[
        list[str],
        typer.Argument(metavar="BASELINE FOLLOWUP [MORE]...", help="Scans or DICOMweb addresses, earliest first; or measurements as JSON."),
    ],
    labels_baseline: Annotated[Path | None, typer.Option(help="Where to look in the baseline: NIfTI label map or DICOM SEG.")] = None,
    labels_followup: Annotated[Path | None, typer.Option(help="The same for the follow-up.")] = None,
    labels: Annotated[list[str] | None, typer.Option(help="Labels of each scan in turn, - for none.")] = None,
    series: Annotated[list[str] | None, typer.Option(help="Series of each scan in turn, - for none.")] = None,
    study: Annotated[list[str] | None, typer.Option(help="Study UID of each scan in turn, - for none; with DICOMweb addresses.")] = None,
    months: Annotated[list[float] | None, typer.Option(help="Months since the baseline, of each later scan in turn.")] = None,
    same_person: Annotated[bool, typer.Option("--same-person", help="It is one person, although the headers name two.")] = False,
    bmi: Annotated[float | None, typer.Option(help="Body mass index, kg/m2, for the published rules that need it.")] = None,
    convention: Annotated[str, typer.Option(help="Agatston convention, as for measure.")] = "agatston_1990",
    calibration: Annotated[float | None, typer.Option(help="Your own factor, mg/cm3 for each HU.")] = None,
    kvp: Annotated[float | None, typer.Option(help="Tube voltage, where the headers have none.")] = None,
    contrast: Annotated[str | None, typer.Option(help="none or given, where you know it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write a page with pictures.")] = None,
    fhir: Annotated[str | None, typer.Option(help=HELP)] = None,
    dicom_out: Annotated[Path | None, typer.Option(help="Write SEG, structured reports and pictures as DICOM into this folder.")] = None,
    send: Annotated[str | None, typer.Option(help="Send them to AET@host:port (C-STORE) or a DICOMweb address (STOW-RS).")] = None,
) -> None:
    """Tell what became of every calcium deposit between scans of one person: gone, smaller, unchanged, larger, new, or cannot tell.

    For research and education; not a medical device.
    """  # fmt: skip
    try:
        if html is not None:
            writable(html)
        _enough(scans, months)
        if fhir is not None and len(scans) > 2:
            raise UserError("--fhir: found more than two scans; expected two, since each change is a bundle of its own")
        where = _in_turn(scans, labels, (labels_baseline, labels_followup))
        chosen = [None if one == "-" else one for one in _counted("--series", series, scans)]
        studies = [None if one == "-" else one for one in _counted("--study", study, scans)]
        told = {"months": months, "same_person": same_person, "bmi": bmi, "studies": studies, "outgoing": Outgoing(dicom_out, send)}
        result, pictures = _answered(scans, where, chosen, (convention, calibration, kvp, contrast), told)
    except ImportError as error:
        if (error.name or "").startswith("resorb"):
            raise
        typer.echo(NO_LIBRARIES, err=True)
        raise typer.Exit(1) from None
    except ResorbError as error:
        typer.echo(f"resorb compare: {error}", err=True)
        raise typer.Exit(error.exit_code) from None
    except OSError as error:
        typer.echo(f"resorb compare: {error.filename or 'input'}: {error.strerror or error}", err=True)
        raise typer.Exit(1) from None
    if fhir is not None:
        give(result, fhir)
    _show(result, pictures, as_json, html, quiet=fhir == "-" and not as_json)


def _enough(scans: list[str], months: list[float] | None) -> None:
    if len(scans) < 2:
        raise typer.BadParameter("found one scan; expected a baseline and a follow-up")
    if months and len(months) != len(scans) - 1:
        raise typer.BadParameter(f"--months: found {len(months)}; expected one for each scan after the first, {len(scans) - 1}")


def _counted(option: str, given: list[str] | None, scans: list[str]) -> list[str | None]:
    if not given:
        return [None] * len(scans)
    if len(given) != len(scans):
        raise typer.BadParameter(f"{option}: found {len(given)}; expected one for each of the {len(scans)} scans, - where there is none")
    return [*given]


def _in_turn(scans: list[str], labels: list[str] | None, pair: tuple[Path | None, Path | None]) -> list[Path | None]:
    """The labels of each scan, said in either way."""
    if any(pair):
        if labels:
            raise typer.BadParameter("found labels said in two ways; expected --labels, or --labels-baseline and --labels-followup")
        if len(scans) > 2:
            raise typer.BadParameter("--labels-followup: found more than one follow-up; expected --labels, once for each scan")
        return [*pair]
    return [None if one in (None, "-") else Path(str(one)) for one in _counted("--labels", labels, scans)]


def _answered(
    scans: list[str], labels: list[Path | None], series: list[str | None], settings: tuple[Any, ...], told: dict[str, Any]
) -> tuple[Any, tuple[Picture, ...]]:
    """The change of two scans with its pictures, or the trend of more."""
    from resorb.ct.measuring import Settings
    from resorb.followup import Stated

    kept = measurements_of(scans)
    months = told["months"] or [None] * (len(scans) - 1)
    shared = Settings(*settings)
    seen: list[Any] = [*kept] or _read(scans, told["studies"], series, told["outgoing"])
    pairs = []
    for n, after in enumerate(months, 1):
        _progress(f"comparing {scans[0]} and {scans[n]}")
        stated = Stated(months=after, same_person=told["same_person"], bmi=told["bmi"])
        pairs.append(_pair((seen[0], seen[n]), (labels[0], labels[n]), shared, stated))
    _progress("")
    if not kept:
        told["outgoing"].deliver(seen, labels, shared, [change for change, _ in pairs])
    elif told["outgoing"].wanted:
        raise UserError(f"{scans[0]}: found a measurement; expected scans: DICOM results refer to images")
    if len(pairs) == 1:
        return pairs[0]
    from resorb.followup.threads import series_pictures
    from resorb.followup.trend import trend

    course = trend([change for change, _ in pairs])
    return course, series_pictures(course, pairs)


def _pair(
    scans: tuple[Any, Any], labels: tuple[Path | None, Path | None], settings: Any, stated: Any
) -> tuple[Change, tuple[Picture, ...]]:
    from resorb.verbs import compare_in_pictures

    if measurements_of(scans):
        from resorb.followup.by_numbers import compare_numbers

        return compare_numbers(*scans, settings=settings, stated=stated, labels_baseline=labels[0], labels_followup=labels[1]), ()
    return compare_in_pictures(scans, labels, settings, stated)


def _read(scans: list[str], studies: list[str | None], series: list[str | None], outgoing: Outgoing) -> list[Any]:
    found = []
    for number, (scan, study, one) in enumerate(zip(scans, studies, series, strict=True), 1):
        _progress(f"reading scan {number} of {len(scans)}: {scan}")
        found.append(outgoing.read(scan, study, one))
    return found


def _progress(said: str) -> None:
    """One line on stderr that the next overwrites, on a terminal alone."""
    if sys.stderr.isatty():
        typer.echo(f"\r\033[K{said}", nl=False, err=True)


def _show(result: Any, pictures: tuple[Picture, ...], as_json: bool, html: Path | None, *, quiet: bool = False) -> None:
    """Print the answer, write the page; exit 4 where nothing could be told."""
    import resorb
    from resorb.report import to_json, to_text

    if html is not None:
        resorb.write(result, html, pictures)
        typer.echo(f"wrote {html}", err=True)
    if not quiet:
        typer.echo(to_json(result) + "\n" if as_json else to_text(result), nl=False)
    if nothing_told(result):
        raise typer.Exit(4)


def nothing_told(result: Any) -> bool:
    """Whether neither the whole nor any deposit could be judged."""
    if hasattr(result, "course"):
        return bool(result.course == "cannot tell") and all(map(nothing_told, result.changes))
    return result.total.verdict in _NOTHING and all(d.verdict in _NOTHING for d in result.deposits)
