"""What is looked up: the table of kinds, one kind as a readable page, an answered question."""

from __future__ import annotations

from typing import Any

from ...consult import ask, table
from ...consult.facts import Facts
from ...consult.options import options
from ...consult.outlook import outlook
from ...consult.sources import shown
from ...consult.words import as_sources, phrase
from ...evidence import library
from ...evidence.cards import Kind, Reason
from ...report.pictures import icon_array
from ...terms.assessment import OptionShown
from ...terms.case import Case
from .answer import Outcome, outcomes_of
from .rendering import render


def table_html(code: str) -> str:
    """Every kind side by side; the page sorts and filters the rows."""
    rows = table(library())
    return render("table.html", code, rows=rows, families=sorted({row.family for row in rows}))


def kind_html(kind_id: str, code: str) -> str | None:
    """One kind, whole: what it is, how it is recognised, its studies drawn, options, claims. None where there is no such card."""
    known = library()
    kind = known.kinds.get(kind_id)
    if kind is None:
        return None
    nobody = Facts(Case(), known)
    estimates = outlook(kind, nobody)
    can = options(kind, estimates, frozenset(), nobody)
    drawn = outcomes_of(estimates, code, everyone=True)
    sources = shown(_sources(kind, drawn, can), known)
    signs = [(mark, r.says or phrase(r, known), r.weight, as_sources(r.source)) for mark, r in _signs(kind)]
    return render(
        "kind.html", code, kind=kind, outcomes=drawn, options=can, icon=icon_array, sources_shown=sources, signs=signs,
        numbers={s.id: n for n, s in enumerate(sources, 1)}, as_sources=as_sources,
        needs=[phrase(test, known) for test in kind.recognise.must], where=[known.words[s].name for s in kind.sites],
    )  # fmt: skip


def _signs(kind: Kind) -> list[tuple[str, Reason]]:
    return [*(("for", r) for r in kind.recognise.for_), *(("against", r) for r in kind.recognise.against)]


def _sources(kind: Kind, drawn: list[Outcome], can: tuple[OptionShown, ...]) -> list[str]:
    """Every source the page of a kind rests on, in the order it is met."""
    said: list[Any] = [*kind.says, *kind.hurts, *kind.changes, *kind.red_flags, *kind.claims, *kind.follow_up, *kind.stages]
    found = [s for part in said for s in as_sources(part.source)]
    found += [s for _, r in _signs(kind) for s in as_sources(r.source)]
    found += [study.source for o in drawn for e in o.rows for study in e.studies]
    found += [s for o in can for part in _parts(o) for s in part.source]
    return list(dict.fromkeys(found))


def _parts(option: OptionShown) -> list[Any]:
    return [option, *option.harms, *option.avoid]


def answered_html(question: str, code: str) -> str:
    """A question people ask, answered sentence by sentence, or the plain word that no card answers it."""
    said = ask(question, library())
    numbers = {s.id: n for n, s in enumerate(said.sources, 1)} if said else {}
    names = {k: library().kinds[k].name for k in said.kinds} if said else {}
    return render("asked.html", code, said=said, question=question, numbers=numbers, names=names)
