"""What a case may hold, as JSON Schema made from the cards: words, units, what counts and what does not."""

from __future__ import annotations

from typing import Any

from ..evidence import Library
from ..evidence.cards import Quantity
from ..evidence.form import FIELDS, QUANTITY_FIELDS, READING_FIELDS, WORD_FIELDS
from ..evidence.template import notes

USUAL = 40
TEXT = {"type": "string"}
UNKNOWN = "Leave out what nobody asked or said: not asked is unknown, and unknown is not normal."


def case(library: Library) -> dict[str, Any]:
    """The schema of a case."""
    return {
        "type": "object",
        "description": f"What is known of one person's deposit; or a FHIR R4 resource or Bundle of the person. {UNKNOWN} "
        "Give a word as absent only where it was looked for and not found.",
        "properties": {field: _takes(field, library) for field in FIELDS},
        "examples": [{"age": "48 years", "site": "shoulder.supraspinatus", "findings": ["sharp_margin", {"acoustic_shadow": "absent"}]}],
    }


def _takes(field: str, library: Library) -> dict[str, Any]:
    hint = notes().get(field, "")
    if field in WORD_FIELDS:
        return _words(hint, WORD_FIELDS[field], library)
    if field in QUANTITY_FIELDS:
        return _quantity(library.quantities[QUANTITY_FIELDS[field]], hint)
    if field in READING_FIELDS:
        own = set(QUANTITY_FIELDS.values())
        cards = [q for q in library.decks.quantities if q.group == READING_FIELDS[field] and q.id not in own]
        return {"type": "object", "description": hint, "properties": {card.id: _quantity(card, "") for card in cards}}
    if field == "done":
        return _done(hint, library)
    return {**TEXT, "description": hint}


def _words(hint: str, group: str, library: Library) -> dict[str, Any]:
    """A word, several, or words with present, absent or unknown."""
    cards = sorted((w for w in library.decks.words if w.group == group), key=lambda w: (-library.uses[w.id], w.id))
    usual = ", ".join(card.id for card in cards[:USUAL])
    more = f" and {len(cards) - USUAL} more (evidence_words with group {group!r})" if len(cards) > USUAL else ""
    limits = [f"{c.id} counts {c.counts}" for c in cards if c.counts] + [f"{c.id} is not {c.not_counted}" for c in cards if c.not_counted]
    says = f"{hint}. Words: {usual}{more}." + (f" What counts: {'; '.join(limits)}." if limits else "")
    marked = {"type": "object", "additionalProperties": {"enum": ["present", "absent", "unknown", None]}}
    return {"description": says.lstrip(". "), "anyOf": [TEXT, {"type": "array", "items": {"anyOf": [TEXT, marked]}}, marked]}


def _quantity(card: Quantity, hint: str) -> dict[str, Any]:
    """A number with its unit as written, a level, or several with dates."""
    units = ", ".join(unit for unit in dict.fromkeys((card.unit, *card.units)) if unit) or "no unit"
    said = [f"{card.name}; {units}", hint, " ".join(card.says.split()).partition(". ")[0].rstrip(".")]
    return {"$ref": "#/$defs/reading", "description": ". ".join(s for s in said if s)}


def shapes() -> dict[str, Any]:
    """The shapes that fields share."""
    dated = {
        "type": "object",
        "properties": {
            "value": {"type": ["string", "number"]},
            "unit": TEXT,
            "when": {**TEXT, "description": "2025-03-01, 2025-03 or 2025"},
        },
        "required": ["value"],
    }
    says = "A value with its unit, such as 1.1 mmol/L; for a lab also low, normal or high; or several values, each with its date."
    return {"reading": {"description": says, "anyOf": [TEXT, {"type": "number"}, dated, {"type": "array", "items": dated}]}}


def _done(hint: str, library: Library) -> dict[str, Any]:
    options, outcomes = (", ".join(ids) for ids in (_options(library), [w.id for w in library.decks.words if w.group == "outcome"]))
    entry = {
        "type": "object",
        "properties": {
            "option": {**TEXT, "description": f"What was done: {options}."},
            "outcome": {**TEXT, "description": f"What happened since: {outcomes}."},
            "when": TEXT,
            "after": {**TEXT, "description": "how long after, such as 3 months"},
        },
        "required": ["option"],
    }
    return {"description": hint, "type": "array", "items": entry}


def _options(library: Library) -> list[str]:
    return [card.id for card in sorted(library.decks.options, key=lambda o: (o.rung, o.id))]
