"""The assistant's door: the verbs as read-only tools of the Model Context Protocol, the cards as its resources.

In: calls of an assistant, and the folders it may read. Out: the verbs' own answers, typed.
Refused: what the verbs refuse, in their words; a path outside the folders that were allowed.
"""

from __future__ import annotations

from typing import Any

_PLACES = {"Places": "resorb.mcp.places", "make": "resorb.mcp.server"}

__all__ = list(_PLACES)


def __getattr__(name: str) -> Any:
    """Load a name when it is first asked for, so that importing the room costs nothing."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_PLACES[name]), name)
