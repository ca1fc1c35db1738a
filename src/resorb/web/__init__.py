"""The web door: HTTP in, one verb called, JSON, pages, FHIR or CDS Hooks cards out. Started by `resorb serve`.

In: requests (a case, a bundle, an upload, a hook). Out: answers of the verbs, jobs for long work, problems with status and reason.
Refused: other hosts' names, strangers without a token, uploads beyond the limits, anything a verb refuses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .app import create
    from .settings import Settings

__all__ = ["Settings", "create"]

_PLACES = {"create": "app", "Settings": "settings"}


def __getattr__(name: str) -> Any:
    """Load a name when it is first asked for: the server libraries are heavy."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_PLACES[name]}", __name__), name)
