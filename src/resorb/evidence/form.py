"""The form: a case as YAML or JSON -> Case, and the empty form to fill in. Every word comes from a card.

Refused, all problems at once: unknown fields and words (with the nearest known one), missing or alien units,
impossible values, contradictions, anything that is not one plain mapping.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from typing import Any

from ..terms.case import Case, Done, Fact, Reading
from ..terms.errors import CaseRefused, Problem
from .library import Library, simplify
from .quantities import QuantityError, in_bounds, parse
from .strict_yaml import Lines, Path, StrictYamlError, load

WORD_FIELDS = {
    "sex": "sex", "site": "site", "modality": "modality", "findings": "finding", "growth": "finding", "stage": "stage",
    "symptoms": "symptom", "conditions": "condition", "medicines": "medicine", "exposures": "exposure",
}  # fmt: skip
QUANTITY_FIELDS = {"age": "age", "size": "size", "density": "density_hu", "number": "number", "duration": "duration"}
READING_FIELDS = {"labs": "lab", "measures": "measure"}
FIELDS = ("about", "age", "sex", "site", "modality", "findings", "stage", "size", "density", "number", "duration", "growth",
          "symptoms", "labs", "measures", "conditions", "medicines", "exposures", "done")  # fmt: skip
ALSO = {"sites": "site", "finding": "findings", "symptom": "symptoms", "lab": "labs", "condition": "conditions", "history": "exposures",
        "exposure": "exposures", "medicine": "medicines", "medications": "medicines", "supplements": "medicines", "imaging": "modality",
        "measure": "measures", "location": "site", "note": "about", "notes": "about", "stages": "stage", "comorbidities": "conditions",
        "diagnoses": "conditions", "drugs": "medicines", "treatments": "done", "gender": "sex"}  # fmt: skip
PRESENCE = {
    "present": True,
    "yes": True,
    "true": True,
    "absent": False,
    "no": False,
    "false": False,
    "none": False,
    "unknown": None,
    "not known": None,
}
SPOKEN = {"low": "low", "decreased": "low", "reduced": "low", "normal": "normal", "high": "high", "elevated": "high", "raised": "high",
          "increased": "high", "very high": "very_high", "very low": "very_low", "unknown": "unknown"}  # fmt: skip
_DATE = re.compile(r"(19|20)[0-9]{2}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$")
_MONTHS = 12  # in a year
MAX_BYTES = 1_000_000
MAX_ITEMS = 2_000
_OTHER_GROUPS = ("finding", "symptom", "condition", "diagnosis", "exposure", "medicine", "modality", "stage")


def read_case_text(text: str, library: Library, *, name: str = "case") -> Case:
    """Read one case. Raises CaseRefused with every problem found."""
    data, lines = _parse(text, name)
    return read_case_mapping(data, library, name=name, lines=lines)


def read_case_mapping(data: Any, library: Library, *, name: str = "case", lines: Lines | None = None) -> Case:
    """Build a Case from a mapping already in memory."""
    reader = _Reader(library, name, lines or {})
    case = reader.read(data)
    if reader.problems:
        raise CaseRefused(reader.problems)
    return case


def _parse(text: str, name: str) -> tuple[Any, Lines]:
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise CaseRefused([Problem(name, f"found {len(text):,} characters; expected one case, at most {MAX_BYTES:,} bytes")])
    if "\x00" in text:
        raise CaseRefused([Problem(name, "found binary data; expected a case as YAML or JSON text (see `resorb template`)")])
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text, object_pairs_hook=_no_duplicates), {}
        except (_Duplicate, RecursionError) as error:
            said = (
                str(error) if isinstance(error, _Duplicate) else "found values nested too deep; expected fields with words, lists and labs"
            )
            raise CaseRefused([Problem(name, said)]) from None
        except ValueError:
            pass  # a flow mapping is YAML too
    try:
        return load(text)
    except StrictYamlError as error:
        said = f"{error.message}; expected a case as YAML or JSON (see `resorb template`)"
        raise CaseRefused([Problem(f"{name}:{error.line}", said)]) from None


class _Duplicate(ValueError):
    pass


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _Duplicate(f"the key {key!r} is written twice; write it once")
        found[key] = value
    return found


class _Reader:
    """Reads one case; gathers problems instead of stopping at the first."""

    def __init__(self, library: Library, name: str, lines: Lines) -> None:
        self.library, self.name, self.lines = library, name, lines
        self.problems: list[Problem] = []

    def read(self, data: Any) -> Case:
        if not isinstance(data, dict) or not data:
            found = "an empty list" if data == [] else "nothing" if not data else f"a {_kind_of(data)}"
            self.problem((), f"found {found}; expected fields such as `site: shoulder` (see `resorb template`)")
            return Case()
        facts: list[Fact] = []
        readings: list[Reading] = []
        done: list[Done] = []
        for key, value in data.items():
            field = self.field(str(key))
            if field is None or value is None or (isinstance(value, (list, dict)) and not value):
                continue
            if field in WORD_FIELDS:
                facts += self.words(WORD_FIELDS[field], value, (key,))
            elif field in QUANTITY_FIELDS:
                readings += self.reading(QUANTITY_FIELDS[field], value, (key,))
            elif field in READING_FIELDS:
                readings += self.readings(READING_FIELDS[field], value, (key,))
            elif field == "done":
                done += self.done(value, (key,))
        facts = list(dict.fromkeys(facts))
        self.contradictions(facts, readings)
        if not (facts or readings or done or self.problems):
            self.problem((), "found no fact in it; expected at least a site, a finding or a lab (see `resorb template`)")
        return Case(tuple(facts), tuple(readings), tuple(done))

    # --- fields and words ---

    def field(self, key: str) -> str | None:
        plain = simplify(key)
        field = ALSO.get(plain, plain)
        if field in FIELDS:
            return field
        near = difflib.get_close_matches(plain, [*FIELDS, *ALSO], 3)
        near.sort(key=lambda name: sorted(name) != sorted(plain))  # letters swapped first; otherwise the nearest
        hint = f"did you mean {ALSO.get(near[0], near[0])!r}?" if near else f"expected one of {', '.join(FIELDS)}"
        self.problem((key,), f"found the field {_short(key)!r}; {hint}")
        return None

    def words(self, group: str, value: Any, path: Path) -> Iterator[Fact]:
        for word, present, where in self.said(value, path):
            found = self.word(group, word, where)
            if found is None:
                continue
            found_group, word_id, flip = found
            yield Fact(found_group, word_id, (not present) if flip and present is not None else present)

    def said(self, value: Any, path: Path) -> Iterator[tuple[str, bool | None, Path]]:
        """Each word said, whether it is present, and where: from a word, a list or a mapping."""
        if isinstance(value, dict):
            for word, state in value.items():
                spoken = PRESENCE.get(str(state).lower().strip(), "?") if state is not None else None
                if spoken == "?":
                    self.problem((*path, word), f"found {_short(state)!r} for {_short(word)!r}; expected present, absent or unknown")
                else:
                    yield str(word), spoken, (*path, word)  # type: ignore[misc]
        elif isinstance(value, list):
            if len(value) > MAX_ITEMS:
                self.problem(path, f"found {len(value):,} entries; expected at most {MAX_ITEMS:,}")
                return
            for index, item in enumerate(value):
                yield from self.said(item, (*path, index))
        elif isinstance(value, bool) or not isinstance(value, str):
            self.problem(path, f"found {_short(value)!r}; expected a word, a list of words, or words with present, absent or unknown")
        else:
            yield value, True, path

    def word(self, group: str, text: str, path: Path) -> tuple[str, str, bool] | None:
        """Group, id and whether it was denied (`no fever`); reports the nearest words when it is not known."""
        spelled = simplify(text)
        for spelling, denied in ((spelled, False), (spelled.removeprefix("no_").removeprefix("not_"), True)):
            if denied and spelling == spelled:
                continue
            groups = (group, *(g for g in _OTHER_GROUPS if g != group and group in _OTHER_GROUPS))
            for candidate in groups:
                known = self.library.spellings.get(candidate, {})
                for form in (spelling, spelling.removesuffix("s"), spelling + "s"):
                    if form in known:
                        return candidate, known[form], denied
        self.problem(path, f"found the {group} {_short(text)!r}; {self.nearest(group, spelled)}")
        return None

    def nearest(self, group: str, spelled: str) -> str:
        known = self.library.spellings.get(group, {})
        near = list(dict.fromkeys(known[s] for s in difflib.get_close_matches(spelled[:80], known, 5, 0.6)))
        parts = {p for p in spelled.split("_") if len(p) > 3}
        near += [i for i in dict.fromkeys(i for s, i in known.items() if parts & set(s.split("_"))) if i not in near][: 4 - len(near)]
        if near:
            return "did you mean " + ", ".join(near[:4]) + f"? (`resorb template --words {group}` lists all)"
        ids = sorted(set(known.values()))
        if len(ids) <= 12:
            return f"expected one of {', '.join(ids)}"
        return f"expected a word of the form (`resorb template --words {group}` lists all)"

    # --- quantities ---

    def readings(self, group: str, value: Any, path: Path) -> Iterator[Reading]:
        items: list[tuple[Any, Any, Path]] = []
        if isinstance(value, dict):
            items = [(k, v, (*path, k)) for k, v in value.items()]
        elif isinstance(value, list):
            for index, entry in enumerate(value[:MAX_ITEMS]):
                if isinstance(entry, dict) and "name" in entry:
                    items.append((entry["name"], {k: v for k, v in entry.items() if k != "name"}, (*path, index)))
                elif isinstance(entry, dict):
                    items += [(k, v, (*path, index, k)) for k, v in entry.items()]
                else:
                    expected = "a name with a value and a unit, such as `phosphate: 1.1 mmol/L`"
                    self.problem((*path, index), f"found {_short(entry)!r}; expected {expected}")
        else:
            self.problem(path, f"found {_short(value)!r}; expected names with values, such as `phosphate: 1.1 mmol/L`")
        for name, written, where in items:
            quantity = self.quantity(group, str(name), where)
            if quantity:
                yield from self.reading(quantity, written, where)

    def quantity(self, group: str, name: str, path: Path) -> str | None:
        spelled = simplify(name)
        for candidate in (group, "measure" if group == "lab" else "lab"):
            if spelled in self.library.spellings.get(candidate, {}):
                return self.library.spellings[candidate][spelled]
        self.problem(path, f"found the {group} {_short(name)!r}; {self.nearest(group, spelled)}")
        return None

    def reading(self, quantity: str, value: Any, path: Path) -> Iterator[Reading]:
        when = None
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from self.reading(quantity, item, (*path, index))
            return
        if isinstance(value, dict):
            extra = set(value) - {"value", "unit", "when"}
            if extra or "value" not in value:
                self.problem(path, f"found {', '.join(sorted(map(str, value)))}; expected value, unit and when")
                return
            when = None if value.get("when") is None else str(value["when"])
            unit = value.get("unit")
            value = value["value"] if unit is None else f"{value['value']} {unit}"
        if value is None:
            return
        if when is not None and not _DATE.match(when):
            self.problem(path, f"found the date {_short(when)!r}; expected a year, a month or a day, such as 2025-03-01")
            return
        level = SPOKEN.get(str(value).lower().strip())
        if level == "unknown":
            return
        if level:
            yield Reading(quantity, None, level, str(value), when)
            return
        yield from self.number(quantity, value, when, path)

    def number(self, quantity: str, value: Any, when: str | None, path: Path) -> Iterator[Reading]:
        card = self.library.quantities[quantity]
        written = str(value)
        try:
            if quantity == "age" and isinstance(value, (int, float)) and not isinstance(value, bool):
                yield Reading(quantity, in_bounds(float(value), written, card), None, f"{written} years", when)
                return
            found, _ = parse(written, card)
            yield Reading(quantity, found, None, written, when)
        except QuantityError as error:
            self.problem(path, f"{card.name}: {error}")

    # --- what was done ---

    def done(self, value: Any, path: Path) -> Iterator[Done]:
        entries = value if isinstance(value, list) else [value]
        for index, entry in enumerate(entries[:MAX_ITEMS]):
            where = (*path, index) if isinstance(value, list) else path
            said = {"option": entry} if isinstance(entry, str) else entry
            if not isinstance(said, dict) or set(said) - {"option", "when", "outcome", "after"} or "option" not in said:
                form = "{option: needle_lavage, outcome: resolved, after: 3 months}"
                self.problem(where, f"expected option, and if known when, outcome and after, such as `{form}`")
                continue
            option = self.known("option", str(said["option"]), where)
            outcome = self.known("outcome", str(said["outcome"]), where) if said.get("outcome") is not None else None
            after = next(self.number("duration", said["after"], None, where), None) if said.get("after") is not None else None
            if option:
                yield Done(option, None if said.get("when") is None else str(said["when"]), outcome, after.value if after else None)

    def known(self, group: str, text: str, path: Path) -> str | None:
        spelled = simplify(text)
        found = self.library.spellings[group].get(spelled)
        if found is None and group == "option":
            found = self.library.spellings["course"].get(spelled)
        if found is None:
            self.problem(path, f"found the {group} {_short(text)!r}; {self.nearest(group, spelled)}")
        return found

    # --- the case as a whole ---

    def contradictions(self, facts: list[Fact], readings: list[Reading]) -> None:
        present = {f.word for f in facts if f.present}
        implied = {w: f for f in present for w in self.library.wider[f]}
        for fact in facts:
            if fact.present is False and fact.word in implied:
                said = "" if implied[fact.word] == fact.word else f" (said by {implied[fact.word]!r})"
                self.problem((), f"{fact.word!r} is said to be present{said} and absent; keep one")
        clashes = {frozenset((word, implied[other])) for word in implied for other in self.library.words[word].excludes if other in implied}
        for clash in sorted(map(sorted, clashes)):
            self.problem((), f"{' and '.join(map(repr, clash))} contradict each other; keep one")
        seen: dict[str, Reading] = {}
        for reading in readings:
            first = seen.setdefault(reading.quantity, reading)
            if first is not reading and (reading.when is None or first.when is None) and first != reading:
                self.problem(
                    (), f"{reading.quantity!r} is given twice ({first.written}; {reading.written}) without dates; keep one or say when"
                )

    def problem(self, path: Path, message: str) -> None:
        line = next((self.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.lines), None)
        where = f"{self.name}:{line}" if line else self.name
        self.problems.append(Problem(where, message))


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _kind_of(value: Any) -> str:
    return {list: "list", str: "text", int: "number", float: "number", bool: "truth value"}.get(type(value), type(value).__name__)
