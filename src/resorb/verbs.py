"""The verbs. Each loads what it needs when it is called, so that `import resorb` costs nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .terms.errors import CaseRefused, Problem, UserError

if TYPE_CHECKING:
    from .terms.assessment import Assessment
    from .terms.case import Case
    from .terms.change import Change
    from .terms.measurement import Measurement, Picture
    from .terms.trend import Trend

_MOST_BYTES = 64_000_000
_ENDINGS = (".html", ".json", ".txt")


def read_case(source: str | Path | dict[str, Any], *, date: str | None = None, patient: str | None = None) -> Case:
    """Read a case from a YAML, JSON or FHIR file (told apart by content), from stdin (`-`), or from a mapping in memory.

    `date` (the day asked about) and `patient` (an id) are for FHIR records; see `resorb.fhir.read`.
    Raises CaseRefused (a ValueError for people: where, found, expected, try) with every problem at once.
    """
    from . import fhir
    from .evidence.form import read_case_mapping, read_case_text
    from .evidence.library import library

    if isinstance(source, dict):
        if fhir.is_fhir(source):
            return fhir.read(source, library(), date=date, patient=patient)
        return read_case_mapping(source, library())
    name = "stdin" if str(source) == "-" else str(source)
    try:
        raw = _stdin(_MOST_BYTES + 1) if name == "stdin" else _read(Path(source), _MOST_BYTES + 1)
        if fhir.is_fhir(raw):
            return fhir.read(raw, library(), date=date, patient=patient, name=name)
        return read_case_text(raw.decode("utf-8-sig"), library(), name=name)
    except UnicodeDecodeError:
        message = "found bytes that are not UTF-8 text; expected a case as YAML or JSON (see `resorb template`)"
        raise CaseRefused([Problem(name, message)]) from None


def _stdin(limit: int) -> bytes:
    if sys.stdin is None or sys.stdin.closed:
        raise CaseRefused([Problem("stdin", "found it closed; expected a case as YAML or JSON")])
    return sys.stdin.buffer.read(limit)


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(limit)
    except IsADirectoryError:
        raise CaseRefused([Problem(str(path), "found a folder; expected a case file (for a scan, use `resorb measure`)")]) from None
    except OSError as error:
        raise CaseRefused([Problem(str(path), f"cannot be read ({error.strerror}); expected a case as YAML or JSON")]) from None


def assess(case: Case) -> Assessment:
    """Kinds, outlook, options and red flags for a case, each with its sources."""
    from .consult import assess as answer
    from .evidence.library import library

    return answer(case, library())


def measure(scan: str | Path, *, study: str | None = None, **settings: Any) -> Measurement:
    """Every calcium deposit on one CT, each number with its interval or the reason why not; see `resorb.ct.measure`.

    scan : a path, or a DICOMweb address with `study` and `series`, or one that ends in /studies/UID/series/UID.
    """
    from .ct import measure as answer
    from .pacs import borrowed

    if not isinstance(scan, (str, Path)):
        return answer(scan, **settings)
    with borrowed(scan, study, settings.get("series")) as path:
        return answer(path, **settings)  # type: ignore[no-any-return]


def compare(baseline: str | Path, followup: str | Path, **settings: Any) -> Change:
    """Did it go away? Two CTs of one person: a verdict for each deposit and what the pair can show; see `resorb.followup`.

    baseline, followup : paths, or DICOMweb addresses that end in /studies/UID or /studies/UID/series/UID; or two kept measurements
    (.json, or `Measurement`), of which only the totals can be compared.
    """
    kept = measurements_of((baseline, followup))
    if kept:
        from .followup.by_numbers import compare_numbers

        return compare_numbers(*kept, **settings)
    from .followup import compare as answer
    from .pacs import borrowed

    with ExitStack() as lent:
        scans = [lent.enter_context(borrowed(one)) if isinstance(one, (str, Path)) else one for one in (baseline, followup)]
        return answer(*scans, **settings)  # type: ignore[no-any-return]


def compare_in_pictures(scans: tuple[Any, Any], *given: Any) -> tuple[Change, tuple[Picture, ...]]:
    """A comparison with its pictures, for `write`; see `resorb.followup.compared`."""
    from .followup import compared
    from .followup.pictures import pictures

    made = compared(scans, *given)
    return made.change, pictures(made)


def measurements_of(sources: Sequence[Any]) -> tuple[Measurement, ...]:
    """The measurements that sources are, or that their files (.json) keep; none where all are scans. Refuses one beside a scan."""
    files = [one for one in sources if type(one).__name__ == "Measurement" or str(one).lower().endswith(".json")]
    if not files:
        return ()
    from .terms.measurement import Measurement

    if len(files) < len(sources):
        raise UserError(
            f"{_named(files[0])}: found a measurement beside a scan; expected two of one sort; try: `resorb measure SCAN --json`"
        )
    made = [one if isinstance(one, Measurement) else read_result(one) for one in sources]
    for one, result in zip(sources, made, strict=True):
        if not isinstance(result, Measurement):
            raise UserError(
                f"{_named(one)}: found a {type(result).__name__.lower()}; expected a measurement, as `resorb measure SCAN --json` wrote it"
            )
    return tuple(result for result in made if isinstance(result, Measurement))


def _named(source: Any) -> str:
    return str(source) if isinstance(source, (str, Path)) else type(source).__name__.lower()


def read_result(source: str | Path) -> Measurement | Change | Trend:
    """What `measure` or `compare` kept as JSON: a measurement, a change, or the trend of more scans, as it was written.

    An edited, cut or foreign file is refused (UserError).
    """
    from .terms.kept import kept

    path, most = Path(source), 200 * 2**20
    try:
        with path.open("rb") as file:
            raw = file.read(most + 1)
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); expected a measurement, a change or a trend as JSON") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: found bytes that are not UTF-8 text; expected a measurement, a change or a trend as JSON") from None
    if len(raw) > most:
        raise UserError(f"{path}: found more than {most >> 20} MB; expected a measurement, a change or a trend as JSON")
    return kept(text, str(path))


def write(result: Any, path: str | Path, pictures: tuple[Picture, ...] = ()) -> None:
    """Write a result as a page (.html, with `pictures`), as JSON (.json) or as text (.txt); whole or not at all."""
    from . import report

    target = writable(path)
    forms: dict[str, Any] = {".html": lambda made: report.to_html(made, pictures), ".json": report.to_json, ".txt": report.to_text}
    text = forms[target.suffix.lower()](result)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UserError(f"{target}: cannot be written ({error.strerror}); does the folder exist?") from None


def writable(path: str | Path) -> Path:
    """A path that `write` can write to, asked before long work. Raises UserError."""
    target = Path(path)
    if target.suffix.lower() not in _ENDINGS:
        found = "a folder" if target.is_dir() else f"the ending {target.suffix!r}"
        raise UserError(f"{target}: found {found}; expected a file that ends in {', '.join(_ENDINGS)}")
    if target.is_dir() or not target.parent.is_dir():
        found = "a folder" if target.is_dir() else f"no folder {target.parent}"
        raise UserError(f"{target}: cannot be written (found {found}); does the folder exist?")
    return target
