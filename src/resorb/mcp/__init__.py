"""The assistant's door: the verbs as read-only tools of the Model Context Protocol, the cards as its resources.

In: calls of an assistant, and the folders it may read. Out: the verbs' own answers, typed.
Refused: what the verbs refuse, in their words; a path outside the folders that were allowed.
"""

from __future__ import annotations

from resorb._on_demand import on_demand

_PLACES = {"Places": "places", "make": "server"}

__all__ = list(_PLACES)

__getattr__ = on_demand(__name__, _PLACES)
