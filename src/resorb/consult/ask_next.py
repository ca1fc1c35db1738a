"""Ask next: the unknown facts that could raise a red flag, change which kind comes first, or decide which studies apply."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache

from ..evidence.cards import Kind
from ..evidence.library import Library
from ..terms.assessment import Ask
from .conditions import Ready, ready
from .facts import Facts
from .recognise import Standing
from .red_flags import nearly
from .words import name_of

_SITE = "site"
_NOT_ASKED = ("site", "sex", "modality", "stage", "diagnosis")  # asked as one question, or follow from the rest
_MOST_ROWS, _FLAG, _MINERALS = 8, 8, 6  # so that studies, ranking and red flags each get their turn
_USUAL = 5  # a fact said in fewer worked cases is asked after the usual ones


class _Unknown:
    """One unknown fact and what it could do."""

    def __init__(self) -> None:
        self.moves: dict[str, float] = defaultdict(float)
        self.rows = 0
        self.flags: list[str] = []
        self.flips = False
        self.mechanism = False

    def worth(self) -> float:
        """How telling it is."""
        spread = max([*self.moves.values(), 0.0]) - min([*self.moves.values(), 0.0])
        return 2 * spread * self.flips + min(self.rows, _MOST_ROWS) + _FLAG * bool(self.flags) + _MINERALS * self.mechanism


def ask_next(standings: list[Standing], facts: Facts) -> tuple[Ask, ...]:
    """At most `reasoning.ask` questions, the most telling first; where the deposit is, if nobody said."""
    found: dict[str, _Unknown] = defaultdict(_Unknown)
    contenders = _contenders(standings, facts)
    for standing in contenders:
        for atom, points in _moves(standing, facts):
            found[atom].moves[standing.card.id] += points
    for unknown in found.values():
        unknown.flips = _flips(unknown.moves, contenders)
    for atom in _rows(contenders[0].card, facts) if contenders else ():
        found[atom].rows += 1
    for atom in _minerals(contenders, facts):
        found[atom].mechanism = True
    for flag, test in nearly(facts, frozenset(s.card.id for s in contenders[:2])):
        for atom in _unknown(facts.ready(test), facts):
            found[atom].flags.append(flag.name)
    telling = {atom: worth for atom, unknown in found.items() if (worth := unknown.worth()) > 0}
    best = sorted(telling, key=lambda atom: (atom not in facts.unsure, facts.library.uses[atom] < _USUAL, -telling[atom], atom))
    asked = [_ask(atom, found[atom], facts) for atom in _one_per_flag(best, found)]
    if _SITE not in {facts.library.words[w].group for w in facts.present if w in facts.library.words}:
        asked.insert(
            0, Ask(_SITE, _SITE, "Where exactly is the deposit (organ, tissue, side)?", "both", "it limits which kinds are possible")
        )
    return tuple(asked[: facts.library.reasoning.ask])


def _one_per_flag(best: list[str], found: dict[str, _Unknown]) -> Iterator[str]:
    """Leave out the second question for the same red flags."""
    told: set[str] = set()
    for atom in best:
        unknown = found[atom]
        again = bool(unknown.flags) and told.issuperset(unknown.flags) and not unknown.flips
        told.update(unknown.flags)
        if not again:
            yield atom


def _contenders(standings: list[Standing], facts: Facts) -> list[Standing]:
    """The kinds that one more fact could bring to the top: those within a decisive reason of it that are halfway to a fit."""
    reasoning = facts.library.reasoning
    least = max(standings[0].points - reasoning.weights["decisive"], reasoning.fits_at / 2) if standings else 0.0
    return [s for n, s in enumerate(standings) if n == 0 or s.points >= least][: reasoning.show_kinds]


def _moves(standing: Standing, facts: Facts) -> Iterator[tuple[str, float]]:
    """Each unknown fact and the points it could add to (or take from) this kind."""
    for test, points in _signed(facts.library, standing.card.id):
        if test.holds(facts) is None:
            for atom in _unknown(test, facts):
                yield atom, points


@lru_cache(maxsize=1024)
def _signed(library: Library, kind: str) -> tuple[tuple[Ready, float], ...]:
    """The reasons of a kind with their points: above nought for it, below against."""
    weights, rules = library.reasoning.weights, library.kinds[kind].recognise
    signed = [(r, weights[r.weight]) for r in rules.for_] + [(r, -weights[r.weight]) for r in rules.against]
    return tuple((ready(reason, library), points) for reason, points in signed)


def _unknown(test: Ready, facts: Facts) -> set[str]:
    """The facts of a test that nobody has spoken of."""
    found = set()
    for atom in test.atoms:
        word = facts.library.words.get(atom)
        if word is not None and word.group in _NOT_ASKED:
            if word.group == "sex" and not facts.present & {"female", "male"}:
                found.add("sex")
        elif not (atom in facts.present or atom in facts.absent or atom in facts.levels or atom in facts.said):
            found.add(atom)
    return found


def _flips(moves: dict[str, float], contenders: list[Standing]) -> bool:
    """Whether this fact alone could put another kind first. Ties are flipped by anything that tells them apart."""
    top = contenders[0]
    own = moves.get(top.card.id, 0.0)
    return any((gain := moves.get(s.card.id, 0.0) - own) > 0 and gain >= top.points - s.points for s in contenders[1:])


def _minerals(contenders: list[Standing], facts: Facts) -> Iterator[str]:
    """Labs that tell dystrophic from metastatic, where that question arises and is open."""
    reasoning = facts.library.reasoning
    if contenders and getattr(contenders[0].card, "family", "") in reasoning.mechanism_families:
        said = next(said for said in reasoning.mechanism if all(facts.holds(t) for t in said.when))
        if not said.when:
            for other in reasoning.mechanism:
                for test in other.when:
                    if test.lab is not None:
                        yield from _unknown(facts.ready(test), facts)


def _rows(card: object, facts: Facts) -> Iterator[str]:
    for row in card.outlook if isinstance(card, Kind) else ():
        states = [facts.holds(test) for test in row.among]
        if False not in states:
            for test, state in zip(row.among, states, strict=True):
                if state is None:
                    yield from _unknown(facts.ready(test), facts)


def _ask(atom: str, unknown: _Unknown, facts: Facts) -> Ask:
    library = facts.library
    group = library.words[atom].group if atom in library.words else library.quantities[atom].group if atom in library.quantities else atom
    towards = sorted((k for k in unknown.moves if unknown.moves[k]), key=lambda k: -abs(unknown.moves[k]))[:2]
    because = [f"would raise a red flag: {', '.join(sorted(set(unknown.flags)))}"] if unknown.flags else []
    speaks = [f"speaks {'for' if unknown.moves[k] > 0 else 'against'} {name_of(k, library)}" for k in towards]
    if speaks:
        because.append(("could change which kind comes first: " if unknown.flips else "") + ", ".join(speaks))
    if unknown.mechanism:
        because.append("tells dystrophic from metastatic")
    if unknown.rows:
        because.append("decides which studies apply")
    kind, outlook = bool(speaks) or unknown.mechanism, bool(unknown.rows)
    changes = "red flags" if unknown.flags else "both" if kind and outlook else "kind" if kind else "outlook"
    return Ask(atom, group, _question(atom, facts), changes, "; ".join(because))


def _question(atom: str, facts: Facts) -> str:
    library = facts.library
    if atom in library.quantities:
        card = library.quantities[atom]
        which = f" The record has {facts.unsure[atom]} for one moment: which is right?" if atom in facts.unsure else ""
        return f"{card.name[0].upper()}{card.name[1:]}{f', in {card.unit}' if card.unit else ''}?{which}"
    if atom not in library.words:
        return f"What is the {atom}?"
    word = library.words[atom]
    counts = f" Counts: {word.counts}" if word.counts else ""
    not_counted = f" Does not count: {word.not_counted}" if word.not_counted else ""
    return f"{word.group.capitalize()}: {word.name}, present or absent?{counts}{not_counted}"
