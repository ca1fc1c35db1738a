"""Asking: a question in free words -> a sourced answer, or nothing where the cards do not cover it.

A question card that is near enough answers; else the card of the kind named in the question, from the parts that
answer what is wanted of it (does it go away, what treats it, does it hurt ...).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from ..evidence.cards import Intent, Kind, Question, Row
from ..evidence.library import Library
from ..terms.answer import Answer
from ..terms.assessment import Sentence
from ..terms.case import Case, Fact
from .facts import Facts
from .hearing import Heard, hear, meanings, words_of
from .recognise import stand
from .sources import shown
from .words import as_sources, name_of

_DOSE = "dose"  # a meaning, and the question card that says that doses are not given
_TREAT = frozenset({"treat"})  # what a question for a dose wants of a kind; as a word it ranks no treatment above another
_NOT_TO_TRY = "not_to_try"  # a meaning: tools and poisons nobody should turn on a deposit
_EMERGENCY = "emergency_"  # how the ids of the emergency cards begin


@dataclass(frozen=True, slots=True)
class _Index:
    """The question cards as meanings: each wording, all wordings with the names of the kinds, and how rare each meaning is."""

    wordings: dict[str, tuple[frozenset[str], ...]]
    whole: dict[str, frozenset[str]]
    rarity: dict[str, float]
    rarest: float

    def weight(self, of: frozenset[str]) -> float:
        """The summed rarity; a word no card knows counts as the rarest."""
        return sum(self.rarity.get(m, self.rarest) for m in of)


def ask(text: str, library: Library) -> Answer | None:
    """The answer to a question, or none where the cards do not cover it. What must not wait comes first."""
    index, heard = _index(library), hear(text, library)
    urgent = _emergency(text, heard, library)
    if urgent is not None:
        return urgent
    dose = _DOSE in heard.meanings
    if dose:
        heard = replace(heard, meanings=heard.meanings - {_DOSE} | (_TREAT if heard.kinds else frozenset()))
    if dose and not heard.meanings and _DOSE in library.questions:
        return _answer(text, library.questions[_DOSE].asks[0], _said(library.questions[_DOSE]), (), library)
    if not heard.meanings or _NOT_TO_TRY in heard.meanings or not _understood(heard, index, library):
        return None
    answer = _best(text, heard, dose, library)
    if answer is None or not dose or _DOSE not in library.questions:
        return answer
    return _answer(text, answer.heard_as, _said(library.questions[_DOSE]) + answer.sentences, answer.kinds, library)


def _best(text: str, heard: Heard, dose: bool, library: Library) -> Answer | None:
    """The nearest question card, unless a kind is named that it is not about; then that kind's own answer."""
    kinds = heard.kinds or _reached(heard, library)
    known = replace(heard, meanings=heard.meanings - _unknown(heard, _index(library), library))
    card = _nearest(known, dose, library)
    if card is not None and not _about_another(card, heard if heard.kinds else known, kinds, library):
        return _answer(text, card.asks[0], _said(card), card.kinds, library)
    answer = _from_kind(text, heard, library.kinds[kinds[0]], library) if kinds else None
    fits = card is not None and (not heard.kinds or not set(heard.kinds).isdisjoint(card.kinds))
    if answer is None and card is not None and fits:
        return _answer(text, card.asks[0], _said(card), card.kinds, library)
    return answer


def _emergency(text: str, heard: Heard, library: Library) -> Answer | None:
    """The emergency of which every word is in the question (the one with most words), with the red flag's own sentences."""
    found = [(asks, card, said) for card, wordings in _emergencies(library) for said, asks in wordings if asks and asks <= heard.meanings]
    if not found:
        return None
    _, card, said = max(found, key=lambda one: len(one[0]))
    flag = next((f for k in library.decks.kinds for f in k.red_flags if f.id == card.id.removeprefix(_EMERGENCY)), None)
    own = (Sentence(f"{flag.says} {flag.do}", as_sources(flag.source)),) if flag else ()
    return _answer(text, said, own + _said(card), card.kinds, library)


@lru_cache(maxsize=8)
def _emergencies(library: Library) -> tuple[tuple[Question, tuple[tuple[str, frozenset[str]], ...]], ...]:
    cards = (q for q in library.decks.questions if q.id.startswith(_EMERGENCY))
    return tuple((q, tuple((a, meanings(words_of(a), library)) for a in q.asks)) for q in cards)


