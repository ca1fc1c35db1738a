"""An assessment as FHIR: the outlook as RiskAssessments, red flags as DetectedIssues, kinds as an Observation, one report over all."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from ..terms.assessment import Assessment, Estimate, OptionShown, Ranked, RedFlagFound, Score
from ..terms.time import months_in_words
from .desk import Desk, used
from .elements import Element, between, cited, in_brackets, number, quantity, text_only, to

SEVERITY = {"emergency": "high", "urgent": "high", "soon": "moderate"}
OF_THIS_PERSON = ("direct", "general")
RISK = "http://hl7.org/fhir/StructureDefinition/diagnosticReport-risk"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"


def of_assessment(said: Assessment, desk: Desk) -> list[Element]:
    """Every resource of an answer; the report comes first."""
    flags = [_flag(flag, said, desk) for flag in said.red_flags]
    kinds = [_kinds(said, desk)] if said.kinds else []
    scores = [_score(score, said, desk) for score in said.scores]
    risks = _risks(said, desk)
    report = {
        **desk.begin("DiagnosticReport"),
        "text": {"status": "generated", "div": _narrative(said)},
        "extension": [*({"url": RISK, "valueReference": to(risk)} for risk in risks), *cited(said.sources)],
        "status": "preliminary",
        "code": text_only("Calcification: kind, outlook, options and red flags"),
        "subject": desk.subject,
        **({"issued": desk.when} if desk.when else {}),
        **({"result": [to(r) for r in (*kinds, *scores)]} if kinds or scores else {}),
        "conclusion": _conclusion(said),
    }
    return [report, *flags, *kinds, *scores, *risks]


def _conclusion(said: Assessment) -> str:
    flags = "".join(f"RED FLAG ({flag.urgency}): {flag.name}. " for flag in said.red_flags)
    unsaid = "".join(f" Cannot say: {r.about}: {r.reason.rstrip('.')}." for r in said.cannot_say)
    return f"{flags}{said.plain.text}{unsaid} {said.notice}"


def _of(ids: Iterable[str], said: Assessment) -> list[Element]:
    wanted = set(ids)
    return cited(s for s in said.sources if s.id in wanted)


# --- red flags and kinds ---


def _flag(flag: RedFlagFound, said: Assessment, desk: Desk) -> Element:
    sources = _of(flag.source, said)
    return {
        **desk.begin("DetectedIssue", flag.id),
        **({"extension": sources} if sources else {}),
        "status": "preliminary",
        "code": text_only(flag.name),
        "severity": SEVERITY.get(flag.urgency, "high"),
        "patient": desk.subject,
        "author": to(desk.device),
        "evidence": [{"code": [text_only(why)]} for why in flag.why] or [{"code": [text_only(flag.name)]}],
        "detail": f"{flag.urgency}: {flag.says} {flag.do} {in_brackets(flag.source)}",
    }


def _kinds(said: Assessment, desk: Desk) -> Element:
    """What fits, ranked; a value stands only where one kind is first."""
    first = said.kinds[0]
    reasons = [why for kind in said.kinds for why in (*kind.why, *kind.against)]
    sources = _of((s for why in reasons for s in why.source), said)
    made = desk.observation("kinds", code=text_only("Kind of calcification that fits best"), derived=False)
    return {
        **made,
        **({"extension": sources} if sources else {}),
        **({} if first.tied else {"valueCodeableConcept": _kind(first)}),
        **({"dataAbsentReason": text_only("several kinds fit equally well")} if first.tied else {}),
        "note": [
            {"text": "Fits are reasons for and against, ranked; they are no probabilities and no diagnosis."},
            *map(_because, said.kinds),
        ],
        "component": [
            {"code": text_only(f"rank {kind.rank}, {kind.fit} fit{', a tie' if kind.tied else ''}"), "valueCodeableConcept": _kind(kind)}
            for kind in said.kinds
        ],
    }


def _because(kind: Ranked) -> Element:
    told = [f"for: {w.says} {in_brackets(w.source)}" for w in kind.why] + [
        f"against: {w.says} {in_brackets(w.source)}" for w in kind.against
    ]
    return {"text": f"{kind.name}: {'; '.join(told) or 'no reason is known'}"}


def _kind(kind: Ranked) -> Element:
    codes = kind.codes.get("icd10cm", ())
    coding = {"coding": [{"system": ICD10CM, "code": codes[0]}]} if len(codes) == 1 else {}
    return {**coding, "text": kind.name}


def _score(score: Score, said: Assessment, desk: Desk) -> Element:
    sources = _of(score.source, said)
    return {
        **desk.observation("score", score.id, code=text_only(score.name), derived=False),
        **({"extension": sources} if sources else {}),
        "valueQuantity": quantity(score.value, score.unit),
        "method": text_only(f"published formula, worked out on this record's values {in_brackets(score.source)}"),
        **({"note": [{"text": score.says}]} if score.says else {}),
    }


# --- the outlook ---


def _risks(said: Assessment, desk: Desk) -> list[Element]:
    """One RiskAssessment for each kind and course; what was studied in other people is told in a note, not predicted."""
    groups: dict[tuple[str, str], list[Estimate]] = {}
    for estimate in said.outlooks:
        groups.setdefault((estimate.kind, estimate.course), []).append(estimate)
    return [_risk(kind, course, estimates, said, desk) for (kind, course), estimates in groups.items()]


def _risk(kind: str, course: str, estimates: list[Estimate], said: Assessment, desk: Desk) -> Element:
    name = next((k.name for k in said.kinds if k.id == kind), kind)
    course_name = estimates[0].course_name or course.replace("_", " ")
    own = [e for e in estimates if e.applies in OF_THIS_PERSON]
    other = [e for e in estimates if e.applies not in OF_THIS_PERSON]
    basis = used(said)
    sources = _of((study.source for e in estimates for study in e.studies), said)
    options = [o for o in said.options if o.kind == kind and o.id == course]
    return {
        **desk.begin("RiskAssessment", kind, course),
        **({"extension": sources} if sources else {}),
        "status": "preliminary",
        "method": text_only("counts of published studies, with 95 % intervals; nothing is inferred from what is not known"),
        "code": text_only(f"Outlook of {name}, {course_name}"),
        "subject": desk.subject,
        **({"occurrenceDateTime": desk.when} if desk.when else {}),
        "performer": to(desk.device),
        **({"basis": basis} if basis else {}),
        **({"prediction": [_prediction(e) for e in own]} if own else {}),
        **({"mitigation": "; ".join(map(_option, options))} if options else {}),
        **({"note": [{"text": f"{_outcome(e)}: {_rationale(e)}"} for e in other]} if other else {}),
    }


def _outcome(e: Estimate) -> str:
    time = f" by {months_in_words(e.by_months)}" if e.by_months else ""
    return f"{e.outcome_name or e.outcome.replace('_', ' ')}{time}"


def _prediction(e: Estimate) -> Element:
    """Percentages: a range where an interval is known, else the number alone; a count too small gives neither.

    FHIR R4, RiskAssessment.prediction.probability[x] (hl7.org/fhir/R4/riskassessment-definitions.html): a range holds the lower and upper
    bounds of certainty, such as 40-60 %, and decimals are percentages as well, at most 100 (invariant ras-2), not shares of one.
    """
    probability: Element = {}
    if e.low is not None and e.high is not None:
        probability = {"probabilityRange": between(max(0.0, e.low), min(100.0, e.high), "%")}
    elif e.estimate is not None:
        probability = {"probabilityDecimal": number(e.estimate)}
    when = {"whenRange": between(0, e.by_months, "months")} if e.by_months else {}
    return {"outcome": text_only(e.outcome_name or e.outcome), **probability, **when, "rationale": _rationale(e)}


def _rationale(e: Estimate) -> str:
    parts = [f"{e.estimate:.3g} %" if e.estimate is not None else "", _effect(e), _studies(e), e.how, *e.like_this]
    if e.against:
        a = e.against
        apart = f"difference {a.difference:+.3g} points ({a.low:+.3g} to {a.high:+.3g})"
        parts.append(f"against {a.course_name or a.course}: {a.events} of {a.of}, {apart}")
    if e.predicts_low is not None and e.predicts_high is not None:
        parts.append(f"a new study would fall between {e.predicts_low:.0f} and {e.predicts_high:.0f} %")
    parts += [e.disagreement, f"evidence: {e.applies}", f"certainty {e.certainty.level} ({'; '.join(e.certainty.reasons)})"]
    return ". ".join(part.rstrip(".") for part in parts if part)


def _effect(e: Estimate) -> str:
    if e.effect is None:
        return ""
    reach = (
        f" ({e.effect.interval} {e.effect.low:g} to {e.effect.high:g})" if e.effect.low is not None and e.effect.high is not None else ""
    )
    return f"{e.effect.measure} {e.effect.value:g} {e.effect.unit}{reach}{f' against {e.effect.against}' if e.effect.against else ''}"


def _studies(e: Estimate) -> str:
    told = [
        f"{s.events} of {s.of} {s.unit} [{s.source}]" if s.events is not None else f"{s.says or s.people} [{s.source}]" for s in e.studies
    ]
    return "; ".join(told)


def _option(o: OptionShown) -> str:
    return f"{o.name} ({o.verdict.replace('_', ' ')}): {o.says} {in_brackets(o.source)}"


# --- the answer in words, for a viewer that shows nothing else ---


def _narrative(said: Assessment) -> str:
    first = said.kinds[0].id if said.kinds else ""
    blocks = {
        "Must not wait": [f"{f.urgency}: {f.name}. {f.says} {f.do} {in_brackets(f.source)}" for f in said.red_flags],
        "In plain words": [said.plain.text],
        "What two scans showed": [f"{said.seen.verdict}: {said.seen.why}"] if said.seen else [],
        "What kind it is": [f"{k.rank}. {k.name} ({k.fit} fit)" for k in said.kinds],
        "Outlook": [
            f"{_outcome(e)}, {e.course_name}: {_rationale(e)}" for e in said.outlooks if e.kind == first and e.applies in OF_THIS_PERSON
        ],
        "What changes it": [f"{s.says} {in_brackets(s.source)}" for s in (*said.changes, *said.hurts)],
        "What can be done": [_option(o) for o in said.options if o.kind == first],
        "What people say": [f"{c.claim}: {c.verdict}. {c.says} {in_brackets(c.source)}" for c in said.claims if c.kind == first],
        "Ask next": [f"{a.question} ({a.because})" for a in said.ask_next],
        "Follow-up": [f"{f.do} {in_brackets(f.source)}" for f in said.follow_up],
        "Cannot say": [f"{r.about}: {r.reason}" for r in said.cannot_say],
        "Not used of the record": [f"{u.entry}: {u.says} ({u.count})" for u in said.read_from if not u.used],
    }
    told = "".join(
        f"<h3>{title}</h3><ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>" for title, lines in blocks.items() if lines
    )
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{told}<p>{escape(said.notice)}</p></div>'
