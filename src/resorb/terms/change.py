"""What `compare` answers: one verdict for each deposit of two scans, judged by the smallest change the pair can show.

Positions are LPS millimetres. `centroid_mm` is in the baseline scan's frame, `centroid_followup_mm` in the follow-up scan's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from resorb.terms.assessment import Refusal, SourceShown
from resorb.terms.measurement import Point, ScanFacts
from resorb.terms.sealing import plain, sealed
from resorb.terms.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure before and after, in the unit its field is named after.

    `low` and `high` are the 95 % interval of `change`, which is after less before. `detectable` is the smallest change, up or
    down, that this pair would have called a change, corrected for all deposits of the patient.
    """

    before: float
    after: float
    change: float
    low: float
    high: float
    detectable: float


Differed = Difference | Refusal


@dataclass(frozen=True, slots=True)
class DepositChange:
    """One deposit, or the pieces that became or came from one, and its verdict. `why` says what decided it.

    `baseline` and `followup` are the ids in the two measurements; none where it was not found.
    Where it was not found, the measures are taken at the place it would lie.
    """

    baseline: tuple[int, ...] | None
    followup: tuple[int, ...] | None
    verdict: Verdict
    why: str
    site: str | None
    centroid_mm: Point
    centroid_followup_mm: Point
    mass_mg: Differed
    volume_mm3: Differed
    agatston: Differed


@dataclass(frozen=True, slots=True)
class RuleSays:
    """What a published rule for the change of a total says of this pair, beside the verdict of resorb.

    `tells` usual: `limit` is how far two scans of something unchanged usually lay apart, so that going beyond it shows no change.
    """

    name: str
    measure: str
    limit: float
    change: float
    exceeded: bool
    applies: str
    source: str
    tells: Literal["limit", "usual"] = "limit"


@dataclass(frozen=True, slots=True)
class TotalChange:
    """All deposits that both scans cover, added up."""

    verdict: Verdict
    why: str
    baseline_deposits: int
    followup_deposits: int
    mass_mg: Differed
    volume_mm3: Differed
    agatston: Differed
    annual_mass_mg: Differed
    rules: tuple[RuleSays, ...] = ()


@dataclass(frozen=True, slots=True)
class Alignment:
    """How the follow-up was laid on the baseline, checked by itself. `error_mm` : estimated 95th percentile at the deposits.

    `displacement_mm` and `rotation_degrees` : how far the patient had moved (median at the deposits). `failed` : why no
    position can be trusted; empty where it worked.
    """

    how: str
    error_mm: float | None
    displacement_mm: float | None
    rotation_degrees: float | None
    overlap_percent: float | None
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Differs:
    """One thing in which the scans differ. `effect` is `said` (no harm known), `widens` (limits made wider) or `cannot tell`."""

    what: str
    baseline: str
    followup: str
    effect: Literal["said", "widens", "cannot tell"]
    says: str
    source: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Versions:
    """What made this answer."""

    resorb: str
    evidence: str
    baseline: str
    followup: str
    schema: int = 1


@dataclass(frozen=True, slots=True)
class Change:
    """Two scans of one person: every deposit with its verdict, the total, and what the pair can and cannot show."""

    baseline: ScanFacts
    followup: ScanFacts
    months_between: float | None
    deposits: tuple[DepositChange, ...]
    total: TotalChange
    alignment: Alignment
    comparable: tuple[Differs, ...]
    warnings: tuple[str, ...]
    sources: tuple[SourceShown, ...]
    versions: Versions
    notice: str = "For research and education. Not a medical device; not for the care of individual patients."

    def to_dict(self) -> dict[str, Any]:
        """The same as plain dicts and lists, ready for JSON and sealed: a difference is its six numbers, or {refused: reason}."""
        return sealed(plain(self))