@lru_cache(maxsize=8)
def _index(library: Library) -> _Index:
    cards = [q for q in library.decks.questions if q.id != _DOSE and not q.id.startswith(_EMERGENCY)]
    wordings = {q.id: tuple(meanings(words_of(a), library) for a in q.asks) for q in cards}
    names = {k: meanings(words_of(kind.name), library) for k, kind in library.kinds.items()}
    named = {q.id: [names[k] for k in q.kinds if k in names] for q in cards}
    whole = {q: frozenset().union(*asked, *named[q]) for q, asked in wordings.items()}
    seen = Counter(m for of in whole.values() for m in of)
    rarity = {m: math.log(1 + (len(whole) - n + 0.5) / (n + 0.5)) for m, n in seen.items()}
    return _Index(wordings, whole, rarity, math.log(2 * len(whole) + 2))


def _unknown(heard: Heard, index: _Index, library: Library) -> frozenset[str]:
    """The meanings in the question that no card knows."""
    known = heard.names.union(*(i.said for i in library.listening.intents))
    return frozenset(m for m in heard.meanings if m not in index.rarity and m not in known)


def _understood(heard: Heard, index: _Index, library: Library) -> bool:
    """Whether enough of the question is in words some card knows; less is enough where a kind, or a topic and a wish, is plain."""
    plain = bool(heard.kinds) or len(heard.meanings & _topics(library)) > 0 < len(heard.meanings & _wishes(library))
    most = max(library.listening.unknown, library.listening.unknown_where_plain if plain else 0.0)
    return index.weight(_unknown(heard, index, library)) <= most * index.weight(heard.meanings)


def _topics(library: Library) -> frozenset[str]:
    return frozenset(library.listening.topic)


def _wishes(library: Library) -> frozenset[str]:
    return frozenset(m for i in library.listening.intents for m in i.said)


def _nearest(heard: Heard, dose: bool, library: Library) -> Question | None:
    """The question card that is nearest, if it is near enough."""
    index = _index(library)
    scores = {q: _nearness(heard.meanings, q, index) for q in index.whole}
    if not scores:
        return None
    best = max(scores, key=lambda q: (round(scores[q], 6), -index.weight(index.whole[q])))  # of equals, the narrower card
    return library.questions[best] if scores[best] >= _needed(heard, dose, library) else None


def _needed(heard: Heard, dose: bool, library: Library) -> float:
    on_topic = dose or bool(heard.kinds) or not heard.meanings.isdisjoint(library.listening.topic)
    return library.listening.near if on_topic else library.listening.near_without_topic


def _nearness(asked: frozenset[str], question: str, index: _Index) -> float:
    """Mean of: how like the nearest wording, and how much of what was asked the card has in any wording."""
    all_of_it = index.weight(asked)
    alike = max(2 * index.weight(asked & w) / (all_of_it + index.weight(w)) for w in index.wordings[question])
    return (alike + index.weight(asked & index.whole[question]) / all_of_it) / 2


def _about_another(card: Question, heard: Heard, kinds: tuple[str, ...], library: Library) -> bool:
    """Whether the question speaks of a kind, or a place, and this card does not, or only in passing."""
    index = _index(library)
    if not kinds:
        return False
    near, listening = _nearness(heard.meanings, card.id, index), library.listening
    if near < listening.near_of_a_kind:
        return True
    shared = bool(set(kinds) & set(card.kinds))
    if heard.kinds:
        return not shared or not _to_the_point(card, heard, library)
    return not (shared and near >= listening.near_of_a_place) and not heard.places <= index.whole[card.id]


def _to_the_point(card: Question, heard: Heard, library: Library) -> bool:
    """Whether a card that concerns the kind named is about what is wanted of it, and about nothing that was not asked."""
    index = _index(library)
    wants = _wishes(library)
    wordings = index.wordings[card.id]
    core = frozenset(m for m in wants if sum(m in w for w in wordings) >= library.listening.core * len(wordings))
    wanted = wants & heard.meanings
    return len(card.kinds) <= library.listening.many_kinds and bool(wanted) and wanted <= index.whole[card.id] and core <= heard.meanings


