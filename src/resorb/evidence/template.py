"""The empty form, generated from the cards."""

from __future__ import annotations

from collections.abc import Iterator

from .form import READING_FIELDS, WORD_FIELDS
from .library import Library

_HEAD = """\
# A case for `resorb assess`. Everything is optional; leave out what is not known: unknown is not normal.
# Words come from the cards: `resorb template --words site` lists every site with its other names.
# A word can be present (the default), absent or unknown:   findings: [sharp_margin, {fluffy_margin: absent}]
"""

_FIELDS = (
    ("about", "# your own note; not used"),
    ("age", "# 48 years, 12 days, 6 weeks"),
    ("sex", ""),
    ("site", "# where the deposit is; several may be given"),
    ("modality", "# what saw it"),
    ("findings", "# what imaging saw; `no_calcification_seen` is a finding too"),
    ("stage", "# if someone staged it"),
    ("size", "# largest diameter: 12 mm"),
    ("density", "# on CT: 450 HU"),
    ("number", "# how many"),
    ("duration", "# how long it has been there: 8 months"),
    ("growth", "# growing, stable or shrinking"),
    ("symptoms", ""),
    ("labs", "# value with unit (1.1 mmol/L, 3.4 mg/dL), or low, normal, high"),
    ("measures", "# scores and other measures"),
    ("conditions", "# other diseases; and what the deposit has been called, if anybody has: resorb template --words diagnosis"),
    ("medicines", "# medicines and supplements"),
    ("exposures", "# injury, surgery, dialysis, infusion, radiation ..."),
    ("done", "# what was done and what happened since: [{option: needle_lavage, outcome: shrank, after: 3 months}]"),
)


def template(library: Library) -> str:
    """The form as YAML: every field with some of the words it takes."""
    return _HEAD + "\n".join(line for field, note in _FIELDS for line in _field(field, note, library)) + "\n"


def notes() -> dict[str, str]:
    """What is said beside each field of the form."""
    return {field: note.removeprefix("# ") for field, note in _FIELDS}


def _field(field: str, note: str, library: Library) -> Iterator[str]:
    if field in READING_FIELDS:
        yield f"{field}:  {note}"
        for card in library.decks.quantities:
            if card.group == READING_FIELDS[field] and card.id not in ("age", "size", "density_hu", "number", "duration"):
                yield f"  {card.id}:  # {card.name}; {', '.join(dict.fromkeys((card.unit, *card.units))).strip(', ') or 'no unit'}"
        return
    yield f"{field}:  {note}".rstrip()
    if field in WORD_FIELDS and field != "growth":
        group = WORD_FIELDS[field]
        words = sorted((w.id for w in library.decks.words if w.group == group), key=lambda w: (-library.uses[w], w))
        for start in range(0, min(len(words), 24), 8):
            yield "  # " + ", ".join(words[start : start + 8])
        if len(words) > 24:
            yield f"  # and {len(words) - 24} more: resorb template --words {group}"


def words(group: str, library: Library) -> Iterator[str]:
    """Every word of a group: id, name, other names, what counts and what does not."""
    for card in library.decks.words:
        if card.group == group:
            yield _line(card.id, card.name, card.also) + _note("counts", card.counts) + _note("does not count", card.not_counted)
    for quantity in library.decks.quantities:
        if quantity.group == group:
            yield _line(quantity.id, quantity.name, quantity.also) + f"; {', '.join(dict.fromkeys((quantity.unit, *quantity.units)))}"
    if group == "option":
        for option in library.decks.options:
            yield _line(option.id, option.name, option.also)


def _line(id_: str, name: str, also: tuple[str, ...]) -> str:
    return f"{id_}: {name}" + (f" (also {', '.join(also)})" if also else "")


def _note(label: str, text: str) -> str:
    return f"; {label}: {text}" if text else ""
