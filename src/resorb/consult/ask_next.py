"""Ask next: the unknown facts that could change which kind comes first, or which studies speak of this case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from ..evidence.cards import Kind, Reason, Test
from ..terms.assessment import Ask
from .facts import Facts, atoms
from .recognise import Standing
from .words import name_of

_SITE = "site"


class _Worth(NamedTuple):
    flips: bool
    spread: float
    rows: int


def ask_next(standings: list[Standing], facts: Facts) -> tuple[Ask, ...]:
    """At most `reasoning.ask` questions, the most telling first."""
    reasoning = facts.library.reasoning
    contenders = (
        [s for s in standings if s.points >= standings[0].points - reasoning.weights["decisive"]][: reasoning.show_kinds]
        if standings
        else []
    )
    moves: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for standing in contenders:
        for atom, points in _moves(standing, facts):
            moves[atom][standing.card.id] += points
    rows = _rows(contenders[0].card, facts) if contenders else {}
    worth = {atom: _worth(moves.get(atom, {}), contenders, rows.get(atom, 0)) for atom in {*moves, *rows}}
    if not contenders or _SITE not in {facts.library.words[w].group for w in facts.present}:
        worth[_SITE] = _Worth(True, 99, 0)
    best = sorted(worth, key=lambda a: (-worth[a].flips, -worth[a].spread - worth[a].rows, a))
    return tuple(_ask(atom, worth[atom], moves.get(atom, {}), facts) for atom in best[: reasoning.ask])


def _moves(standing: Standing, facts: Facts) -> Iterator[tuple[str, float]]:
    """Each unknown fact and the points it could add to (or take from) this kind."""
    weights = facts.library.reasoning.weights
    rules = standing.card.recognise
    signed: list[tuple[Test, float]] = [(r, weights[r.weight]) for r in rules.for_]
    signed += [(r, -weights[r.weight]) for r in rules.against]
    signed += [(t, facts.library.reasoning.unmet_must) for t in standing.unmet]
    for test, points in signed:
        if not isinstance(test, Reason) or facts.holds(test) is None:
            for atom in _unknown(test, facts):
                yield atom, points


def _unknown(test: Test, facts: Facts) -> set[str]:
    """The facts of a test nobody has spoken of; all sites count as one question, and only while none is known."""
    found = set()
    for atom in atoms(test):
        word = facts.library.words.get(atom)
        if word is not None and word.group in ("site", "sex", "modality", "stage"):
            if word.group == "sex" and not facts.present & {"female", "male"}:
                found.add("sex")
        elif atom not in facts.present and atom not in facts.absent and atom not in facts.levels and atom not in facts.said:
            found.add(atom)
    return found


def _rows(card: object, facts: Facts) -> dict[str, int]:
    counted: dict[str, int] = defaultdict(int)
    for row in card.outlook if isinstance(card, Kind) else ():
        for test in row.among:
            if facts.holds(test) is None:
                for atom in _unknown(test, facts):
                    counted[atom] += 1
    return counted


def _worth(moves: dict[str, float], contenders: list[Standing], rows: int) -> _Worth:
    top = contenders[0]
    own = moves.get(top.card.id, 0.0)
    flips = any(abs(moves.get(s.card.id, 0.0) - own) >= top.points - s.points and moves.get(s.card.id, 0.0) > own for s in contenders[1:])
    values = [moves.get(s.card.id, 0.0) for s in contenders] + [0.0]
    return _Worth(flips, max(values) - min(values), min(rows, 8))


def _ask(atom: str, worth: _Worth, moves: dict[str, float], facts: Facts) -> Ask:
    library = facts.library
    word = library.words.get(atom)
    if atom == _SITE:
        group, question = _SITE, "Where exactly is the deposit (organ, tissue, side)?"
    elif atom in library.quantities:
        group, card = library.quantities[atom].group, library.quantities[atom]
        question = f"What is the {card.name}{f' (in {card.unit})' if card.unit else ''}?"
    elif word is not None:
        group = word.group
        note = f" Counts: {word.counts}" if word.counts else ""
        note += f" Does not count: {word.not_counted}" if word.not_counted else ""
        question = f"{word.group.capitalize()}: {word.name}, present or absent?{note}"
    else:
        group, question = atom, f"What is the {atom}?"
    changes = "both" if moves and worth.rows else "outlook" if worth.rows else "kind"
    towards = sorted(moves, key=lambda k: -abs(moves[k]))[:2]
    speaks = [f"{'speaks for' if moves[k] > 0 else 'speaks against'} {name_of(k, library)}" for k in towards if moves[k]]
    if worth.rows:
        speaks.append("decides which studies apply")
    could = "could change which kind comes first: " if worth.flips and moves else ""
    return Ask(atom, group, question, changes, could + "; ".join(speaks) if speaks else "it limits which kinds are possible")
