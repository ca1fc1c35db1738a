"""A case: what is known of one person's deposit, as written. Everything is optional; unknown is not normal."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .change import Change


class Fact(NamedTuple):
    """A word said of the case: present (true), absent (false) or asked and not known (none)."""

    group: str
    word: str
    present: bool | None = True


class Reading(NamedTuple):
    """A lab or measure. `value` is in the card's own unit; `level` stands alone where only that is known.

    With neither, values of one moment disagree, as `written` tells: what it is now is not known.
    """

    quantity: str
    value: float | None
    level: str | None = None
    written: str = ""
    when: str | None = None


class Done(NamedTuple):
    """Something that was done, and what happened to the deposit or the symptoms since."""

    option: str
    when: str | None = None
    outcome: str | None = None
    after_months: float | None = None


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """One entry of a record: whether it was used, and as what or why not. `count` alike are told once, `reference` is the first of them."""

    entry: str
    used: bool
    says: str
    reference: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Case:
    """Facts, readings and what was done; built by `resorb.read_case` or by hand from card ids.

    `read_from` tells what of a record was used and what was not; it is no part of what the case says, nor of its hash.
    `change` is what two scans showed of it, which is.
    """

    facts: tuple[Fact, ...] = ()
    readings: tuple[Reading, ...] = ()
    done: tuple[Done, ...] = ()
    read_from: tuple[Use, ...] = ()
    change: Change | None = None

    def with_change(self, change: Change) -> Case:
        """The same case, knowing what became of its deposits between two scans."""
        return replace(self, change=change)

    @property
    def digest(self) -> str:
        """A hash of what the case says, whatever the order it was written in."""
        parts = (*sorted(map(repr, self.facts)), *sorted(map(repr, self.readings)), *sorted(map(repr, self.done)))
        if self.change is not None:
            parts = (*parts, self.change.to_dict()["versions"]["seal"])
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
