"""A small library of made-up cards, so that rules are tested apart from medicine."""

from __future__ import annotations

from typing import Any

import msgspec

from resorb.evidence import Library, library, read_case_mapping
from resorb.evidence.library import Decks
from resorb.terms.case import Case


def shelf(*kinds: dict[str, Any]) -> Library:
    """The shipped words, quantities and reasoning with made-up kinds and sources."""
    real = library().decks
    sources = [
        {"id": f"s{n}", "citation": f"Study {n}", "year": 2000 + n, "read": {"form": "article", "by": "x", "date": "d"}} for n in range(9)
    ]
    sources.append({"id": "hearsay", "citation": "Told", "year": 2000, "read": {"form": "secondary", "by": "x", "date": "d"}})
    made = msgspec.convert({"kinds": [kind(**k) for k in kinds], "sources": sources}, Decks)
    return Library(
        Decks(
            kinds=made.kinds,
            sources=made.sources,
            words=real.words,
            quantities=real.quantities,
            reasoning=real.reasoning,
            options=real.options,
        ),
        "toy",
    )


def kind(**fields: Any) -> dict[str, Any]:
    """A whole card with made-up defaults."""
    defaults: dict[str, Any] = {
        "id": "toy", "family": "dystrophic", "says": [], "plain": "A toy.", "sites": ["tendon"], "cases": [],
        "reviewed": {"by": "unreviewed", "due": "2027"},
        "recognise": {"must": [{"site": "tendon"}], "for": [{"site": "tendon", "weight": "strong", "source": "expert"}]},
    }  # fmt: skip
    return {"name": fields.get("id", "toy"), **defaults, **fields}


def row(events: int, of: int, source: str = "s1", **more: Any) -> dict[str, Any]:
    """A counted result."""
    by = more.pop("by", "12 months")
    return {
        "outcome": "resolved",
        "course": "untreated",
        "counted": {"events": events, "of": of, "by": by},
        "source": source,
        "where": "T1",
        "design": "cohort",
        **more,
    }


def case(made: Library, **given: Any) -> Case:
    """A case read with the library's words."""
    return read_case_mapping(given, made)
