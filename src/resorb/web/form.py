"""The form of a case as JSON, made from the cards: a page needs no word of its own."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from .. import __version__
from ..evidence import Library
from ..evidence.cards import Quantity, Word
from ..evidence.form import FIELDS, QUANTITY_FIELDS, READING_FIELDS, WORD_FIELDS
from ..evidence.template import notes


@lru_cache(maxsize=4)
def form(library: Library) -> dict[str, Any]:
    """Every field with the words, units and options it takes; sites also as a tree."""
    said = notes()
    return {
        "version": __version__,
        "evidence": library.version,
        "notice": " ".join(library.reasoning.notice.split()),
        "fields": [{"field": field, "hint": said.get(field, ""), **_takes(field, library)} for field in FIELDS],
        "sites": _tree(library),
        "kinds": [{"id": k.id, "name": k.name, "family": k.family, "also": k.also} for k in library.decks.kinds],
        "presence": ["present", "absent", "unknown"],
    }


def _takes(field: str, library: Library) -> dict[str, Any]:
    """What one field takes: text, words, a quantity, quantities, or what was done."""
    if field in WORD_FIELDS:
        group = WORD_FIELDS[field]
        words = sorted((w for w in library.decks.words if w.group == group), key=lambda w: (-library.uses[w.id], w.name))
        return {"takes": "words", "group": group, "words": [_word(w, library) for w in words]}
    if field in QUANTITY_FIELDS:
        return {"takes": "quantity", "quantity": _quantity(library.quantities[QUANTITY_FIELDS[field]], library)}
    if field in READING_FIELDS:
        own = set(QUANTITY_FIELDS.values())
        of = [q for q in library.decks.quantities if q.group == READING_FIELDS[field] and q.id not in own]
        return {"takes": "quantities", "group": READING_FIELDS[field], "quantities": [_quantity(q, library) for q in of]}
    if field == "done":
        return {"takes": "done", **_done(library)}
    return {"takes": "text"}


def _word(card: Word, library: Library) -> dict[str, Any]:
    return {
        "id": card.id,
        "label": card.name,
        "also": card.also,
        "counts": card.counts,
        "does_not_count": card.not_counted,
        "implies": card.is_,
        "within": card.within,
        "excludes": card.excludes,
        "uses": library.uses[card.id],
    }


def _quantity(card: Quantity, library: Library) -> dict[str, Any]:
    levels = ["low", "normal", "high", *(level.name for level in card.levels)] if card.group == "lab" else []
    return {
        "id": card.id,
        "label": card.name,
        "also": card.also,
        "unit": card.unit,
        "units": list(dict.fromkeys((card.unit, *card.units))),
        "factors": card.units,
        "usual": card.usual,
        "lowest": card.impossible_under,
        "highest": card.impossible_over,
        "levels": list(dict.fromkeys(levels)),
        "says": card.says,
        "uses": library.uses[card.id],
    }


def _done(library: Library) -> dict[str, Any]:
    options = sorted(library.decks.options, key=lambda o: (o.rung, o.name))
    return {
        "options": [{"id": o.id, "label": o.name, "also": o.also, "rung": o.rung, "says": o.says} for o in options],
        "outcomes": [{"id": w.id, "label": w.name, "also": w.also} for w in library.decks.words if w.group == "outcome"],
    }


def _tree(library: Library) -> list[dict[str, Any]]:
    """Sites, the narrower below the wider; a site with two wider ones stands below both."""
    sites = {w.id: w for w in library.decks.words if w.group == "site"}
    above = {i: [p for p in (*w.is_, *w.within) if p in sites and p != i] for i, w in sites.items()}
    below: dict[str, list[str]] = {i: [] for i in sites}
    for child, parents in above.items():
        for parent in parents:
            below[parent].append(child)

    def branch(site: str, trail: tuple[str, ...]) -> dict[str, Any]:
        narrower = [branch(c, (*trail, c)) for c in sorted(below[site]) if c not in trail]
        return {"id": site, "label": sites[site].name, "narrower": narrower}

    return [branch(i, (i,)) for i in sorted(sites) if not above[i]]
