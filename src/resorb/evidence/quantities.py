"""Numbers with units: `2.9 mmol/L` -> the card's own unit, refused when alien or impossible."""

from __future__ import annotations

import math
import re

from .cards import Quantity

_WRITTEN = re.compile(r"\s*([<>≤≥~]=?)?\s*([-+]?[0-9]+(?:[.,][0-9]+)?(?:[eE][-+]?[0-9]+)?)\s*(.*?)\s*$")


_RANGE = re.compile(r"\s*[0-9.]+\s*(-|–|to)\s*[0-9]")
_LONGEST = 60


class QuantityError(ValueError):
    """What was found, what was expected, what to try."""


def parse(text: str, card: Quantity) -> tuple[float, str]:
    """Value in `card.unit`, and the unit it was written in."""
    text = text if len(text) <= _LONGEST else text[:_LONGEST] + " ..."
    match = _WRITTEN.match(text)
    if not match:
        raise QuantityError(f"found {text!r}; expected a number with a unit, such as {_example(card)}")
    comparator, number, unit = match.groups()
    if comparator or _RANGE.match(text):
        instead = (
            "write `low`, `normal` or `high` where only a limit is known"
            if card.group == "lab"
            else f"write one value, such as {_example(card)}"
        )
        raise QuantityError(f"found {text!r}; expected a plain number: {instead}")
    if "," in number:
        raise QuantityError(f"found {text!r}; write the decimal with a point ({number.replace(',', '.')}), since a comma is read both ways")
    if not unit and "" not in card.units and card.unit != "":
        raise QuantityError(f"found {text!r} without a unit; expected one of {_units(card)}, such as {_example(card)}")
    onto = factor(unit, card)
    if onto is None:
        raise QuantityError(f"found the unit {unit!r}; expected one of {_units(card)}")
    return in_bounds(float(number) * onto, text, card), unit or card.unit


def in_bounds(value: float, written: str, card: Quantity) -> float:
    """The value, unless no living person can have it."""
    if not math.isfinite(value) or not card.impossible_under <= value <= card.impossible_over:
        same = "" if written.endswith(card.unit) else f", which is {value:.4g} {card.unit}"
        bounds = f"{card.impossible_under:g} and {card.impossible_over:g} {card.unit}".strip()
        raise QuantityError(f"found {written}{same}; expected between {bounds}: is the unit right?")
    return value


def factor(unit: str, card: Quantity) -> float | None:
    """The factor of a unit: as written first, then whatever its capitals; mM is molar and mm is not."""
    known = {card.unit: 1.0, **card.units}
    for name, factor in known.items():
        if _plain(name) == _plain(unit):
            return factor
    for name, factor in known.items():
        if _plain(name).lower() == _plain(unit).lower() and not name.endswith("M"):
            return factor
    return None


def _plain(unit: str) -> str:
    return unit.replace("µ", "u").replace("μ", "u").replace("²", "2").replace("³", "3").replace(" ", "").replace("^", "")


def _units(card: Quantity) -> str:
    return ", ".join(dict.fromkeys((card.unit, *(u for u in card.units if u)))) or "no unit"


def _example(card: Quantity) -> str:
    return f"`{card.usual if card.usual is not None else 1:g} {card.unit}`".replace(" `", "`")
