"""The comparison of kinds: where, chance of going away with interval and horizon, what changes it, approach."""

from __future__ import annotations

from dataclasses import dataclass

from ..evidence.cards import Kind
from ..evidence.library import Library
from ..terms.assessment import Estimate
from ..terms.case import Case
from .facts import Facts
from .outlook import outlook
from .words import as_sources


@dataclass(frozen=True, slots=True)
class KindRow:
    """One kind in the table. `chance` is none where no study read here counted it."""

    kind: str
    name: str
    family: str
    where: tuple[str, ...]
    chance: Estimate | None
    changes: tuple[str, ...]
    approach: str
    sources: tuple[str, ...]


def table(library: Library) -> tuple[KindRow, ...]:
    """Every kind, by family and name."""
    nobody = Facts(Case(), library)
    rows = [_row(kind, nobody) for kind in library.decks.kinds]
    return tuple(sorted(rows, key=lambda r: (r.family, r.name)))


def _row(kind: Kind, nobody: Facts) -> KindRow:
    library = nobody.library
    found = [e for e in outlook(kind, nobody) if e.outcome in library.reasoning.goes_away and e.estimate is not None]
    found.sort(key=lambda e: (library.reasoning.goes_away.index(e.outcome), e.course != "untreated", e.low is None, bool(e.like_this)))
    sources = {s for said in kind.changes for s in as_sources(said.source)} | {s.source for e in found[:1] for s in e.studies}
    where = tuple(library.words[s].name for s in kind.sites)
    return KindRow(
        kind.id,
        kind.name,
        kind.family,
        where,
        found[0] if found else None,
        tuple(s.says for s in kind.changes),
        kind.approach,
        tuple(sorted(sources)),
    )
