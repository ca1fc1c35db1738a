"""The library: kinds, cards, the table of kinds, and questions in words."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from ..evidence import library
from ..evidence.looking_up import nearest, whole
from ..report import to_json
from .describe import as_json, json_of, problem_answers
from .problems import Refused

router = APIRouter(prefix="/api/v1/evidence", tags=["evidence"])


@router.get("/kinds", summary="Every kind of calcification", responses=json_of("Kinds"))
def kinds() -> Response:
    """Id, name, family, other names, plain words and sites of every kind."""
    shelf = library()
    return as_json([
        {
            "id": k.id,
            "name": k.name,
            "family": k.family,
            "also": k.also,
            "plain": " ".join(k.plain.split()),
            "sites": [{"id": s, "label": shelf.words[s].name} for s in k.sites],
            "reviewed": {"by": k.reviewed.by, "due": k.reviewed.due},
        }
        for k in shelf.decks.kinds
    ])  # fmt: skip


@router.get("/table", summary="The kinds compared", responses=json_of("Table"))
def table() -> Response:
    """Where, chance of going away, what changes it, approach. The same as `resorb evidence table --json`."""
    from ..consult import table as compare

    return Response(to_json({"rows": compare(library())}) + "\n", media_type="application/json")


@router.get("/ask", summary="A question in words", responses=json_of("Asked") | problem_answers(422))
def ask(q: Annotated[str, Query(min_length=1, max_length=500, description="Such as: does vitamin K2 dissolve plaque?")]) -> Response:
    """The answer with its sources, or `covered: false`. The same as `resorb evidence ask --json`."""
    from ..consult import ask as hear

    said = hear(q, library())
    told = to_json({"question": q, "covered": False}) if said is None else to_json(said)
    return Response(told + "\n", media_type="application/json")


@router.get("/{id}", summary="One card, whole", responses=json_of("Card") | problem_answers(404))
def card(id: str) -> Response:  # noqa: A002
    """Any card: a kind, cause, word, quantity, formula, option, question or source; with the sources it rests on."""
    shelf = library()
    found = whole(id, shelf)
    if not found:
        raise Refused(404, "id", "no such card", "the id of a card", nearest(id, shelf, "GET /api/v1/evidence/kinds"))
    return as_json(found[0])
