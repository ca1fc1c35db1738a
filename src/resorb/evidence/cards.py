"""What a card may say: one frozen struct per part of a card. A field not named here is refused.

Word tests compare the case with word cards; quantity tests with lab and measure cards.
Nothing here holds a probability: rows hold what a study counted or reported.
"""

from __future__ import annotations

from typing import Literal

from msgspec import field

from ..terms.verdict import Verdict
from .card import Card, Sources, Texts
from .limits import Rule, Unlike

Weight = Literal["decisive", "strong", "moderate", "weak"]
Group = Literal[
    "site", "finding", "condition", "diagnosis", "medicine", "exposure", "symptom", "modality", "stage", "sex", "outcome", "course"
]  # fmt: skip


# --- tests on a case ---------------------------------------------------------------------------


class Test(Card, frozen=True, kw_only=True, rename={"is_": "is", "not_": "not"}):
    """One condition on a case; true, false or unknown. Exactly one subject."""

    site: str | Texts | None = None
    finding: str | Texts | None = None
    condition: str | Texts | None = None
    diagnosis: str | Texts | None = None
    medicine: str | Texts | None = None
    exposure: str | Texts | None = None
    symptom: str | Texts | None = None
    modality: str | Texts | None = None
    stage: str | Texts | None = None
    sex: str | Texts | None = None
    lab: str | None = None
    measure: str | None = None
    is_: str | Texts | None = None
    over: str | None = None
    under: str | None = None
    at_least: str | None = None
    at_most: str | None = None
    any: tuple[Test, ...] | None = None
    all: tuple[Test, ...] | None = None
    not_: Test | None = None


class Reason(Test, frozen=True, kw_only=True):
    """A test that speaks for or against a kind, with how much and on whose word."""

    weight: Weight
    source: Sources
    says: str | None = None


class Said(Card, frozen=True, kw_only=True):
    """A sentence of medicine with its source; `when` limits it to cases that meet all tests."""

    says: str
    source: Sources
    when: tuple[Test, ...] = ()


# --- rows: what a study counted or reported ------------------------------------------------------


class Arm(Card, frozen=True, kw_only=True):
    """A comparator arm: what was done to them, and the count."""

    course: str
    events: int
    of: int


class Counted(Card, frozen=True, kw_only=True):
    """Events among people (or deposits: `unit`), by a time; `against` holds the comparator arm of a trial."""

    events: int
    of: int
    by: str | None = None
    unit: str = "people"
    against: Arm | None = None


class Reported(Card, frozen=True, kw_only=True):
    """A percentage a study reported without the count: shown as it is, without interval, never pooled."""

    percent: float
    by: str | None = None
    of: int | None = None


class Effect(Card, frozen=True, kw_only=True):
    """An effect as reported: odds ratio, hazard ratio, mean difference, progression, sensitivity ..."""

    measure: str
    value: float
    unit: str = ""
    low: float | None = None
    high: float | None = None
    interval: str | None = None
    against: str | None = None
    by: str | None = None
    n: int | None = None


class Row(Card, frozen=True, kw_only=True):
    """One result of one study. Exactly one of counted, reported, effect."""

    outcome: str
    course: str
    source: str
    where: str
    design: Literal[
        "meta_analysis", "randomised_trial", "cohort", "case_control", "cross_sectional", "case_series", "case_report", "survey"
    ]
    counted: Counted | None = None
    reported: Reported | None = None
    effect: Effect | None = None
    among: tuple[Test, ...] = ()
    people: str = ""
    says: str | None = None
    read: Literal["article", "abstract", "secondary"] | None = None


# --- the parts of a kind -----------------------------------------------------------------------


class Recognise(Card, frozen=True, kw_only=True, rename={"for_": "for"}):
    """All of `must` (a false one rules the kind out); `for` and `against` add and subtract."""

    must: tuple[Test, ...] = ()
    for_: tuple[Reason, ...] = ()
    against: tuple[Reason, ...] = ()


class Stage(Card, frozen=True, kw_only=True):
    id: str
    name: str
    scheme: str
    when: tuple[Test, ...]
    says: str
    source: Sources


class OptionUse(Card, frozen=True, kw_only=True):
    """How an option is used for this kind. Trial results stand in `outlook` under this course."""

    option: str
    says: str
    source: Sources
    when: tuple[Test, ...] = ()
    avoid: tuple[Said, ...] = ()
    verdict: Literal["first", "helps", "may_help", "uncertain", "no_benefit", "harmful", "last"] = "may_help"


class RedFlag(Card, frozen=True, kw_only=True):
    """Something that must not wait. Judged on every case, whatever the ranking."""

    id: str
    name: str
    when: tuple[Test, ...]
    urgency: Literal["emergency", "urgent", "soon"]
    says: str
    do: str
    source: Sources


class Claim(Card, frozen=True, kw_only=True):
    id: str
    claim: str
    verdict: Literal["supported", "mixed", "no_benefit", "harmful", "untested", "false"]
    says: str
    source: Sources


