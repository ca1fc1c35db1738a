"""Do these slices form one regular grid? Order by projected position; refuse with the two files named.

Tolerances are for rounding in headers, not for scanners: positions are often written to 0.1 mm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from resorb.ct.refused import ScanRefused
from resorb.terms.errors import Problem

GAP_MM = 0.101
LINE_MM = 0.06
SAME_PLACE_MM = 0.01
DIRECTION = 2e-3
TILT_DEGREES = 0.5
PIXEL_RANGE_MM = (0.02, 5.0)
SLICE_RANGE_MM = (0.02, 30.0)
FEWEST = 3
MOST_SLICES = 5000
MOST_EXTENT_MM = 3000.0
MOST_PIXELS = 4096


class Placed(Protocol):
    """A slice with a name and a place."""

    @property
    def name(self) -> str: ...
    @property
    def position(self) -> tuple[float, ...]: ...
    @property
    def orientation(self) -> tuple[float, ...]: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    def numbers(self, key: str) -> tuple[float, ...]: ...


@dataclass(frozen=True)
class Grid:
    """The order of the slices and the affine of the volume they form; `single` when there is one slice only."""

    order: tuple[int, ...]
    affine: NDArray[Any]
    single: bool


def regular_grid(slices: Sequence[Placed]) -> Grid:
    """The grid that the slices form. Refuses, naming the files: no geometry, mixed or tilted slices, gaps, doubles."""
    problems = geometry_problems(slices)
    if problems:
        raise ScanRefused(problems, _advice(problems))
    normal = _normal(slices[0].orientation)
    places = np.array([np.dot(s.position, normal) for s in slices])
    order = tuple(int(i) for i in np.argsort(places, kind="stable"))
    return Grid(order, _affine(slices, order, normal), len(slices) == 1)


def geometry_problems(slices: Sequence[Placed]) -> list[Problem]:
    """Everything wrong with the geometry, at most one of each kind."""
    if len(slices) > MOST_SLICES:
        return [Problem("the series", f"found {len(slices)} slices; expected at most {MOST_SLICES}")]
    for check in (_check_each, _check_alike):
        if problems := check(slices):
            return problems
    normal = _normal(slices[0].orientation)
    order = np.argsort([np.dot(s.position, normal) for s in slices], kind="stable")
    return _check_steps([slices[i] for i in order], normal)


def _check_each(slices: Sequence[Placed]) -> list[Problem]:
    """Each slice alone: has it a place, directions at right angles, a believable pixel?"""
    for s in slices:
        if len(s.position) != 3 or len(s.orientation) != 6:
            return [Problem(s.name, "found no ImagePositionPatient or ImageOrientationPatient; expected 3 and 6 numbers")]
        row, column = np.array(s.orientation[:3]), np.array(s.orientation[3:])
        if abs(row @ row - 1) > 0.01 or abs(column @ column - 1) > 0.01 or abs(row @ column) > 0.01:
            return [Problem(s.name, f"found ImageOrientationPatient {s.orientation}; expected two unit directions at right angles")]
        pixel = s.numbers("PixelSpacing")
        if len(pixel) != 2 or not all(PIXEL_RANGE_MM[0] <= p <= PIXEL_RANGE_MM[1] for p in pixel):
            return [
                Problem(
                    s.name, f"found PixelSpacing {pixel or 'none'}; expected two values from {PIXEL_RANGE_MM[0]} to {PIXEL_RANGE_MM[1]} mm"
                )
            ]
        if max(map(abs, s.position)) > 1e5:
            return [Problem(s.name, f"found ImagePositionPatient {s.position}; expected a place within 100 m")]
        if not all(2 <= n <= MOST_PIXELS for n in s.shape):
            return [Problem(s.name, f"found {s.shape[0]} rows and {s.shape[1]} columns; expected 2 to {MOST_PIXELS} of each")]
    return []


def _check_alike(slices: Sequence[Placed]) -> list[Problem]:
    """All slices against the first: directions, size, pixel spacing."""
    first, found = slices[0], []
    odd = next((s for s in slices if np.abs(np.subtract(s.orientation, first.orientation)).max() > DIRECTION), None)
    if odd:
        found.append(
            _two(first, odd, "mixed slice orientation", f"{_short(first.orientation)} and {_short(odd.orientation)}", "one orientation")
        )
    odd = next((s for s in slices if s.shape != first.shape), None)
    if odd:
        found.append(_two(first, odd, "mixed image size", f"{first.shape} and {odd.shape}", "one size"))
    pixel = first.numbers("PixelSpacing")
    odd = next((s for s in slices if np.abs(np.subtract(s.numbers("PixelSpacing"), pixel)).max() > 1e-3), None)
    if odd:
        found.append(
            _two(first, odd, "mixed pixel spacing", f"{_short(pixel)} and {_short(odd.numbers('PixelSpacing'))} mm", "one spacing")
        )
    return found


def _check_steps(ordered: Sequence[Placed], normal: NDArray[Any]) -> list[Problem]:
    """The steps between neighbours in order: none doubled, none missing, none sideways."""
    if len(ordered) == 1:
        return []
    few = []
    if len(ordered) < FEWEST:
        few = [
            _two(
                ordered[0],
                ordered[1],
                "too few slices",
                f"a slice count of {len(ordered)}",
                f"at least {FEWEST}, so that spacing can be checked",
            )
        ]
    positions = np.array([s.position for s in ordered])
    places = positions @ normal
    gaps = np.diff(places)
    found = few
    if gaps.min() < SAME_PLACE_MM:
        at = int(gaps.argmin())
        found.append(
            _two(
                ordered[at],
                ordered[at + 1],
                "not one volume",
                "two slices at one place that differ",
                "one slice at each place (is this several phases, or bolus monitoring?)",
            )
        )
        return found
    usual = float(np.median(gaps))
    worst = int(np.abs(gaps - usual).argmax())
    off_line = np.abs(places - places[0] - np.arange(len(places)) * gaps.mean())
    if abs(gaps[worst] - usual) > GAP_MM or off_line.max() > LINE_MM:
        what = "a missing slice" if gaps[worst] > 1.5 * usual else "uneven slice increment"
        said = f"{gaps[worst]:.3f} mm between them where {usual:.3f} mm is usual"
        found.append(_two(ordered[worst], ordered[worst + 1], what, said, "the same distance between all slices"))
    elif not SLICE_RANGE_MM[0] <= usual <= SLICE_RANGE_MM[1] or places[-1] - places[0] > MOST_EXTENT_MM:
        found.append(
            _two(
                ordered[0],
                ordered[1],
                "absurd slice spacing",
                f"{usual:g} mm over {places[-1] - places[0]:g} mm",
                f"{SLICE_RANGE_MM[0]} to {SLICE_RANGE_MM[1]} mm",
            )
        )
    step = (positions[-1] - positions[0]) / (len(ordered) - 1)
    tilt = np.degrees(np.arccos(np.clip(abs(step @ normal) / np.linalg.norm(step), -1, 1)))
    if tilt > TILT_DEGREES:
        found.append(
            _two(
                ordered[0],
                ordered[1],
                "gantry tilt",
                f"slices that lean {tilt:.1f} degrees against the table's way",
                "slices stacked at right angles",
            )
        )
    return found


def _two(a: Placed, b: Placed, what: str, found: str, expected: str) -> Problem:
    return Problem(f"{a.name} and {b.name}", f"{what}: found {found}; expected {expected}")


def _short(values: Sequence[float]) -> str:
    return "(" + ", ".join(f"{v:.4g}" for v in values) + ")"


def _advice(problems: list[Problem]) -> str:
    said = " ".join(map(str, problems))
    if "missing" in said or "uneven" in said:
        return "fetch the missing slices, or name the evenly spaced series with --series"
    if "gantry tilt" in said:
        return "a reconstruction without tilt, or one resampled to a straight grid"
    return "name one series with --series, or keep its files in a folder of their own"


def _normal(orientation: Sequence[float]) -> NDArray[Any]:
    normal = np.cross(orientation[:3], orientation[3:])
    return np.asarray(normal / np.linalg.norm(normal))


def _affine(slices: Sequence[Placed], order: Sequence[int], normal: NDArray[Any]) -> NDArray[Any]:
    """(slice, row, column, 1) to LPS mm. A single slice gets a unit normal as its slice direction."""
    first, last = slices[order[0]], slices[order[-1]]
    across, down = np.array(first.orientation[:3]), np.array(first.orientation[3:])
    between_rows, between_columns = first.numbers("PixelSpacing")
    affine = np.eye(4)
    affine[:3, 0] = normal
    if len(order) > 1:
        step = np.dot(np.subtract(last.position, first.position), normal) / (len(order) - 1)
        affine[:3, 0] = normal * step
    affine[:3, 1] = down / np.linalg.norm(down) * between_rows
    affine[:3, 2] = across / np.linalg.norm(across) * between_columns
    affine[:3, 3] = first.position
    return affine
