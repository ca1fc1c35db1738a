"""What every card part has in common."""

from __future__ import annotations

from msgspec import Struct

Texts = tuple[str, ...]
Sources = str | Texts  # one source id, several, or 'expert' (opinion without a study: never a number)


class Card(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Base of all card parts."""
