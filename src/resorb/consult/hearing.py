"""Hearing: free words -> meanings. English endings are cut off; wordings of one meaning, and words that say nothing, are on a card.

In: text and a `Library`. Out: tokens to compare questions by, and the kinds and case words the text names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from ..evidence.library import Library

_LENGTH = re.compile(r"\d+(?:[.,]\d+)?\s*-?\s*(?:mm|cm|millimet(?:re|er)s?|centimet(?:re|er)s?)\b")
_SCORE = re.compile(r"\b(?!19\d\d\b|20[0-4]\d\b)[1-9]\d{2,3}\b")  # a number of hundreds that is no year
_ENDINGS = (("ies", "y"), ("ied", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""))
_LONGEST = 10
_CODED = ("site", "finding", "condition")

Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """A question as heard: its meanings, the kinds it names, the case words in it, and the meanings of the places named."""

    meanings: frozenset[str]
    kinds: tuple[str, ...]
    coded: tuple[tuple[str, str], ...]
    names: frozenset[str]
    places: frozenset[str]


def stem(word: str) -> str:
    """A word without its ending: stones -> ston, calcified -> calcify, passing -> pass."""
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith(("ss", "us", "is")):
            word = word[: -len(ending)] + instead
            break
    return word.removesuffix("e") if len(word) > 3 else word


def words_of(text: str) -> Phrase:
    """The words of a text as stems; a length such as 6 mm becomes one word, and so does a number of hundreds."""
    plain = _LENGTH.sub(" lengthgiven ", re.sub(r"\bwhat['’]?s\b", "what is", text.lower()).replace("'", "").replace("’", ""))
    return tuple(stem(w) for w in re.findall(r"[a-z0-9]+", _SCORE.sub(" scoregiven ", plain)))


def meanings(words: Phrase, library: Library) -> frozenset[str]:
    """The words that say something; where several wordings mean the same, the meaning instead of the word."""
    same, silent = _same(library)
    found = {means for _, means in _spans(words, same)}
    covered = {i for span, _ in _spans(words, same) for i in span}
    return frozenset(found | {w for i, w in enumerate(words) if i not in covered and w not in silent})


def hear(text: str, library: Library) -> Heard:
    """The question as the library understands it."""
    words = words_of(text)
    kinds = _spans(words, _kind_names(library))
    idiom = {i for span, _ in _spans(words, _same(library)[0]) if len(span) > 1 for i in span}  # `turn back` is no back
    coded = [(span, of) for span, of in _spans(words, _coded_names(library)) if len(span) > 1 or span[0] not in idiom]
    name = frozenset(w for span, _ in (*kinds, *coded) for i in span for w in meanings((words[i],), library))
    places = frozenset().union(*(meanings(tuple(words[i] for i in span), library) for span, of in coded if of.startswith("site ")))
    pairs = tuple(dict.fromkeys((of.partition(" ")[0], of.partition(" ")[2]) for _, of in coded))
    return Heard(meanings(words, library), tuple(dict.fromkeys(k for _, k in kinds)), pairs, name, places)


def _spans(words: Phrase, table: Mapping[Phrase, str]) -> list[tuple[range, str]]:
    """Where phrases of the table stand in the words, the longest first at each place, none overlapping."""
    found, at = [], 0
    while at < len(words):
        for length in range(min(_LONGEST, len(words) - at), 0, -1):
            if (of := table.get(words[at : at + length])) is not None:
                found.append((range(at, at + length), of))
                at += length - 1
                break
        at += 1
    return found


@lru_cache(maxsize=8)
def _same(library: Library) -> tuple[dict[Phrase, str], frozenset[str]]:
    table = {words_of(said): m.means for m in library.listening.same for said in (*m.said, m.means.replace("_", " "))}
    return table, frozenset(w for said in library.listening.silent for w in words_of(said))


@lru_cache(maxsize=8)
def _kind_names(library: Library) -> dict[Phrase, str]:
    names = _table((name, kind.id) for kind in library.decks.kinds for name in (*kind.also, kind.name, kind.id.replace("_", " ")))
    silent = _same(library)[1]
    return {phrase: kind for phrase, kind in names.items() if len(phrase) > 1 or phrase[0] not in silent}  # `CAT` is mostly a cat


@lru_cache(maxsize=8)
def _coded_names(library: Library) -> dict[Phrase, str]:
    cards = [word for word in library.decks.words if word.group in _CODED]
    return _table((name, f"{word.group} {word.id}") for word in cards for name in (*word.also, word.name))


def _table(entries: Iterable[tuple[str, str]]) -> dict[Phrase, str]:
    return {phrase: of for name, of in entries if (phrase := words_of(name.partition("(")[0]))}