class FollowUp(Card, frozen=True, kw_only=True):
    do: str
    source: Sources
    at: str | None = None
    when: tuple[Test, ...] = ()


class Absence(Card, frozen=True, kw_only=True):
    """What it means, and does not mean, that no calcification was seen at these sites."""

    sites: Texts
    means: str
    does_not_mean: str
    source: Sources


class OnScans(Said, frozen=True, kw_only=True):
    """What a verdict of two scans (gone, smaller, larger ...) means for this kind."""

    verdict: Verdict | tuple[Verdict, ...]


class WorkedCase(Card, frozen=True, kw_only=True):
    given: dict[str, object]
    first: str | None = None
    not_first: str | None = None
    red_flag: str | None = None
    says: str | None = None
    source: str | None = None


class Reviewed(Card, frozen=True, kw_only=True):
    by: str
    due: str


# --- whole cards -------------------------------------------------------------------------------

Family = Literal[
    "dystrophic", "metastatic", "idiopathic", "iatrogenic", "calciphylaxis", "ossification", "stone",
    "crystal deposition", "physiologic", "genetic", "atherosclerotic", "degenerative", "neoplastic", "mixed",
]  # fmt: skip


class Kind(Card, frozen=True, kw_only=True):
    """A kind of calcification."""

    id: str
    name: str
    family: Family
    says: tuple[Said, ...]
    plain: str
    sites: Texts
    recognise: Recognise
    cases: tuple[WorkedCase, ...]
    reviewed: Reviewed
    also: Texts = ()
    codes: dict[str, Texts] = field(default_factory=dict)
    hurts: tuple[Said, ...] = ()
    changes: tuple[Said, ...] = ()
    approach: str = ""
    stages: tuple[Stage, ...] = ()
    outlook: tuple[Row, ...] = ()
    options: tuple[OptionUse, ...] = ()
    follow_up: tuple[FollowUp, ...] = ()
    red_flags: tuple[RedFlag, ...] = ()
    claims: tuple[Claim, ...] = ()
    absence: tuple[Absence, ...] = ()
    on_scans: tuple[OnScans, ...] = ()
    causes: Texts = ()
    questions: Texts = ()
    gaps: Texts = ()


class Cause(Card, frozen=True, kw_only=True):
    """What may stand behind a deposit (a hypercalcaemia, a gene, a drug); ranked as kinds are."""

    id: str
    name: str
    says: tuple[Said, ...]
    recognise: Recognise
    also: Texts = ()
    codes: dict[str, Texts] = field(default_factory=dict)
    treat: tuple[Said, ...] = ()
    red_flags: tuple[RedFlag, ...] = ()


class Word(Card, frozen=True, kw_only=True, rename={"is_": "is"}):
    """One word a case may use. `is` names the wider words it implies; `excludes` what it contradicts.

    `within` names the parts of the body a site lies in: the pelvis may mean the uterus, yet a uterus is not read as "the pelvis".
    A code in `codes` says the word is there (ICD-10-CM and ATC codes stand for all that begin with them; a LOINC code asks for it).
    """

    id: str
    group: Group
    name: str
    also: Texts = ()
    is_: Texts = ()
    within: Texts = ()
    excludes: Texts = ()
    counts: str = ""
    not_counted: str = ""
    codes: dict[str, Texts] = field(default_factory=dict)
    denied_by: dict[str, Texts] = field(default_factory=dict)  # codes that say it is not so


class Band(Card, frozen=True, kw_only=True):
    """A reference band for some people: below `low` is low, above `high` is high."""

    source: Sources
    low: float | None = None
    high: float | None = None
    from_years: float | None = None
    to_years: float | None = None
    sex: Literal["female", "male"] | None = None


class Level(Card, frozen=True, kw_only=True):
    """A named level beyond low and high (`very_high`), in the canonical unit."""

    name: str
    source: Sources
    over: float | None = None
    under: float | None = None


class Quantity(Card, frozen=True, kw_only=True):
    """A lab or a measure. `units` maps each accepted unit to the factor onto `unit`."""

    id: str
    group: Literal["lab", "measure"]
    name: str
    unit: str
    units: dict[str, float]
    impossible_under: float
    impossible_over: float
    also: Texts = ()
    bands: tuple[Band, ...] = ()
    levels: tuple[Level, ...] = ()
    codes: dict[str, Texts] = field(default_factory=dict)
    says: str = ""
    usual: float | None = None
    better: Texts = ()  # quantities whose level is believed before this one's, best first


class Formula(Card, frozen=True, kw_only=True):
    """A published formula: its coefficients and what it makes; computed by the function of this name.

    `needs` are quantities (and `sex`); `valid` the ranges it was made for; `knows` words that must be known, present or
    absent; `not_with` words it does not hold with.
    """

    id: str
    name: str
    makes: str
    needs: Texts
    coefficients: dict[str, float | dict[str, float]]
    says: str
    source: Sources
    checked: tuple[dict[str, float | str], ...]
    prefer: str = ""
    valid: dict[str, tuple[float, float]] = field(default_factory=dict)
    knows: Texts = ()
    not_with: Texts = ()


