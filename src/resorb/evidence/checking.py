"""The checker: every card against every rule, with file and line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from .cards import Kind, Option, OptionUse, Quantity, Row, SeenAs, Test, Word
from .code_forms import wrong_code
from .compile import CARDS_DIR, Placed, Problem, read_cards
from .library import Decks, Library, simplify
from .quantities import QuantityError, parse

WORD_FIELDS = ("site", "finding", "condition", "diagnosis", "medicine", "exposure", "symptom", "modality", "stage", "sex")
_ID = re.compile(r"[a-z][a-z0-9_.]*$")


def check(folder: Path = CARDS_DIR) -> list[Problem]:
    """Everything wrong with the cards in `folder`; an empty list when nothing is."""
    placed, problems = read_cards(folder)
    decks: dict[str, list[Any]] = {}
    for item in placed:
        decks.setdefault(item.deck, []).append(item.card)
    library = Library(msgspec.convert(decks, Decks, from_attributes=True), "being checked")
    for found in (_ids(placed), _spellings(placed), *(_card(item, library) for item in placed)):
        problems.extend(found)
    return sorted(problems)


def _ids(placed: list[Placed]) -> Iterator[Problem]:
    seen: dict[tuple[str, str], Placed] = {}
    for item in placed:
        if item.deck == "reasoning":
            continue
        space = "coded" if item.deck in ("words", "quantities") else item.deck
        if not _ID.match(item.card.id):
            yield Problem(item.file, item.line("id"), f"found the id {item.card.id!r}; expected lower case letters, digits, _ and .")
        first = seen.setdefault((space, item.card.id), item)
        if first is not item:
            yield Problem(item.file, item.line("id"), f"the id {item.card.id!r} is already used in {first.file}:{first.line('id')}")


def _spellings(placed: list[Placed]) -> Iterator[Problem]:
    seen: dict[tuple[str, str], Placed] = {}
    for item in placed:
        if not isinstance(item.card, (Word, Quantity)):
            continue
        for spelling in {simplify(s) for s in (item.card.id, item.card.name, *item.card.also)}:
            first = seen.setdefault((item.card.group, spelling), item)
            if first is not item:
                message = f"the {item.card.group} word {spelling!r} already means {first.card.id!r} ({first.file}:{first.line('id')})"
                yield Problem(item.file, item.line("id"), message)


def _card(item: Placed, library: Library) -> Iterator[Problem]:
    for path, part in _parts(item.card):
        for message in _part(part, path, library):
            yield Problem(item.file, item.line(*path), message)
    if isinstance(item.card, Kind):
        for path, message in _kind(item.card, library):
            yield Problem(item.file, item.line(*path), message)
    for field in ("codes", "denied_by"):
        for system, codes in getattr(item.card, field, {}).items():
            for found in filter(None, (wrong_code(system, code) for code in codes)):
                yield Problem(item.file, item.line(field), found)
    if isinstance(item.card, Word):
        for other in (*item.card.is_, *item.card.within, *item.card.excludes):
            if other not in library.words:
                yield Problem(item.file, item.line("is"), f"found the word {other!r}; expected the id of a word card")


def _parts(part: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    yield path, part
    if isinstance(part, msgspec.Struct):
        for info in msgspec.structs.fields(part):
            yield from _parts(getattr(part, info.name), (*path, info.encode_name))
    elif isinstance(part, (tuple, dict)):
        for key, child in part.items() if isinstance(part, dict) else enumerate(part):
            yield from _parts(child, (*path, key))


def _part(part: Any, path: tuple[str | int, ...], library: Library) -> Iterator[str]:
    if isinstance(part, Test):
        yield from _test(part, library)
    if isinstance(part, Row):
        yield from _row(part, library)
    if isinstance(part, Option):
        medicines = {w.id for w in library.decks.words if w.group == "medicine"}
        wrong = [*(o for o in part.is_ if o not in library.options), *(w for w in part.stops if w not in medicines)]
        yield from (f"found {name!r}; expected the id of an option in `is`, of a medicine in `stops`" for name in wrong)
    if isinstance(part, OptionUse) and part.option not in library.options:
        yield f"found the option {part.option!r}; expected the id of an option card"
    if isinstance(part, SeenAs):
        for group, words in (("outcome", part.outcomes), ("finding", part.findings)):
            for word in words:
                if word not in library.words or library.words[word].group != group:
                    yield f"found the {group} {word!r}; expected the id of a word card of that group"
    if isinstance(part, msgspec.Struct) and hasattr(part, "source") and part.source is not None:
        yield from _sources(part.source, library)


def _sources(source: str | tuple[str, ...], library: Library) -> Iterator[str]:
    for name in (source,) if isinstance(source, str) else source:
        if name != "expert" and name not in library.sources:
            yield f"found the source {name!r}; expected the id of a source card, or `expert`"


def _test(test: Test, library: Library) -> Iterator[str]:
    named = [f for f in (*WORD_FIELDS, "lab", "measure", "any", "all", "not_") if getattr(test, f) is not None]
    if len(named) != 1:
        yield f"found {len(named)} subjects ({', '.join(named) or 'none'}) in one test; expected exactly one (use `all` or `any`)"
        return
    subject = named[0]
    limits = [f for f in ("is_", "over", "under", "at_least", "at_most") if getattr(test, f) is not None]
    if subject in WORD_FIELDS:
        value = getattr(test, subject)
        for word in (value,) if isinstance(value, str) else value:
            if library.words.get(word) is None or library.words[word].group != subject:
                yield f"found the {subject} {word!r}; expected the id of a {subject} word"
    if subject in ("lab", "measure"):
        card = library.quantities.get(getattr(test, subject))
        if card is None or card.group != subject:
            yield f"found the {subject} {getattr(test, subject)!r}; expected the id of a {subject} card"
        elif not limits:
            yield "found no limit; expected one of is, over, under, at_least, at_most"
        else:
            yield from _limits(test, card)
    elif limits:
        yield f"found {limits[0].rstrip('_')} beside {subject}; limits go with lab or measure"


def _limits(test: Test, card: Quantity) -> Iterator[str]:
    names = {"low", "normal", "high", "known", *(level.name for level in card.levels)}
    for name in (test.is_,) if isinstance(test.is_, str) else test.is_ or ():
        if name not in names:
            yield f"found is: {name}; expected one of {', '.join(sorted(names))}"
    for text in (test.over, test.under, test.at_least, test.at_most):
        if text is not None:
            try:
                parse(text, card)
            except QuantityError as error:
                yield f"{card.id}: {error}"


def _row(row: Row, library: Library) -> Iterator[str]:
    if sum(x is not None for x in (row.counted, row.reported, row.effect)) != 1:
        yield "expected exactly one of counted, reported, effect"
    if row.outcome not in library.words or library.words[row.outcome].group != "outcome":
        yield f"found the outcome {row.outcome!r}; expected the id of an outcome word"
    arms = [row.counted.against.course] if row.counted and row.counted.against else []
    for course in (row.course, *arms):
        if course not in library.options and (course not in library.words or library.words[course].group != "course"):
            yield f"found the course {course!r}; expected the id of an option card or a course word"
    if row.source == "expert" or (row.source in library.sources and library.sources[row.source].read.form == "unverified"):
        yield f"the source {row.source!r} has not been read; it may not carry a number"
    counts = [(row.counted.events, row.counted.of)] if row.counted else []
    counts += [(row.counted.against.events, row.counted.against.of)] if row.counted and row.counted.against else []
    for events, of in counts:
        if not 0 <= events <= of or of == 0:
            yield f"found {events} events of {of}; expected 0 <= events <= of"
    if row.reported and not 0 <= row.reported.percent <= 100:
        yield f"found {row.reported.percent} percent; expected 0 to 100"
    part = row.counted or row.reported or row.effect
    if part is not None and part.by is not None:
        try:
            parse(part.by, library.quantities["duration"])
        except QuantityError as error:
            yield f"by: {error}"
    if row.effect and row.effect.low is not None and not row.effect.interval:
        yield "low and high need `interval` to say what they are (95 % CI, range, IQR, SD)"


def _kind(kind: Kind, library: Library) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for site in (*kind.sites, *(s for a in kind.absence for s in a.sites)):
        if site not in library.words or library.words[site].group != "site":
            yield ("sites",), f"found the site {site!r}; expected the id of a site word"
    for cause in kind.causes:
        if cause not in library.causes:
            yield ("causes",), f"found the cause {cause!r}; expected the id of a cause card"
    if not any(case.not_first or case.first == "none" for case in kind.cases):
        yield ("cases",), "expected at least one case that is not this kind (not_first)"
    if not any(case.first == kind.id for case in kind.cases):
        yield ("cases",), f"expected at least one case whose first kind is {kind.id}"