def _reached(heard: Heard, library: Library) -> tuple[str, ...]:
    """The kind that the place and findings in the question speak for, where calcification is spoken of."""
    if heard.meanings.isdisjoint(library.listening.topic) or not heard.coded:
        return ()
    facts = Facts(Case(facts=tuple(Fact(group, word) for group, word in heard.coded)), library)
    standing, _ = stand(facts, "kinds")
    return tuple(s.card.id for s in standing[:1] if s.points >= library.reasoning.fits_at)


def _from_kind(text: str, heard: Heard, kind: Kind, library: Library) -> Answer | None:
    """What the kind's own card says to what is wanted of it."""
    intents = library.listening.intents
    asked = heard.meanings - heard.names
    intent = next((i for i in intents if not asked.isdisjoint(i.said)), None) or next(
        (i for i in intents if not heard.meanings.isdisjoint(i.said)), intents[-1]
    )
    return _answer(text, f"{kind.name}: {intent.id.replace('_', ' ')}", tuple(_wanted(intent, heard, kind, library)), (kind.id,), library)


def _wanted(intent: Intent, heard: Heard, kind: Kind, library: Library) -> Iterator[Sentence]:
    """The parts of the kind card that answer the intent; within a part, what shares words with the question comes first.

    Of the claims only those that speak of what was asked (or of the like: another supplement) are said.
    """
    asked = heard.meanings - heard.names
    for part in intent.answer_from:
        said = [(meanings(words_of(s.says), library), s) for s in _part(part, kind, asked, library)]
        if part == "claims":
            said = [(of, s) for of, s in said if not of.isdisjoint(asked.union(intent.said))]
        said.sort(key=lambda pair: -len(pair[0] & asked - _TREAT))
        yield from (s for _, s in said[: library.listening.most_of_a_part])


def _part(part: str, kind: Kind, asked: frozenset[str], library: Library) -> Iterator[Sentence]:
    if part == "outlook":
        outcomes = _outcomes(asked, library) or library.reasoning.goes_away
        yield from (_counted(row, library) for row in kind.outlook if row.outcome in outcomes and not row.effect)
    elif part == "options":
        yield from (Sentence(f"{_name(o.option, library)}: {o.says}", as_sources(o.source)) for o in kind.options if not o.when)
    elif part == "claims":
        yield from (Sentence(f"“{c.claim}”: {c.says}", as_sources(c.source)) for c in kind.claims)
    elif part == "red_flags":
        yield from (Sentence(f"{f.says} {f.do}", as_sources(f.source)) for f in kind.red_flags)
    elif part == "follow_up":
        yield from (Sentence(f.do, as_sources(f.source)) for f in kind.follow_up if not f.when)
    else:
        if part == "says":
            yield Sentence(kind.plain.strip(), ("expert",))
        yield from (Sentence(s.says, as_sources(s.source)) for s in getattr(kind, part) if not s.when)


def _outcomes(asked: frozenset[str], library: Library) -> frozenset[str]:
    """The outcomes that are asked for by name (died, came back ...)."""
    return frozenset(outcome for outcome, names in _outcome_names(library) if any(name and name <= asked for name in names))


@lru_cache(maxsize=8)
def _outcome_names(library: Library) -> tuple[tuple[str, tuple[frozenset[str], ...]], ...]:
    cards = (w for w in library.decks.words if w.group == "outcome")
    return tuple((w.id, tuple(meanings(words_of(name), library) for name in (w.name, *w.also))) for w in cards)


def _counted(row: Row, library: Library) -> Sentence:
    """A row as a sentence: what, under which course, how many of whom, by when."""
    counted, reported = row.counted, row.reported
    many = f"{counted.events} of {counted.of}" if counted else f"{reported.percent:g} %" if reported else ""
    end = (counted.by if counted else reported.by if reported else None) or ""
    by = f", by {end}" if end else ""
    return Sentence(f"{_name(row.outcome, library)} ({name_of(row.course, library)}): {many}{by}; {row.people}.", (row.source,))


def _name(word: str, library: Library) -> str:
    name = name_of(word, library)
    return name[:1].upper() + name[1:]


def _said(card: Question) -> tuple[Sentence, ...]:
    return tuple(Sentence(s.says, as_sources(s.source)) for s in card.answer)


def _answer(text: str, heard_as: str, sentences: tuple[Sentence, ...], kinds: tuple[str, ...], library: Library) -> Answer | None:
    kept = tuple(dict.fromkeys(sentences))[: library.listening.most_sentences]
    return Answer(text, heard_as, kept, kinds, shown((name for sentence in kept for name in sentence.source), library)) if kept else None
