"""All that was gathered -> one `Case`: the newest word decides, what contradicts itself is not known, and every entry is accounted for."""

from __future__ import annotations

from operator import attrgetter

from ..evidence.library import Library, simplify
from ..terms.case import Case, Done, Fact, Reading, Use
from .concepts import short
from .dates import years_between
from .observations import proven
from .person import Person
from .record import Record, Said, Value

ROUNDING = 0.01  # of a value: less is no disagreement
OLD = 2  # years before the newest entry, from which on it is told
IN_ORDER = attrgetter("entry", "says", "reference")
WAYS = {True: "there", False: "not there", None: "not known"}


def settle(record: Record, person: Person) -> Case:
    """The case. The order in which entries came does not matter."""
    uses: list[Use] = []
    _person(record, person)
    _studies(record)
    facts = _facts(record, uses)
    readings = _readings(record, uses)
    done = _done(record, uses)
    passed = [Use(entry, False, why, first.reference, first.count) for (entry, why), first in record.passed.items()]
    told = (*sorted(uses, key=IN_ORDER), *sorted(passed, key=IN_ORDER))
    return Case(tuple(facts), tuple(readings), tuple(sorted(done, key=repr)), told)


# --- the person ---


def _person(record: Record, person: Person) -> None:
    reference = person.reference
    if person.gender:
        word = record.index.library.spellings["sex"].get(simplify(person.gender))
        if word:
            record.said.setdefault(word, []).append(Said(True, None, "Patient.gender", reference))
        else:
            record.pass_over("Patient.gender", f"{short(person.gender)} is no word of a card", reference)
    if "birthDate" in person.resource:
        _age(record, person)


def _age(record: Record, person: Person) -> None:
    entry, reference = "Patient.birthDate", person.reference
    born, now = person.born, record.until or record.newest
    if not born:
        record.pass_over(entry, "it is no date", reference)
        return
    if not now:
        record.pass_over(entry, "no entry has a date, so the age is not known: say the date asked about", reference)
        return
    at = "the date asked about" if record.until else "the newest entry"
    if person.died and person.died[: len(now)] < now:
        now, at = person.died, "death"
    card = record.index.library.quantities["age"]
    age = round(years_between(born, now), 3)
    if not card.impossible_under <= age <= card.impossible_over:
        record.pass_over(entry, f"it makes {age:.0f} years on {now[:10]} ({at}); is a date wrong? Say the date asked about", reference)
        return
    written = f"{int(age)} years" if age >= 2 else f"{age * 12:.1f} months"
    reading = Reading("age", age, None, f"{written} at {at}", now)
    record.values.setdefault("age", []).append(Value(reading, 0, entry, reference))


# --- imaging studies ---


def _studies(record: Record) -> None:
    """A study tells how a deposit was seen only where something else says that it shows one."""
    if not record.studies:
        return
    library = record.index.library
    sites = {w for w, said in record.said.items() if record.index.group[w] == "site" and any(s.present for s in said)}
    for study in record.studies:
        names = sorted({library.words[m.word].name for m in study.seen})
        entry = f"ImagingStudy ({', '.join(names)})" if names else "ImagingStudy"
        spoken_of = study.reference in record.spoken_of
        if not spoken_of and not _overlap({m.word for m in study.where}, sites, library):
            record.pass_over(entry, "it tells where was looked, not where a deposit lies", study.reference)
            continue
        record.say(study.seen, True, study.when, entry, study.reference)
        if spoken_of:
            record.say(study.where, True, study.when, entry, study.reference)
        if not study.seen:
            record.pass_over(entry, "no card knows its modality", study.reference)


def _overlap(some: set[str], others: set[str], library: Library) -> bool:
    return any(a in library.around[b] or b in library.around[a] for a in some for b in others)


# --- facts ---


def _facts(record: Record, uses: list[Use]) -> list[Fact]:
    decided = {word: _decide(word, said, record) if len(said) > 1 else (said[0].present, said[0], 1) for word, said in record.said.items()}
    _clear_contradictions(decided, record)
    facts = []
    words = record.index.library.words
    for word, (present, first, count) in sorted(decided.items()):
        card = words[word]
        facts.append(Fact(card.group, word, present))
        day = f", {first.when[:10]}" if first.when else ""
        says = f"{card.name}: {WAYS[present]} ({card.group}{day})"
        uses.append(Use(first.entry, True, says, first.reference, count))
    return facts


def _decide(word: str, said: list[Said], record: Record) -> tuple[bool | None, Said, int]:
    """The newest entry that is sure decides; entries of the same moment that disagree leave it unknown."""
    sure = [s for s in said if s.present is not None] or said
    newest = max(s.when or "" for s in sure)
    last = [s for s in sure if (s.when or "") == newest]
    present = last[0].present if len({s.present for s in last}) == 1 else None
    agreeing = [s for s in sure if s.present == present] or last
    for other in said if len(agreeing) < len(said) else ():
        if other not in agreeing:
            name = record.index.library.words[word].name
            record.pass_over(other.entry, f"a newer or surer entry tells of {name}", other.reference)
    return present, last[0] if len(last) == 1 else min(last, key=lambda s: (s.entry, s.reference)), len(agreeing)


