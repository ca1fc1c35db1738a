"""What `assess` answers. Every sentence carries the ids of the sources it rests on."""

from __future__ import annotations

from dataclasses import dataclass, field

from .case import Use

Sources = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of medicine and its sources; the id `expert` marks opinion without a study."""

    says: str
    source: Sources


@dataclass(frozen=True, slots=True)
class Why:
    """A reason for or against, its rank (decisive, strong, moderate, weak) and its sources."""

    says: str
    weight: str
    source: Sources


@dataclass(frozen=True, slots=True)
class StageFound:
    """The stage that the findings match."""

    id: str
    name: str
    scheme: str
    says: str
    source: Sources


@dataclass(frozen=True, slots=True)
class Ranked:
    """A kind (or a cause) and how it stands: `rank` is shared by ties, `fit` is strong, moderate or weak."""

    id: str
    name: str
    rank: int
    tied: bool
    fit: str
    why: tuple[Why, ...]
    against: tuple[Why, ...]
    not_known: tuple[str, ...]
    says: tuple[Sentence, ...]
    family: str = ""
    codes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    stages: tuple[StageFound, ...] = ()
    treat: tuple[Sentence, ...] = ()


@dataclass(frozen=True, slots=True)
class RedFlagFound:
    """Something that must not wait: emergency, urgent or soon."""

    id: str
    name: str
    urgency: str
    why: tuple[str, ...]
    says: str
    do: str
    source: Sources


@dataclass(frozen=True, slots=True)
class Study:
    """One study behind an outlook: its count (or what it reported), whom it studied and how it was read."""

    source: str
    design: str
    where: str
    read: str
    people: str
    events: int | None = None
    of: int | None = None
    percent: float | None = None
    unit: str = "people"
    says: str = ""
    short: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The other arm of a trial and the difference between the arms, in percentage points with its 95 % interval."""

    course: str
    events: int
    of: int
    percent: float
    difference: float
    low: float
    high: float
    course_name: str = ""


@dataclass(frozen=True, slots=True)
class EffectShown:
    """An effect as the study reported it."""

    measure: str
    value: float
    unit: str
    low: float | None
    high: float | None
    interval: str | None
    against: str | None
    n: int | None


