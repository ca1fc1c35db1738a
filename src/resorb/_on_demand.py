"""How a room hands out its names: each is loaded when it is first asked for, so that importing a room costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def on_demand(room: str, places: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of a room (PEP 562). places : the module of the room that each name stands in."""

    def find(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        return getattr(import_module(f"{room}.{places[name]}"), name)

    return find
