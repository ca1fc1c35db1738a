"""The words of the form for the page: every site, finding, lab and so on, by group, in one language."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from ...consult.conditions import atoms
from ...evidence import library
from ...evidence.cards import Option, Quantity, Word
from ...evidence.quantities import QuantityError, parse
from ...terms.assessment import Assessment
from ...terms.case import Case, Reading
from .language import Language, language

FIELD_OF = {
    "site": "site", "sex": "sex", "modality": "modality", "finding": "findings", "stage": "stage", "symptom": "symptoms",
    "condition": "conditions", "diagnosis": "conditions", "medicine": "medicines", "exposure": "exposures",
    "lab": "labs", "measure": "measures",
}  # fmt: skip
PLAIN_QUANTITIES = {"age": "age", "size": "size", "density_hu": "density", "number": "number", "duration": "duration"}
_STATE = {True: "present", False: "absent", None: "unknown"}
_MOST_SUGGESTED = 10


@lru_cache(maxsize=4)
def words_for(code: str) -> dict[str, Any]:
    """Every word by the field of a case it belongs to, usual ones first; empty parts are left out."""
    spoken, known = language(code), library()
    fields: dict[str, list[dict[str, Any]]] = {field: [] for field in FIELD_OF.values()}
    for word in sorted(known.decks.words, key=lambda w: (-known.uses[w.id], w.name)):
        if word.group in FIELD_OF:
            fields[FIELD_OF[word.group]].append(_word(word, spoken))
    plain = {}
    for quantity in known.decks.quantities:
        if quantity.id in PLAIN_QUANTITIES:
            plain[PLAIN_QUANTITIES[quantity.id]] = _quantity(quantity, spoken)
        else:
            fields[FIELD_OF[quantity.group]].append(_quantity(quantity, spoken))
    options = [_named(option, spoken) for option in known.decks.options]
    outcomes = [_named(word, spoken) for word in known.decks.words if word.group == "outcome"]
    return {"fields": fields, "plain": plain, "options": options, "outcomes": outcomes, "tissues": list(known.reasoning.tissues)}


def _named(card: Word | Option | Quantity, spoken: Language) -> dict[str, Any]:
    also = (card.name, *card.also) if spoken.name(card.name) != card.name else card.also
    made = {"id": card.id, "name": spoken.name(card.name), "also": list(also), "en": not spoken.knows(card.name)}
    return {key: value for key, value in made.items() if value}


def _word(word: Word, spoken: Language) -> dict[str, Any]:
    up = [*word.is_, *word.within] if word.group == "site" else []
    more = {"counts": word.counts, "not_counted": word.not_counted, "up": up}
    return {**_named(word, spoken), **{key: value for key, value in more.items() if value}}


def _quantity(card: Quantity, spoken: Language) -> dict[str, Any]:
    bare = "" in (card.unit, *card.units)
    by_factor: dict[float, str] = {1.0: card.unit}
    for unit, factor in card.units.items():
        by_factor.setdefault(factor, unit)
    units = [] if bare else list(by_factor.values())
    return {**_named(card, spoken), "units": units, "usual": card.usual}


def suggested(said: Assessment, case: Case) -> dict[str, list[str]]:
    """For each field the words that tell the leading kinds apart, most telling and most usual first; what was said already is left out."""
    known = library()
    spoken = {f.word for f in case.facts} | {r.quantity for r in case.readings}
    fitting = said.kinds if len(said.kinds) > 1 else (*said.kinds, *said.considered[:2])
    cards = [known.kinds[k.id] for k in fitting if k.id in known.kinds]
    worth: dict[str, float] = {}
    for place, card in enumerate(cards):
        for reason in (*card.recognise.for_, *card.recognise.against, *card.recognise.must):
            points = known.reasoning.weights[getattr(reason, "weight", "strong")] / (place + 1) ** 2
            for atom in atoms(reason):
                worth[atom] = worth.get(atom, 0.0) + points * math.sqrt(1 + known.uses[atom])
    if not cards:
        worth = {word: float(uses) for word, uses in known.uses.items()}
    fields: dict[str, list[str]] = {}
    for atom in sorted(worth, key=lambda a: (-worth[a], a)):
        word = known.words.get(atom) or known.quantities.get(atom)
        field = FIELD_OF.get(word.group, "") if word is not None else ""
        if field in {"", "site", "sex"} or atom in spoken or atom in PLAIN_QUANTITIES:
            continue
        chosen = fields.setdefault(field, [])
        if len(chosen) < _MOST_SUGGESTED:
            chosen.append(atom)
    return fields


def as_mapping(case: Case) -> dict[str, Any]:
    """A case as the mapping that the form takes and the page shows."""
    made: dict[str, Any] = {}
    for fact in case.facts:
        made.setdefault(FIELD_OF.get(fact.group, fact.group), {})[fact.word] = _STATE[fact.present]
    for reading in case.readings:
        plain = PLAIN_QUANTITIES.get(reading.quantity)
        field = plain or FIELD_OF[library().quantities[reading.quantity].group]
        held = made if plain else made.setdefault(field, {})
        key = plain or reading.quantity
        held[key] = _beside(held.get(key), _written(reading))
    if case.done:
        made["done"] = [_done(d.option, d.when, d.outcome, d.after_months) for d in case.done]
    return made


def _written(reading: Reading) -> Any:
    """A reading as the form takes it: as it was written where that can be read again, else in the card's own unit."""
    card = library().quantities[reading.quantity]
    text = reading.written
    if reading.value is None:
        text = reading.level or "unknown"
    else:
        try:
            parse(text, card)
        except QuantityError:
            text = f"{reading.value:.10g} {card.unit}".strip()
    return text if reading.when is None else {"value": text, "when": reading.when[:10]}


def _beside(earlier: Any, value: Any) -> Any:
    """One value, or several of one quantity as a list."""
    if earlier is None:
        return value
    return [*(earlier if isinstance(earlier, list) else [earlier]), value]


def _done(option: str, when: str | None, outcome: str | None, after_months: float | None) -> dict[str, str]:
    said = {"option": option, "when": when, "outcome": outcome, "after": None if after_months is None else f"{after_months:.10g} months"}
    return {key: value for key, value in said.items() if value is not None}
