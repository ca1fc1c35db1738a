"""What was found dense: the candidates that count as deposits, and what is excluded and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from resorb.ct.coarse import Coarse
from resorb.ct.labels import Labels
from resorb.ct.noise import Noise
from resorb.terms.measurement import Excluded


@dataclass(frozen=True)
class Candidate:
    """One deposit. flat : sorted flat indices of its voxels. sure, because : see `DepositMeasure`.
    faint : never dense enough to count.
    """

    flat: NDArray[Any]
    sure: str
    because: str
    faint: bool = False
    site: str | None = None
    site_distance_mm: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Findings:
    """All candidates in order of place, what is excluded, and what the search rests on.

    foreign : flat indices of dense voxels that are bone, metal or outside.
    contrast : one sentence on contrast.
    contrast_known : false when calcium and contrast cannot be told apart.
    contrast_seen : true when the header names it, or the scan shows it.
    """

    candidates: tuple[Candidate, ...]
    excluded: tuple[Excluded, ...]
    contrast: str
    contrast_known: bool
    contrast_seen: bool
    noise: Noise
    coarse: Coarse
    foreign: NDArray[Any]
    labels: Labels | None = None
    warnings: tuple[str, ...] = ()
