"""How a room hands out its names: each is loaded when it is first asked for, so that importing a room costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

EXTRAS = {"resorb.ct": "image", "resorb.followup": "image,register", "resorb.pacs": "pacs,image", "resorb.mcp": "mcp"}


def on_demand(room: str, places: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of a room (PEP 562). places : the module of the room that each name stands in."""

    def find(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        try:
            return getattr(import_module(f"{room}.{places[name]}"), name)
        except ModuleNotFoundError as error:
            if room not in EXTRAS or (error.name or "resorb").startswith("resorb"):
                raise
            message = f"{room} needs {error.name}, which is not installed; try: pip install 'resorb[{EXTRAS[room]}]'"
            raise ModuleNotFoundError(message, name=error.name) from None

    return find
