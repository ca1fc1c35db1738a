"""What `ask` answers: a question people ask, sentence by sentence, each with the sources it rests on."""

from __future__ import annotations

from dataclasses import dataclass

from .assessment import Sentence, SourceShown


@dataclass(frozen=True, slots=True)
class Answer:
    """`question` as it was put, `heard_as` what it was taken for; `kinds` are the ids of the kinds it concerns."""

    question: str
    heard_as: str
    sentences: tuple[Sentence, ...]
    kinds: tuple[str, ...]
    sources: tuple[SourceShown, ...]
