"""Three or more scans of one person: the course of the total, judged as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from resorb.terms.assessment import SourceShown
from resorb.terms.change import Change, Differed, Versions
from resorb.terms.measurement import ScanFacts
from resorb.terms.sealing import plain, sealed

Course = Literal["falling", "steady", "rising", "cannot tell"]


@dataclass(frozen=True, slots=True)
class Stop:
    """One scan of a series: months since the first, and the total mass it shows of the deposits that it shares with the first.

    `mass_mg` is this scan against the first: before, after, the change and its interval; refused where that pair cannot be told.
    """

    scan: ScanFacts
    months: float | None
    mass_mg: Differed


@dataclass(frozen=True, slots=True)
class Thread:
    """One deposit through a series. `first` : its ids in the first scan, none where it came later.

    `rows` : for each of the changes, which of its deposits it is, counted from 1; several where it came apart, none where it is not shown.
    """

    first: tuple[int, ...] | None
    rows: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Trend:
    """A series of scans. `annual_mass_mg` : the change in a year on one straight line through all; `straight` : whether that fits."""

    course: Course
    why: str
    annual_mass_mg: Differed
    straight: bool
    stops: tuple[Stop, ...]
    changes: tuple[Change, ...]
    warnings: tuple[str, ...]
    sources: tuple[SourceShown, ...]
    versions: Versions
    threads: tuple[Thread, ...] = ()
    notice: str = "For research and education. Not a medical device; not for the care of individual patients."

    def to_dict(self) -> dict[str, Any]:
        """The same as plain dicts and lists, ready for JSON and sealed; each change as it is by itself."""
        return sealed({**plain(self), "changes": [change.to_dict() for change in self.changes]})
