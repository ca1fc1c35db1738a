"""The compiled cards in memory, with the indexes that answers are looked up by."""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property, lru_cache
from pathlib import Path

import msgspec

from .cards import Cause, Formula, Kind, Listening, Option, Quantity, Question, Reasoning, Source, Word
from .compile import CARDS_DIR, COMPILED, compile_cards, stamp
from .limits import Rule, Unlike


class Decks(msgspec.Struct, frozen=True, kw_only=True):
    """All cards, by deck."""

    kinds: tuple[Kind, ...] = ()
    causes: tuple[Cause, ...] = ()
    words: tuple[Word, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    formulas: tuple[Formula, ...] = ()
    options: tuple[Option, ...] = ()
    questions: tuple[Question, ...] = ()
    sources: tuple[Source, ...] = ()
    reasoning: tuple[Reasoning, ...] = ()
    listening: tuple[Listening, ...] = ()
    rules: tuple[Rule, ...] = ()
    unlike: tuple[Unlike, ...] = ()


class _Compiled(msgspec.Struct):
    version: str
    stamp: str
    decks: Decks


def simplify(word: str) -> str:
    """One spelling for a word: lower case, underscores for spaces and dashes."""
    return re.sub(r"[\s\-_/]+", "_", word.strip().lower()).strip("_")


_SIDES = ("_left", "_right")


class Library:
    """Every card, by id, and every word by its name and synonyms."""

    def __init__(self, decks: Decks, version: str) -> None:
        self.decks, self.version = decks, version
        self.kinds = {card.id: card for card in decks.kinds}
        self.causes = {card.id: card for card in decks.causes}
        self.words = {card.id: card for card in decks.words}
        self.quantities = {card.id: card for card in decks.quantities}
        self.formulas = {card.id: card for card in decks.formulas}
        self.options = {card.id: card for card in decks.options}
        self.questions = {card.id: card for card in decks.questions}
        self.sources = {card.id: card for card in decks.sources}

    @property
    def reasoning(self) -> Reasoning:
        """How reasons add up."""
        return self.decks.reasoning[0]

    @property
    def listening(self) -> Listening:
        """How questions in free words are heard."""
        return self.decks.listening[0]

    @cached_property
    def spellings(self) -> dict[str, dict[str, str]]:
        """For each group of words (and `lab`, `measure`, `option`): spelling -> id."""
        found: dict[str, dict[str, str]] = {}
        entries: list[tuple[str, Word | Quantity | Option]] = [(c.group, c) for c in self.decks.words]
        entries += [(c.group, c) for c in self.decks.quantities]
        entries += [("option", c) for c in self.decks.options]
        for group, card in entries:
            spelled = found.setdefault(group, {})
            for spelling in (card.name, *card.also):
                spelled.setdefault(simplify(spelling), card.id)
        for group, card in entries:
            found[group][simplify(card.id)] = card.id
        return found

    def site_named(self, label: str | None) -> str | None:
        """The site card that the name of a label means, left or right; none where no card has that name."""
        if label is None:
            return None
        spelled, known = simplify(label), self.spellings["site"]
        forms = (spelled, *(spelled.removesuffix(side) for side in _SIDES), *(spelled.replace(f"{side}_", "_") for side in _SIDES))
        return next((known[form] for form in forms if form in known), None)

    @cached_property
    def uses(self) -> Counter[str]:
        """In how many worked cases each word or lab is said: how usual it is."""
        counted: Counter[str] = Counter()
        for kind in self.decks.kinds:
            for case in kind.cases:
                counted.update({str(word) for said in case.given.values() for word in (said if isinstance(said, (list, dict)) else [said])})
        return counted

    @cached_property
    def wider(self) -> dict[str, frozenset[str]]:
        """For each word, itself and every wider word it implies."""
        closed: dict[str, frozenset[str]] = {}

        def close(word_id: str, trail: tuple[str, ...] = ()) -> frozenset[str]:
            if word_id not in closed and word_id not in trail:
                up = [close(w, (*trail, word_id)) for w in self.words[word_id].is_ if w in self.words]
                closed[word_id] = frozenset({word_id}).union(*up)
            return closed.get(word_id, frozenset({word_id}))

        for word_id in self.words:
            close(word_id)
        return closed

    @cached_property
    def around(self) -> dict[str, frozenset[str]]:
        """For each word, itself, every wider word, and every part of the body it lies within."""
        closed: dict[str, frozenset[str]] = {}
        for word_id in self.words:
            found, left = {word_id}, [word_id]
            while left:
                card = self.words[left.pop()]
                new = {w for w in (*card.is_, *card.within) if w in self.words} - found
                found |= new
                left += new
            closed[word_id] = frozenset(found)
        return closed

    @cached_property
    def narrower(self) -> dict[str, frozenset[str]]:
        """For each word, itself and every narrower word that implies it."""
        down: dict[str, set[str]] = {w: set() for w in self.words}
        for word_id, wider in self.wider.items():
            for above in wider:
                down[above].add(word_id)
        return {w: frozenset(d) for w, d in down.items()}


def open_library(folder: Path = CARDS_DIR, compiled: Path = COMPILED) -> Library:
    """Read the compiled cards; compile them anew when a card has changed since."""
    raw = compiled.read_bytes() if compiled.exists() else b""
    if raw:
        head = msgspec.json.decode(raw[: raw.index(b',"decks"')] + b"}")
        if head["stamp"] != "sealed" and head["stamp"] != stamp(folder):
            raw = b""
    if not raw:
        raw = compile_cards(folder)
        _keep(compiled, raw)
    found = msgspec.json.decode(raw, type=_Compiled)
    return Library(found.decks, found.version)


def _keep(compiled: Path, raw: bytes) -> None:
    try:
        part = compiled.with_suffix(".part")
        part.write_bytes(raw)
        part.replace(compiled)
    except OSError:
        pass  # a read-only installation compiles in memory each time


@lru_cache(maxsize=1)
def library() -> Library:
    """The library that ships with the package."""
    return open_library()