class Option(Card, frozen=True, kw_only=True, rename={"is_": "is"}):
    """Something one can do, with its rung on the ladder (1 watching ... 9 surgery).

    `is` names the wider options that it is a form of; `stops` the medicines that it takes away.
    """

    id: str
    name: str
    rung: int
    says: str
    is_: Texts = ()
    stops: Texts = ()
    also: Texts = ()
    codes: dict[str, Texts] = field(default_factory=dict)
    harms: tuple[Said, ...] = ()
    avoid: tuple[Said, ...] = ()


class Question(Card, frozen=True, kw_only=True):
    """A question people ask, in several wordings, with its answer sentence by sentence."""

    id: str
    asks: Texts
    answer: tuple[Said, ...]
    kinds: Texts = ()


class SameMeaning(Card, frozen=True, kw_only=True):
    """Wordings that mean the same when a question is heard: plain words or short phrases."""

    means: str
    said: Texts


class Intent(Card, frozen=True, kw_only=True):
    """What is wanted of a kind (does it hurt, what treats it ...) and the parts of a kind card that answer it, in order."""

    id: str
    said: Texts  # meanings (see SameMeaning) or plain words
    answer_from: tuple[Literal["says", "outlook", "changes", "options", "hurts", "claims", "red_flags", "follow_up"], ...]


class Listening(Card, frozen=True, kw_only=True):
    """How a question in free words is heard: words that say nothing, words that mean the same, and when an answer is near enough."""

    id: str
    silent: Texts
    same: tuple[SameMeaning, ...]
    topic: Texts  # meanings that show that calcification is spoken of
    intents: tuple[Intent, ...]
    near: float  # share of the question a card must match when the topic is plain
    near_of_a_kind: float  # the same where the question names a kind that can answer for itself
    near_of_a_place: float  # the same where only the place points to a kind
    near_without_topic: float
    unknown: float  # share of the question that may be words no card knows
    unknown_where_plain: float  # the same where a kind, or a topic and a wish, is plain
    many_kinds: int  # a question card about more kinds is a general one
    core: float  # what this share of a card's wordings speak of is what it is about
    most_sentences: int
    most_of_a_part: int


class Read(Card, frozen=True, kw_only=True):
    """How the source was read: by whom, when, in which text."""

    form: Literal["article", "abstract", "secondary", "unverified"]
    by: str
    date: str
    at: str = ""


class Source(Card, frozen=True, kw_only=True):
    id: str
    citation: str
    year: int
    read: Read
    doi: str = ""
    pmid: str = ""
    pmcid: str = ""
    url: str = ""
    note: str = ""


class SeenAs(Said, frozen=True, kw_only=True):
    """A verdict of two scans in the words of the cards: the outcomes to hold beside it, and the findings it adds to a case."""

    outcomes: Texts = ()
    findings: Texts = ()


class Reasoning(Card, frozen=True, kw_only=True):
    """How reasons add up and when studies may stand together. The only place for such numbers."""

    weights: dict[Weight, float]
    unmet_must: float
    unmet_wide: float  # the same where the site asked for is unknown only because the site given is wider
    fits_at: float
    strong_fit_at: float
    show_kinds: int
    show_causes: int
    ask: int
    pool_from: int
    percent_from: int  # with fewer people no percentage is made of a count
    horizon_bands_months: tuple[float, ...]
    large_study: int
    small_study: int
    months: dict[str, float]
    levels_imply: dict[str, str]
    adult_from_years: float
    tissues: Texts  # sites found all over the body; beside a place they do not make it wider
    wide_site: Weight  # what a site reason counts when the site given is only wider
    wide_with: dict[Weight, Weight]  # what a reason of a site and more counts then; one not named here counts nothing
    against_every_kind: tuple[Reason, ...]  # what is no calcium deposit of soft tissue at all: metal, contrast, a bone tumour
    outlook_kinds: int
    zero_means: dict[str, Texts]  # a measure of nought is a finding too: a coronary score of 0 is no calcification seen there
    no_deposit: str  # the word that says no calcification was seen
    mechanism: tuple[Said, ...]  # dystrophic or metastatic: the first that holds is said
    goes_away: Texts
    relief: Texts
    headline: Texts  # what is told in plain words where nothing is known of going away
    natural_courses: Texts
    mechanism_families: Texts
    notice: str
    says: str
    seen_as: dict[Verdict, SeenAs] = field(default_factory=dict)
    pace_units: dict[str, str] = field(default_factory=dict)  # units of a reported pace: a share of what was there, or the measure it is of
    scan_again: Said | None = None


CARDS: dict[str, type[Card]] = {
    "kinds": Kind,
    "causes": Cause,
    "words": Word,
    "quantities": Quantity,
    "formulas": Formula,
    "options": Option,
    "questions": Question,
    "sources": Source,
    "reasoning": Reasoning,
    "listening": Listening,
    "rules": Rule,
    "unlike": Unlike,
}