def _clear_contradictions(decided: dict[str, tuple[bool | None, Said, int]], record: Record) -> None:
    library = record.index.library
    if len(record.index.excluding.intersection(decided)) < 2 and all(present for present, _, _ in decided.values()):
        return  # nearly always
    implied: dict[str, set[str]] = {}
    for word, (present, _, _) in decided.items():
        for wide in library.wider[word] if present else ():
            implied.setdefault(wide, set()).add(word)
    for word in sorted(w for w, (present, _, _) in decided.items() if present is False and w in implied):
        _, first, count = decided.pop(word)
        by = library.words[min(implied[word])].name
        for _ in range(count):
            record.pass_over(first.entry, f"it denies what {by} implies", first.reference)
    pairs = [(wide, other) for wide in implied for other in library.words[wide].excludes if other in implied]
    clashing = {word for wide, other in pairs for word in implied[wide] | implied[other]}
    for word in sorted(clashing):
        _, first, count = decided[word]
        decided[word] = (None, first, count)


# --- readings ---


def _readings(record: Record, uses: list[Use]) -> list[Reading]:
    """Every value that counts, by quantity and time. Where the newest disagree, a reading that says so stands for them."""
    readings: list[Reading] = []
    for quantity, values in sorted(record.values.items()):
        kept, clashing = _agreed(values, record)
        readings += [value.reading for value in kept]
        if clashing:
            readings.append(_unsure(clashing, uses, record))
        if kept:
            uses.append(_newest(quantity, kept, bool(clashing), record))
    return readings


def _agreed(values: list[Value], record: Record) -> tuple[list[Value], list[Value]]:
    """One value for each moment, that of the best code, in order of time; and those of the newest moment where they disagree."""
    alone = {v.reading.when or "": v for v in values}
    if len(alone) == len(values) and "" not in alone:
        return [alone[when] for when in sorted(alone)], []  # nearly always
    moments: dict[str, list[Value]] = {}
    for value in values:
        moments.setdefault(value.reading.when or "", []).append(value)
    if len(moments) > 1 and "" in moments:
        for value in moments.pop(""):
            record.pass_over(value.entry, "it has no date, and others have", value.reference)
    kept: list[Value] = []
    newest = max(moments)
    for moment in sorted(moments):
        best = min(v.rank for v in moments[moment])
        first = [v for v in moments[moment] if v.rank == best]
        for value in moments[moment]:
            if value.rank != best:
                record.pass_over(value.entry, "a better kind of this lab was taken at the same moment", value.reference)
        if _alike([v.reading for v in first]):
            kept.append(min(first, key=lambda v: (v.reading.written, v.entry, v.reference)))
        elif moment == newest:
            return kept, first
        else:
            for value in first:
                record.pass_over(value.entry, f"{_either(first)} of one moment disagree", value.reference)
    return kept, []


def _alike(readings: list[Reading]) -> bool:
    """Whether these say the same; a value told in two units is rounded in each."""
    values = [r.value for r in readings if r.value is not None]
    if len(values) < len(readings):
        return len({(r.value, r.level) for r in readings}) == 1
    return max(values) - min(values) <= ROUNDING * max(map(abs, values))


def _either(values: list[Value]) -> str:
    return " and ".join(sorted({v.reading.written for v in values}))


def _unsure(values: list[Value], uses: list[Use], record: Record) -> Reading:
    """What is left of values of one moment that disagree: the level, where all prove the same for everyone; else nothing but that."""
    quantity, when = values[0].reading.quantity, values[0].reading.when
    card, written = record.index.library.quantities[quantity], _either(values)
    levels = {level for v in values for level in ([v.reading.level] if v.reading.value is None else proven(v.reading.value, card))}
    day = f" of one moment ({when[:10]})" if when else ""
    first = min(values, key=lambda v: (v.entry, v.reference))
    if len(levels) == 1 and (level := levels.pop()):
        says = f"{card.name}: {written}{day} disagree; {level} by each, so {level} is used"
        uses.append(Use(first.entry, True, says, first.reference, len(values)))
        return Reading(quantity, None, level, written, when)
    for value in values:
        record.pass_over(value.entry, f"{card.name}: {written}{day} disagree, so it is not known now: which is right?", value.reference)
    return Reading(quantity, None, None, written, when)


def _newest(quantity: str, kept: list[Value], clashing: bool, record: Record) -> Use:
    card = record.index.library.quantities[quantity]
    last = kept[-1]
    when = last.reading.when or ""
    said = f"{card.name}: {last.reading.written}"
    if when and last.entry != "Patient.birthDate":
        said += f", {when[:10]}"
        if int(record.newest[:4]) - int(when[:4]) >= OLD and (old := years_between(when, record.newest)) >= OLD:
            said += f", {old:.0f} years before the newest entry"
    if clashing:
        said += "; kept as the trend, since newer ones of one moment disagree"
    if len(kept) > 1:
        said += f"; {len(kept) - 1} older kept as the trend"
    return Use(last.entry, True, said, last.reference, len(kept))


# --- what was done ---


def _done(record: Record, uses: list[Use]) -> list[Done]:
    done = []
    for option, deeds in record.deeds.items():
        last = max(deeds, key=lambda s: (s.when or "", s.entry, s.reference))
        day = last.when[:10] if last.when else None
        done.append(Done(option, day))
        name = record.index.library.options[option].name
        uses.append(Use(last.entry, True, f"done: {name}{f', {day}' if day else ''}", last.reference, len(deeds)))
    return done