@dataclass(frozen=True, slots=True)
class Certainty:
    """How sure (high, moderate, low, very low), with the reasons."""

    level: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is known of one outcome under one course by one time. Percentages, 0 to 100.

    `estimate` is none for an effect. `low` and `high` are a 95 % interval computed from counts; none where no count was
    reported. `predicts_low/high` say where a new study like these would fall (random effects only).
    `applies` is direct (the studied people are like this case), general (everyone with this kind), conditional (true only if
    something not known here holds) or indirect (they differ from this case).
    """

    kind: str
    outcome: str
    course: str
    by_months: float | None
    estimate: float | None
    low: float | None
    high: float | None
    studies: tuple[Study, ...]
    how: str
    applies: str
    like_this: tuple[str, ...]
    certainty: Certainty
    predicts_low: float | None = None
    predicts_high: float | None = None
    heterogeneity: float | None = None
    against: Comparison | None = None
    effect: EffectShown | None = None
    disagreement: str = ""
    outcome_name: str = ""
    course_name: str = ""


@dataclass(frozen=True, slots=True)
class OptionShown:
    """Something one can do, on its rung of the ladder."""

    id: str
    name: str
    rung: int
    kind: str
    verdict: str
    says: str
    source: Sources
    applies: bool | None
    evidence: tuple[Estimate, ...]
    harms: tuple[Sentence, ...]
    avoid: tuple[Sentence, ...]
    already_done: bool = False


@dataclass(frozen=True, slots=True)
class ClaimShown:
    """Something people say, and what was shown."""

    id: str
    kind: str
    claim: str
    verdict: str
    says: str
    source: Sources


@dataclass(frozen=True, slots=True)
class Ask:
    """A fact that is unknown and would change the answer: the kind, the outlook, or both."""

    id: str
    group: str
    question: str
    changes: str
    because: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """What cannot be said, and why."""

    about: str
    reason: str


@dataclass(frozen=True, slots=True)
class FollowUpShown:
    do: str
    at: str
    kind: str
    source: Sources


@dataclass(frozen=True, slots=True)
class AbsenceShown:
    """What it means, and does not mean, that no calcification was seen."""

    kind: str
    means: str
    does_not_mean: str
    source: Sources


@dataclass(frozen=True, slots=True)
class Observed:
    """What was done and what happened since, beside what was to be expected."""

    option: str
    outcome: str
    after_months: float | None
    expected: tuple[Estimate, ...]


@dataclass(frozen=True, slots=True)
class SeenMeasure:
    """One measure of all deposits that both scans show, in `unit`; the change has its 95 % interval.

    `detectable` is the smallest change these scans would have shown. `per_year` is the pace, and `per_year_percent` the same as a share
    of what was there before; none where the scans are not dated, or nothing was there.
    """

    measure: str
    unit: str
    before: float
    after: float
    change: float
    low: float
    high: float
    detectable: float
    per_year: float | None = None
    per_year_percent: float | None = None


@dataclass(frozen=True, slots=True)
class SeenDeposit:
    """What became of one deposit: its number in the comparison, the verdict and why, and the first measure that could be compared."""

    number: int
    verdict: str
    why: str
    site: str | None
    seen: SeenMeasure | None


@dataclass(frozen=True, slots=True)
class NextScan:
    """When another scan made the same way could tell more: months after the last one, and on what pace that rests."""

    after_months: float
    says: str
    source: Sources


@dataclass(frozen=True, slots=True)
class Seen:
    """What two scans showed, beside what the evidence of the first kind expects by then.

    `verdict` is that of the whole, `verdicts` counts the deposits by theirs. `means` is what such a verdict does and does not mean.
    `mind` is in what the scans differ. `cannot_say` is what this pair, or the evidence, leaves open.
    """

    verdict: str
    why: str
    months_between: float | None
    verdicts: dict[str, int]
    measures: tuple[SeenMeasure, ...]
    expected: tuple[Estimate, ...]
    means: tuple[Sentence, ...]
    mind: tuple[Sentence, ...]
    next_scan: NextScan | None
    cannot_say: tuple[Refusal, ...]
    deposits: tuple[SeenDeposit, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """A published formula worked out on this case's values."""

    id: str
    name: str
    value: float
    unit: str
    says: str
    source: Sources


@dataclass(frozen=True, slots=True)
class SourceShown:
    """A source: how it was read, by whom and when."""

    id: str
    citation: str
    year: int
    read: str
    read_by: str
    read_on: str
    link: str


@dataclass(frozen=True, slots=True)
class Plain:
    """The answer in plain words, with the questions to take to a clinician."""

    text: str
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Versions:
    """What made this answer: same input and same versions, same answer."""

    resorb: str
    evidence: str
    case: str
    schema: int = 1


@dataclass(frozen=True, slots=True)
class Assessment:
    """The answer. Red flags come first and do not depend on the ranking."""

    red_flags: tuple[RedFlagFound, ...]
    mechanism: Sentence | None
    kinds: tuple[Ranked, ...]
    considered: tuple[Ranked, ...]
    ruled_out: tuple[Refusal, ...]
    causes: tuple[Ranked, ...]
    outlooks: tuple[Estimate, ...]
    changes: tuple[Sentence, ...]
    hurts: tuple[Sentence, ...]
    options: tuple[OptionShown, ...]
    claims: tuple[ClaimShown, ...]
    absence: tuple[AbsenceShown, ...]
    observed: tuple[Observed, ...]
    scores: tuple[Score, ...]
    ask_next: tuple[Ask, ...]
    cannot_say: tuple[Refusal, ...]
    follow_up: tuple[FollowUpShown, ...]
    plain: Plain
    sources: tuple[SourceShown, ...]
    versions: Versions
    notice: str
    read_from: tuple[Use, ...] = ()
    seen: Seen | None = None

    @property
    def none_fits(self) -> bool:
        """Whether no kind fits."""
        return not self.kinds

    def outlook(self, outcome: str | None = None, *, course: str | None = None, by_months: float | None = None) -> tuple[Estimate, ...]:
        """The estimates for one outcome (and course), nearest to `by_months` first."""
        found = [e for e in self.outlooks if outcome in (None, e.outcome) and course in (None, e.course)]
        if by_months is not None:
            found.sort(key=lambda e: abs((e.by_months or 1e9) - by_months))
        return tuple(found)
