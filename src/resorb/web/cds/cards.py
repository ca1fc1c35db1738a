"""Cards: an answer as an electronic health record shows it. What is said comes from the answer; here it is only set out."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ...terms.assessment import Assessment, Estimate, OptionShown, Ranked, RedFlagFound, Sentence, SourceShown, Versions
from ...terms.time import months_in_words

Json = dict[str, Any]
NAMES = uuid.UUID("6f2f7a0e-4a53-5d0e-9a5b-0c1f4f6f5a11")
REASONS_SYSTEM = "urn:uuid:6f2f7a0e-4a53-5d0e-9a5b-0c1f4f6f5a12"
REASONS = (
    ("known", "Already known and acted on"),
    ("record-wrong", "The record is wrong or out of date"),
    ("does-not-apply", "Does not apply to this person"),
    ("patient-declines", "The person declines"),
    ("disagree", "I do not agree with the evidence"),
)
WITH, AGAINST = "With this order: ", "Against this order: "
URGENCY = {"emergency": "critical", "urgent": "warning", "soon": "info"}
LONGEST = 139
MOST_FLAGS, MOST_ROWS, MOST_OPTIONS, MOST_ASKED, MOST_SOURCES = 4, 5, 6, 3, 12


@dataclass(frozen=True)
class Flagged:
    """The part of an answer that is red flags alone."""

    red_flags: tuple[RedFlagFound, ...]
    sources: tuple[SourceShown, ...]
    versions: Versions
    notice: str


class Desk:
    """Sets out one answer; sources are numbered as they are cited on each card."""

    def __init__(self, said: Assessment | Flagged, service: str, base: str) -> None:
        self.said: Any = said
        self.service, self.base = service, base
        self.sources = {s.id: s for s in said.sources}

    def flags(self) -> list[Json]:
        """What must not wait. Nothing where there is nothing to say."""
        return [self.flag(flag) for flag in self.said.red_flags[:MOST_FLAGS]]

    def view(self) -> list[Json]:
        """What must not wait, then the kind that fits best."""
        return [*self.flags(), *(self.kind(kind) for kind in self.said.kinds[:1])]

    # --- one card each ---

    def flag(self, flag: RedFlagFound, before: str = "") -> Json:
        """A red flag."""
        lines = [f"**{_up(flag.name)}** ({flag.urgency}).", f"{flag.says} {flag.do}", f"Because of: {'; '.join(flag.why)}."]
        return self._card(f"flag:{before}{flag.id}", f"{before}{_up(flag.name)}: {flag.do}", URGENCY[flag.urgency], lines, flag.source)

    def kind(self, kind: Ranked) -> Json:
        """The kind that the chart fits best: outlook, options, what to ask."""
        numbers = [e for e in self.said.outlooks if e.kind == kind.id and e.estimate is not None and e.applies in ("direct", "general")]
        known = f"{numbers[0].outcome_name} in {_frequency(numbers[0])}" if numbers else "what is known of its course"
        tied = [k.name for k in self.said.kinds if k.rank == kind.rank and k is not kind]
        lines = [
            f"The record fits with **{kind.name}** ({kind.fit} fit){f'; equally with {_and(tied)}' if tied else ''}.",
            *(s.says for s in kind.says[:2]),
            *_list("Outlook", [f"{_up(e.outcome_name)}: {_frequency(e)} ({e.certainty.level} certainty)" for e in numbers[:MOST_ROWS]]),
            *_list("Options", [f"{_up(o.name)}: {o.verdict.replace('_', ' ')}" for o in self._options(kind)]),
            *_list("What would change this answer most", [a.question for a in self.said.ask_next[:MOST_ASKED]]),
        ]
        cited = [*(s for said in kind.says[:2] for s in said.source), *(s.source for e in numbers[:MOST_ROWS] for s in e.studies)]
        return self._card(f"kind:{kind.id}", f"Fits with {kind.name}: {known}", "info", lines, cited)

    def option(self, option: OptionShown, before: str = "") -> Json:
        """What is known of one option for the kind in the chart."""
        kind = next((k.name for k in self.said.kinds if k.id == option.kind), option.kind)
        verdict = option.verdict.replace("_", " ")
        rows = [e for e in option.evidence if e.estimate is not None][:MOST_ROWS]
        lines = [
            f"**{_up(option.name)}** for {kind}: **{verdict}**.",
            option.says,
            *_list("Counted", [f"{_up(e.outcome_name)}: {_frequency(e)}" for e in rows]),
            *_list("Not for", [s.says for s in option.avoid]),
            *_list("Harms", [s.says for s in option.harms]),
        ]
        cited = [*option.source, *(s for said in (*option.avoid, *option.harms) for s in said.source)]
        indicator = "warning" if option.verdict in ("harmful", "no_benefit", "no benefit") or option.avoid or before == AGAINST else "info"
        return self._card(
            f"option:{before}{option.id}:{option.kind}", f"{before}{_up(option.name)} for {kind}: {verdict}", indicator, lines, cited
        )

    def sentence(self, sentence: Sentence, before: str) -> Json:
        """One sentence of the answer that holds anew."""
        return self._card(f"says:{before}{sentence.says}", f"{before}{sentence.says}", "info", [sentence.says], sentence.source)

    # --- pieces ---

    def _options(self, kind: Ranked) -> list[OptionShown]:
        return [o for o in self.said.options if o.kind == kind.id and o.applies is not False][:MOST_OPTIONS]

    def _card(self, key: str, summary: str, indicator: str, lines: Iterable[str], cited: Iterable[str]) -> Json:
        ids = list(dict.fromkeys(s for s in cited if s in self.sources))[:MOST_SOURCES]
        listed = [f"{n}. {_linked(self.sources[s])}" for n, s in enumerate(ids, 1)]
        versions = self.said.versions
        told = [
            *lines,
            *(["**Sources**\n\n" + "\n".join(listed)] if listed else []),
            f"_{self.said.notice} resorb {versions.resorb}, evidence {versions.evidence}._",
        ]
        return {
            "uuid": str(uuid.uuid5(NAMES, f"{self.service}|{key}|{versions.case}|{versions.evidence}")),
            "summary": shortened(summary),
            "indicator": indicator,
            "detail": "\n\n".join(told),
            "source": self._source(ids),
            "links": [
                {"label": shortened(self.sources[s].citation), "url": self.sources[s].link, "type": "absolute"}
                for s in ids[:3]
                if self.sources[s].link
            ],
            "overrideReasons": [{"code": code, "system": REASONS_SYSTEM, "display": display} for code, display in REASONS],
        }

    def _source(self, ids: list[str]) -> Json:
        """The primary source of what the card says: not this program, unless nobody else said it."""
        if not ids:
            return {"label": "Expert opinion, without a study behind it (resorb)", "url": self.base}
        first = self.sources[ids[0]]
        return {"label": first.citation, **({"url": first.link} if first.link else {})}


def _frequency(e: Estimate) -> str:
    """An estimate in natural frequencies."""
    unit = e.studies[0].unit if e.studies else "people"
    time = f" by {months_in_words(e.by_months)}" if e.by_months else ""
    reach = f", 95 % interval {e.low:.0f} to {e.high:.0f}" if e.low is not None and e.high is not None else ""
    return f"about {e.estimate:.0f} of 100 {unit}{time}, {e.course_name}{reach}"


def _list(title: str, items: list[str]) -> list[str]:
    return [f"**{title}**\n\n" + "\n".join(f"- {item}" for item in items)] if items else []


def _linked(source: SourceShown) -> str:
    how = "" if source.read == "article" else f" (read: {source.read})"
    return (f"[{source.citation}]({source.link})" if source.link else source.citation) + how


def _and(names: list[str]) -> str:
    return " and ".join(names)


def _up(text: str) -> str:
    return text[:1].upper() + text[1:]


def shortened(text: str) -> str:
    """At most 139 characters, cut between words."""
    plain = " ".join(text.split())
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 4].rsplit(" ", 1)[0].rstrip(",;:") + " ..."
