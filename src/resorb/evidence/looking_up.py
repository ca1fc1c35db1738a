"""Any card by its id, whole, with the sources it rests on."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

import msgspec

from .library import Library
from .showing import shown


def every(shelf: Library, deck: str | None = None) -> Iterator[tuple[str, Any]]:
    """Every card that has an id (of one deck, or of all), with the name of its deck."""
    for name in shelf.decks.__struct_fields__ if deck is None else (deck,):
        yield from ((name, card) for card in getattr(shelf.decks, name, ()) if hasattr(card, "id"))


def whole(id_: str, shelf: Library, deck: str | None = None) -> list[dict[str, Any]]:
    """Each card of this id, as `deck`, `card` and `sources`; none where no card has it."""
    held = [(name, msgspec.to_builtins(card)) for name, card in every(shelf, deck) if card.id == id_]
    return [{"deck": name, "card": told, "sources": msgspec.to_builtins(shown(_sources(told), shelf))} for name, told in held]


def nearest(id_: str, shelf: Library, otherwise: str, deck: str | None = None) -> str:
    """What to try for an id that no card has; `otherwise` where none is like it."""
    near = difflib.get_close_matches(id_[:80], [card.id for _, card in every(shelf, deck)], 3)
    return f"did you mean {', '.join(near)}?" if near else otherwise


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
