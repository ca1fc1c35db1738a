"""Can these two scans be compared? Everything in which they differ, with what that does to a change, by the cards."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from resorb.ct.acquisition import contrast_in_header, is_sharp
from resorb.ct.findings import Findings
from resorb.ct.scan import Scan
from resorb.evidence.library import Library
from resorb.evidence.limits import Unlike
from resorb.terms.change import Differs

Blurs = Literal["same", "alike", "other"]
GRID_MM = 0.02


@dataclass(frozen=True)
class Comparability:
    """What differs, and what follows. no_change, no_counts : why no change, or no change of a score, can be told; empty where it can.

    gain : relative standard deviation that all weighings of one scan share: how much brighter the same calcium may be on another day.
    blur : how far the blur may differ: of one scanner, kernel and grid; of kernels of one class; of others.
    """

    differs: tuple[Differs, ...]
    no_change: str
    no_counts: str
    gain: float
    blur: Blurs
    sources: tuple[str, ...]


def comparable(before: Scan, after: Scan, found: tuple[Findings, Findings] | None, shelf: Library) -> Comparability:
    """Hold the two acquisitions side by side. found : findings of both, where they are known, for contrast that no header names."""
    cards: dict[str, Unlike] = {card.what: card for card in shelf.decks.unlike}
    seen = [(cards[what], a, b) for what, a, b in _unlike(before, after, found, cards) if what in cards]
    differs = tuple(Differs(_NAMES[c.what], a, b, c.effect, c.says, _sources(c)) for c, a, b in seen)
    same = cards["same"]
    gain = math.hypot(same.relative_sd, *(c.relative_sd for c, _, _ in seen))
    return Comparability(
        differs,
        "; ".join(_reason(c, a, b) for c, a, b in seen if c.effect == "cannot tell"),
        "; ".join(_reason(c, a, b) for c, a, b in seen if "cannot tell" in (c.effect, c.counts)),
        gain,
        _blurs(before, after, {c.what for c, _, _ in seen}),
        tuple(dict.fromkeys(s for c in (same, *(c for c, _, _ in seen)) for s in _sources(c))),
    )


def _blurs(before: Scan, after: Scan, unlike: set[str]) -> Blurs:
    if unlike & {"kernel", "manufacturer", "sharp_kernel"}:
        return "other"
    thick = [s.acquisition.thickness_mm or math.nan for s in (before, after)]
    steps = [*zip(before.spacing, after.spacing, strict=True), thick]
    one_grid = all(abs(a - b) <= GRID_MM for a, b in steps)
    return "same" if one_grid and not unlike & {"scanner", "unknown_scanner", "unknown_kernel"} else "alike"


_NAMES = {
    "kvp": "tube voltage",
    "unknown_kvp": "tube voltage",
    "kernel": "kernel",
    "unknown_kernel": "kernel",
    "sharp_kernel": "kernel",
    "thickness": "slice thickness",
    "spacing": "slice spacing",
    "manufacturer": "manufacturer",
    "scanner": "scanner",
    "unknown_scanner": "scanner",
    "contrast": "contrast",
    "single_slice": "slices",
    "field": "height of the field",
}


def _reason(card: Unlike, before: str, after: str) -> str:
    said = f"{before} and {after}" if before != after else f"{before} in both"
    return f"{_NAMES[card.what]}: {said}"


def _sources(card: Unlike) -> tuple[str, ...]:
    return (card.source,) if isinstance(card.source, str) else tuple(card.source)


def _unlike(before: Scan, after: Scan, found: tuple[Findings, Findings] | None, cards: dict[str, Unlike]) -> Iterator[tuple[str, str, str]]:
    """The name of each thing in which they differ, and how it is in either."""
    if before.single_slice or after.single_slice:
        yield "single_slice", _slices(before), _slices(after)
    contrast = [_contrast(s, f) for s, f in zip((before, after), found or (None, None), strict=True)]
    if any(contrast):
        yield "contrast", contrast[0] or "none named or seen", contrast[1] or "none named or seen"
    yield from _voltage(before, after, cards)
    yield from _kernel(before, after)
    a, b = before.acquisition, after.acquisition
    if a.manufacturer and b.manufacturer and _maker(a.manufacturer) != _maker(b.manufacturer):
        yield "manufacturer", a.manufacturer, b.manufacturer
    elif not a.device or not b.device:
        yield "unknown_scanner", _named(a.device), _named(b.device)
    elif a.device != b.device:
        yield "scanner", "one", "another"
    spacings = (float(before.spacing[0]), float(after.spacing[0]))
    for what, pair in (("thickness", (a.thickness_mm, b.thickness_mm)), ("spacing", spacings)):
        if all(v is not None and math.isfinite(v) for v in pair) and _apart(*pair, cards[what]):  # type: ignore[arg-type]
            yield what, f"{pair[0]:.3g} mm", f"{pair[1]:.3g} mm"
    heights = [len(s.hu) * float(s.spacing[0]) for s in (before, after)]
    if all(map(math.isfinite, heights)) and _apart(heights[0], heights[1], cards["field"]):
        yield "field", f"{heights[0]:.0f} mm", f"{heights[1]:.0f} mm"


def _named(device: str | None) -> str:
    return "named" if device else "not known"


def _slices(scan: Scan) -> str:
    return "one slice" if scan.single_slice else f"{len(scan.hu)} slices"


def _contrast(scan: Scan, found: Findings | None) -> str:
    named = contrast_in_header(scan.acquisition)
    return named or (found.contrast if found is not None and found.contrast_seen else "")


def _voltage(before: Scan, after: Scan, cards: dict[str, Unlike]) -> Iterator[tuple[str, str, str]]:
    a, b = before.acquisition.kvp, after.acquisition.kvp
    if a is None or b is None:
        yield "unknown_kvp", _volts(a), _volts(b)
    elif _apart(a, b, cards["kvp"]):
        yield "kvp", _volts(a), _volts(b)


def _volts(kvp: float | None) -> str:
    return "not known" if kvp is None else f"{kvp:g} kV"


def _kernel(before: Scan, after: Scan) -> Iterator[tuple[str, str, str]]:
    a, b = before.acquisition.kernel, after.acquisition.kernel
    if not a or not b:
        yield "unknown_kernel", a or "not known", b or "not known"
    elif a.strip().upper() != b.strip().upper():
        yield ("sharp_kernel" if is_sharp(a) != is_sharp(b) else "kernel"), a, b


def _maker(name: str) -> str:
    """The maker without what follows: Siemens Healthineers is SIEMENS."""
    return (name.replace("_", " ").split() or [""])[0].upper()


def _apart(a: float, b: float, card: Unlike) -> bool:
    scale = min(abs(a), abs(b)) if card.share else 1.0
    return abs(a - b) > card.more_than * scale
