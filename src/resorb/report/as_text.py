"""An assessment as text for a terminal: red flags first, every sentence with its source."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from ..terms.assessment import Assessment, EffectShown, Estimate, OptionShown, Ranked, SeenMeasure
from ..terms.time import months_in_words
from .change_words import digits

_WIDTH = 110


def assessment_text(said: Assessment, *, why: bool = False) -> str:
    """The whole answer; with `why`, every reason, study and source as well."""
    lines: list[str] = []
    blocks = (
        _flags(said),
        _plain(said),
        seen_lines(said),
        _kinds(said, why),
        _outlook(said, why),
        _options(said, why),
        _rest(said),
        _read_from(said, why),
        _sources(said, why),
    )
    for block in blocks:
        lines += [*block, ""]
    return "\n".join(_squeeze([*lines, said.notice])) + "\n"


def _squeeze(lines: list[str]) -> Iterator[str]:
    last = "x"
    for line in lines:
        if line or last:
            yield line.rstrip()
        last = line


def _wrap(text: str, indent: str = "  ") -> list[str]:
    return textwrap.wrap(" ".join(text.split()), _WIDTH, initial_indent=indent, subsequent_indent=indent) or [indent]


def _cite(source: tuple[str, ...]) -> str:
    return "[" + ", ".join("expert opinion" if s == "expert" else s for s in source) + "]"


def _flags(said: Assessment) -> Iterator[str]:
    for flag in said.red_flags:
        yield f"RED FLAG ({flag.urgency}): {flag.name}"
        yield from _wrap(f"{flag.says} {flag.do} {_cite(flag.source)}")
        yield from _wrap("because " + "; ".join(flag.why))


def _plain(said: Assessment) -> Iterator[str]:
    yield "In plain words"
    yield from _wrap(said.plain.text)
    if said.plain.questions:
        yield "  To ask a clinician:"
        for question in said.plain.questions:
            yield from _wrap("- " + question, "    ")


def seen_lines(said: Assessment) -> Iterator[str]:
    """What two scans showed, beside what was to be expected."""
    seen = said.seen
    if seen is None:
        return
    apart = f", {months_in_words(seen.months_between)} apart" if seen.months_between else ""
    yield f"What two scans showed{apart}: {seen.verdict}"
    yield from _wrap(
        f"{seen.why[:1].upper()}{seen.why[1:]}. Deposits: {', '.join(f'{many} {verdict}' for verdict, many in seen.verdicts.items())}."
    )
    for m in seen.measures:
        yield from _wrap(measure_says(m), "  ")
    for e in seen.expected:
        yield from _wrap("expected: " + _estimate(e), "  ")
    for sentence in (*seen.means, *seen.mind):
        yield from _wrap(f"{sentence.says} {_cite(sentence.source)}")
    if seen.next_scan is not None:
        yield from _wrap(f"{seen.next_scan.says} {_cite(seen.next_scan.source)}")
    for refusal in seen.cannot_say:
        yield from _wrap(f"cannot say {refusal.about}: {refusal.reason}")


def measure_says(m: SeenMeasure) -> str:
    """One measure of two scans in words."""
    few = digits(m)
    before, after, change, low, high, least = (
        f"{x:.{few}f}" if n in (0, 1, 5) else f"{x:+.{few}f}"
        for n, x in enumerate((m.before, m.after, m.change, m.low, m.high, m.detectable))
    )
    pace = f"; {m.per_year:+.{few}f} {m.unit} a year" if m.per_year is not None else ""
    share = f" ({m.per_year_percent:+.0f} % of what was there)" if m.per_year_percent is not None else ""
    said = f"{m.measure}: {before} to {after} {m.unit}, {change} (95 % interval {low} to {high})"
    return f"{said}; a change of {least} would have shown{pace}{share}"


def _kinds(said: Assessment, why: bool) -> Iterator[str]:
    yield "What kind it is"
    if not said.kinds:
        yield "  none fits"
    for kind in said.kinds if why else [k for k in said.kinds if k.rank == 1 or k.fit != "weak"][:3]:
        yield from _kind(kind, why)
    if said.mechanism:
        yield from _wrap(f"{said.mechanism.says} {_cite(said.mechanism.source)}")
    if said.causes:
        yield "What may stand behind it"
    for cause in said.causes:
        yield from _kind(cause, why)
        for sentence in cause.treat:
            yield from _wrap(f"{sentence.says} {_cite(sentence.source)}", "     ")
    for absent in said.absence:
        yield "What it means that none was seen"
        yield from _wrap(f"{absent.means} {absent.does_not_mean} {_cite(absent.source)}")


def _kind(kind: Ranked, why: bool) -> Iterator[str]:
    tie = " (a tie)" if kind.tied else ""
    family = f", {kind.family}" if kind.family else ""
    yield f"  {kind.rank}. {kind.name}{family}: {kind.fit} fit{tie}"
    for stage in kind.stages:
        yield from _wrap(f"stage {stage.name} ({stage.scheme}): {stage.says} {_cite(stage.source)}", "     ")
    for mark, reasons in (("+", kind.why), ("-", kind.against)):
        for reason in reasons if why else reasons[:4]:
            yield from _wrap(f"{mark} {reason.says} ({reason.weight}) {_cite(reason.source)}", "     ")
    if kind.not_known:
        yield from _wrap("? not known: " + "; ".join(kind.not_known), "     ")


def _outlook(said: Assessment, why: bool) -> Iterator[str]:
    if said.kinds:
        yield f"Outlook: {said.kinds[0].name}"
    for estimate in _of_first(said, why):
        yield from _wrap(_estimate(estimate), "  ")
        if why:
            for study in estimate.studies:
                count = f"{study.events} of {study.of} {study.unit}" if study.events is not None else study.people
                yield from _wrap(f"- {count}; {study.design}, {study.where}, read: {study.read} [{study.source}] {study.says}", "      ")
            yield from _wrap(f"certainty {estimate.certainty.level}: {'; '.join(estimate.certainty.reasons)}", "      ")
            yield from _wrap("; ".join(estimate.like_this) or "studied people: everyone with this kind", "      ")
    for sentence in said.changes:
        yield from _wrap(f"What changes it: {sentence.says} {_cite(sentence.source)}")
    for sentence in said.hurts:
        yield from _wrap(f"Pain: {sentence.says} {_cite(sentence.source)}")


def _of_first(said: Assessment, why: bool) -> list[Estimate]:
    first = [e for e in said.outlooks if said.kinds and e.kind == said.kinds[0].id]
    return first if why else [e for e in first if e.applies in ("direct", "general")][:8]


def _estimate(e: Estimate) -> str:
    time = f" by {months_in_words(e.by_months)}" if e.by_months else ""
    head = f"{e.outcome_name}, {e.course_name}{time}: "
    if e.estimate is None and e.effect is None:
        body = f"{e.studies[0].events} of {e.studies[0].of} {e.studies[0].unit}"
    elif e.effect:
        body = _effect(e.effect)
    else:
        counts = ", ".join(f"{s.events} of {s.of} {s.unit}" for s in e.studies if s.events is not None)
        reach = f" (95 % interval {e.low:.0f} to {e.high:.0f}; {counts})" if e.low is not None else ""
        body = f"{e.estimate:.0f} %{reach}"
    if e.against:
        a = e.against
        body += f"; {a.course_name} {a.percent:.0f} %, difference {a.difference:+.0f} points ({a.low:+.0f} to {a.high:+.0f})"
    if e.predicts_low is not None:
        body += f"; a new study would fall between {e.predicts_low:.0f} and {e.predicts_high:.0f}"
    sources = ", ".join(s.source for s in e.studies)
    note = f" {e.disagreement}." if e.disagreement else ""
    return f"{head}{body}. {e.how}; {e.applies}; certainty {e.certainty.level} [{sources}].{note}"


def _effect(effect: EffectShown) -> str:
    reach = f" ({effect.interval} {effect.low:g} to {effect.high:g})" if effect.low is not None and effect.high is not None else ""
    against = f" against {effect.against}" if effect.against else ""
    return f"{effect.measure} {effect.value:g} {effect.unit}{reach}{against}"


def _options(said: Assessment, why: bool) -> Iterator[str]:
    first = [o for o in said.options if said.kinds and o.kind == said.kinds[0].id]
    if first:
        yield "What can be done, from watching to surgery"
    for option in first:
        yield from _option(option, why)


def _option(option: OptionShown, why: bool) -> Iterator[str]:
    unsure = "" if option.applies else " (whether it applies is not known)"
    done = " (already done)" if option.already_done else ""
    yield from _wrap(f"{option.rung}. {option.name} ({option.verdict}){done}{unsure}: {option.says} {_cite(option.source)}")
    for label, sentences in (("harm", option.harms), ("not for", option.avoid)):
        for sentence in sentences if why else sentences[:2]:
            yield from _wrap(f"{label}: {sentence.says} {_cite(sentence.source)}", "     ")


def _rest(said: Assessment) -> Iterator[str]:
    first = said.kinds[0].id if said.kinds else ""
    blocks = {
        "What people say": [f"{c.claim}: {c.verdict}. {c.says} {_cite(c.source)}" for c in said.claims if c.kind == first],
        "What was done": [f"{o.option.replace('_', ' ')}: {o.outcome.replace('_', ' ')}" for o in said.observed],
        "Worked out": [f"{s.name}: {s.value:.3g} {s.unit} {_cite(s.source)}" for s in said.scores],
        "Ask next": [f"{a.question} ({a.because})" for a in said.ask_next],
        "Follow-up": [f"{f.do}{f' ({f.at})' if f.at else ''} {_cite(f.source)}" for f in said.follow_up],
        "Cannot say": [f"{r.about}: {r.reason}" for r in said.cannot_say],
    }
    for title, entries in blocks.items():
        if entries:
            yield title
            for entry in entries:
                yield from _wrap("- " + entry)


def _read_from(said: Assessment, why: bool) -> Iterator[str]:
    """What was used of a record, and what was not: with `why` each entry, else each reason once."""
    if not said.read_from:
        return
    yield "Used of the record"
    if not any(use.used for use in said.read_from):
        yield "- nothing"
    for use in said.read_from:
        if use.used:
            yield from _wrap(f"- {use.says} [{use.entry}]")
    yield "Not used of the record"
    for says, entries in _by_reason(said).items():
        shown = entries if why else entries[:3]
        more = f" and {len(entries) - len(shown)} more; `--why` lists them" if len(entries) > len(shown) else ""
        yield from _wrap(f"- {says}: {', '.join(shown)}{more}")


def _by_reason(said: Assessment) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for use in said.read_from:
        if not use.used:
            found.setdefault(use.says, []).append(f"{use.entry} ({use.count} times)" if use.count > 1 else use.entry)
    return found


def _sources(said: Assessment, why: bool) -> Iterator[str]:
    if why and said.sources:
        yield "Sources"
        for source in said.sources:
            yield from _wrap(f"[{source.id}] {source.citation} {source.link} (read: {source.read}, {source.read_by}, {source.read_on})")
    elif said.sources:
        yield f"{len(said.sources)} sources; `--why` lists them with every reason and study."
    yield f"resorb {said.versions.resorb}, evidence {said.versions.evidence}, case {said.versions.case}"


def table_to_text(rows: Iterable[Any]) -> str:
    """The comparison of kinds, one block a kind."""
    lines: list[str] = []
    for row in rows:
        lines.append(f"{row.name} ({row.family}; {row.kind})")
        lines += _wrap("where: " + ", ".join(row.where[:8]))
        lines += _wrap("goes away: " + (_estimate(row.chance) if row.chance else "no study read here counted it"))
        for change in row.changes:
            lines += _wrap("changes it: " + change)
        lines += [*_wrap("approach: " + (row.approach or "see the options")), *_wrap(f"sources: {', '.join(row.sources)}"), ""]
    return "\n".join(lines)


def answer_to_text(answer: Any) -> str:
    """An answered question, sentence by sentence, with its sources."""
    lines = [line for sentence in answer.sentences for line in _wrap(f"{sentence.says} {_cite(sentence.source)}", "")]
    lines += ["", *(f"[{s.id}] {s.citation} {s.link} (read: {s.read})" for s in answer.sources)]
    return "\n".join(lines) + "\n"
