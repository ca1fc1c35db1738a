"""Cards looked up for an assistant: whole, with the sources they rest on."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

import msgspec

from ..evidence import library
from ..evidence.showing import shown
from ..terms.errors import UserError


def card(id_: str, deck: str | None = None) -> list[dict[str, Any]]:
    """Every card of this id (of one deck, or of all), with its sources. Raises UserError, with the nearest ids, where there is none."""
    held = [(name, one) for name, one in every(deck) if one.id == id_]
    if not held:
        near = difflib.get_close_matches(id_[:80], [one.id for _, one in every(deck)], 3)
        hint = f"did you mean {', '.join(near)}?" if near else "evidence_table names the kinds"
        raise UserError(f"found no card {id_[:80]!r}; {hint}")
    return [_whole(name, msgspec.to_builtins(one)) for name, one in held]


def every(deck: str | None = None) -> Iterator[tuple[str, Any]]:
    """Every card that has an id, with the name of its deck."""
    decks = library().decks
    for name in decks.__struct_fields__ if deck is None else (deck,):
        yield from ((name, one) for one in getattr(decks, name, ()) if hasattr(one, "id"))


def _whole(deck: str, told: dict[str, Any]) -> dict[str, Any]:
    return {"deck": deck, "card": told, "sources": msgspec.to_builtins(shown(_sources(told), library()))}


def _sources(told: Any) -> Iterator[str]:
    """The source ids that a card names anywhere."""
    if isinstance(told, dict):
        for key, inner in told.items():
            if key == "source":
                yield from [inner] if isinstance(inner, str) else inner or ()
            else:
                yield from _sources(inner)
    elif isinstance(told, (list, tuple)):
        for inner in told:
            yield from _sources(inner)
