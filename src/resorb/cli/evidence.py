"""`resorb evidence ...`: look into the library, ask it, check it, add a source."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ..terms.errors import UserError

evidence_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Look into the evidence, ask it, check it, add a source.")


@evidence_app.command("list")
def list_cards(
    deck: Annotated[str, typer.Argument(help="kinds, causes, words, quantities, formulas, options, questions or sources")] = "kinds",
) -> None:
    """List the cards of a deck."""
    from ..evidence import library

    cards = getattr(library().decks, deck, None)
    if cards is None or deck == "reasoning":
        raise UserError(f"found the deck {deck!r}; expected one of kinds, causes, words, quantities, formulas, options, questions, sources")
    for card in cards:
        typer.echo(f"{card.id}: {getattr(card, 'name', None) or getattr(card, 'citation', None) or card.asks[0]}")


@evidence_app.command()
def show(card_id: Annotated[str, typer.Argument(metavar="ID", help="The id of any card.")]) -> None:
    """Print one card, whole."""
    import yaml

    from ..evidence import library
    from ..evidence.looking_up import nearest, whole

    found = whole(card_id, library())
    if not found:
        raise UserError(f"found no card {card_id!r}; {nearest(card_id, library(), '`resorb evidence list` shows the kinds')}")
    for held in found:
        typer.echo(yaml.safe_dump(held["card"], sort_keys=False, allow_unicode=True, width=120), nl=False)


@evidence_app.command()
def table(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Compare the kinds: where, chance of going away, what changes it, approach."""
    from ..consult import table as compare
    from ..evidence import library
    from ..report import table_to_text, to_json

    rows = compare(library())
    typer.echo(to_json({"rows": rows}) if json else table_to_text(rows), nl=json)


@evidence_app.command()
def ask(
    question: Annotated[str, typer.Argument(help='A question in words, such as "does vitamin K2 dissolve plaque?"')],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Answer a question from the cards, with sources, or say that it is not covered."""
    from ..consult import ask as answer
    from ..evidence import library
    from ..report import answer_to_text, to_json

    said = answer(question, library())
    if said is None:
        typer.echo(to_json({"question": question, "covered": False}) if json else "Not covered: no card answers this question.")
        raise typer.Exit(4)
    typer.echo(to_json(said) if json else answer_to_text(said), nl=json)


@evidence_app.command()
def check() -> None:
    """Check every card against every rule, and run the worked cases."""
    from ..consult import run_worked_cases
    from ..evidence import check as check_cards
    from ..evidence import library

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
