"""The commands."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from .._version import __version__
from ..terms.errors import ResorbError, UserError
from ..verbs import writable
from .compare import compare
from .demo import demo
from .evidence import evidence_app
from .fhir_out import HELP, give
from .listen import listen
from .mcp import mcp
from .measure import measure
from .serve import serve

if TYPE_CHECKING:
    from ..terms.change import Change

app = typer.Typer(add_completion=True, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)
app.add_typer(evidence_app, name="evidence")
app.command()(measure)
app.command()(compare)
app.command()(demo)
app.command()(serve)
app.command()(listen)
app.command()(mcp)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    """Can this calcification go away, will it, what helps, and did it? For research and education; not a medical device."""
    if version:
        typer.echo(f"resorb {__version__}")
        raise typer.Exit


@app.command()
def assess(  # noqa: PLR0917  (typer reads one parameter for each option)
    case: Annotated[str, typer.Argument(help="A case as YAML or JSON, a FHIR record, or - for stdin.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    html: Annotated[Optional[Path], typer.Option(help="Write a self-contained page here.")] = None,
    why: Annotated[bool, typer.Option("--why", help="Print every reason, study and source.")] = False,
    change: Annotated[Optional[Path], typer.Option(help="What `compare --json` kept of two scans of this person.")] = None,
    fhir: Annotated[Optional[str], typer.Option(help=HELP)] = None,
    date: Annotated[Optional[str], typer.Option(help="The day asked about, for a FHIR record.")] = None,
    patient: Annotated[Optional[str], typer.Option(help="The id of the person, where a FHIR record holds several.")] = None,
) -> None:
    """Name the kind, give the outlook, the options and the red flags of one case; with --change, what two scans showed beside it."""
    import resorb

    if html is not None:
        writable(html)
    read = resorb.read_case(case, date=date, patient=patient)
    said = resorb.assess(read if change is None else read.with_change(_kept(change)))
    if html is not None:
        resorb.write(said, html)
        typer.echo(f"wrote {html}", err=True)
    if fhir is not None:
        give(said, fhir)
    if json:
        from ..report import to_json

        typer.echo(to_json(said))
    elif html is None and fhir is None:
        from ..report import to_text

        typer.echo(to_text(said, why=why), nl=False)
    if said.none_fits and not said.absence and not said.red_flags:
        raise typer.Exit(4)


def _kept(path: Path) -> Change:
    """The change kept in a file; a measurement is not enough, and a trend too much."""
    import resorb
    from resorb.terms.change import Change

    kept = resorb.read_result(path)
    if not isinstance(kept, Change):
        found = "a trend of more scans" if hasattr(kept, "course") else "a measurement of one scan"
        raise UserError(
            f"{path}: found {found}; expected the change between two scans; try: resorb compare BASELINE FOLLOWUP --json > {path}"
        )
    return kept


@app.command()
def template(
    words: Annotated[Optional[str], typer.Option(help="List every word of a group: site, finding, lab, condition ...")] = None,
) -> None:
    """Print the form to fill in, generated from the cards."""
    from ..evidence import library
    from ..evidence import template as form

    if words is None:
        typer.echo(form.template(library()), nl=False)
        return
    group = words.removesuffix("s") if words.removesuffix("s") in library().spellings else words
    if group not in library().spellings:
        raise UserError(f"--words: found {words!r}; expected one of {', '.join(sorted(library().spellings))}")
    for line in form.words(group, library()):
        typer.echo(line)


@app.command()
def schema(
    of: Annotated[str, typer.Argument(help="assessment, measurement, change or trend.")] = "assessment",
) -> None:
    """Print the JSON Schema of what `assess`, `measure` or `compare` prints with --json."""
    import json

    from ..report import schema as made
    from ..report.as_json import RESULTS

    if of not in RESULTS:
        raise UserError(f"found the result {of!r}; expected one of {', '.join(RESULTS)}")
    typer.echo(json.dumps(made(of), indent=2))


def main() -> None:
    """Run the command line; what goes wrong on purpose is one message and an exit code."""
    try:
        app(prog_name="resorb")
    except ResorbError as error:
        typer.echo(f"resorb: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        typer.echo(f"resorb: {error.filename or 'output'}: {error.strerror or error}; nothing more was written", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo("resorb: stopped", err=True)
        sys.exit(130)
