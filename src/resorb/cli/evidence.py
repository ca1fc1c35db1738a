"""`resorb evidence ...`: look into the library, check it, add a source."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

evidence_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Look into the evidence, check it, add a source.")


@evidence_app.command()
def check() -> None:
    """Check every card against every rule, and run the worked cases."""
    from ..evidence import check as check_cards
    from ..evidence import library
    from ..consult.worked_cases import run_worked_cases

    problems: list[object] = list(check_cards())
    if not problems:
        problems += run_worked_cases(library())
    for problem in problems:
        typer.echo(str(problem))
    typer.echo(f"{len(problems)} problems", err=True)
    raise typer.Exit(3 if problems else 0)


@evidence_app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def cite(context: typer.Context) -> None:
    """Write a source card."""
    from ..evidence.cite import main

    sys.exit(main(context.args))
