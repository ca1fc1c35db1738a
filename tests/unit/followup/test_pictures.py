# ruff: noqa: E402  (imports come after what may be missing)
"""Pictures of a pair: both tiles show the same place of the body, outlines fall on the deposit, verdicts lie where it lies."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace
from typing import Any

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("scipy")

from resorb.ct import Settings, find
from resorb.ct.measuring import rules_of
from resorb.ct.phantom import Ellipsoid, Scanner, make
from resorb.ct.scan import Scan
from resorb.followup.aligning import handed_over
from resorb.followup.comparison import Compared
from resorb.followup.pairing import Side
from resorb.followup.pictures import pictures
from resorb.report import to_html
from resorb.terms.measurement import Picture
from tests.unit.report import made

SHIFT = np.array([3.0, -2.0, 4.0])
KEPT, GONE = np.array([6.0, -5.0, 3.0]), np.array([-10.0, 6.0, -4.0])


def _scan(deposits: list[Ellipsoid], seed: int) -> Scan:
    return make(Scanner((24, 80, 80), (2.5, 0.7, 0.7), 0.8, 8.0), deposits, seed)


def _grey(picture: Picture) -> Any:
    """The pixels of a PNG, decoded without the encoder under test."""
    raw, at, data = picture.png, 8, b""
    while at < len(raw):
        (length,), kind = struct.unpack(">I", raw[at : at + 4]), raw[at + 4 : at + 8]
        data += raw[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    rows = np.frombuffer(io.BytesIO(zlib.decompress(data)).read(), np.uint8).reshape(picture.height, picture.width + 1)
    return rows[:, 1:]


@pytest.fixture(scope="module")
def shown() -> dict[str, Picture]:
    """The pictures of a pair in which one deposit stays and one goes, and the person moved by `SHIFT`."""
    before = _scan([Ellipsoid(tuple(KEPT), (3.0, 3.0, 3.0), 500.0), Ellipsoid(tuple(GONE), (2.5, 2.5, 2.5), 600.0)], 1)
    after = _scan([Ellipsoid(tuple(KEPT + SHIFT), (3.0, 3.0, 3.0), 500.0)], 2)
    aligned = handed_over((before, after), lambda x: x + SHIFT, lambda x: x - SHIFT)
    sides = [Side(s, find(s), rules_of(s, Settings())) for s in (before, after)]
    first = {n: sides[0].centre(c) for n, c in enumerate(sides[0].findings.candidates, 1)}
    kept = next(i for i, at in first.items() if np.linalg.norm(at - KEPT) < 1)
    (gone,) = set(first) - {kept}
    change = made.change(
        made.pair(1, "unchanged", 40, 40, baseline=(kept,), centroid_mm=tuple(KEPT), centroid_followup_mm=tuple(KEPT + SHIFT)),
        made.pair(2, "resolved", 30, 0, baseline=(gone,), followup=None, centroid_mm=tuple(GONE), centroid_followup_mm=tuple(GONE + SHIFT)),
        made.pair(3, "not covered", 3, 0, baseline=None, followup=None, centroid_mm=(500.0, 0, 0), centroid_followup_mm=(503.0, 0, 0)),
    )  # fmt: skip
    made_now = pictures(Compared(change, *sides, aligned, None))
    assert "data:image/png;base64," in to_html(change, made_now)
    return {p.name: p for p in made_now}


def test_each_deposit_has_two_pictures_and_each_scan_a_view(shown: dict[str, Picture]) -> None:
    assert list(shown) == ["mip-before", "mip-after", "before-2", "after-2", "before-1", "after-1", "before-3", "after-3"]


def test_scans_that_do_not_lie_on_each_other_carry_only_their_own_marks() -> None:
    scans = [_scan([Ellipsoid(tuple(at), (3.0, 3.0, 3.0), 500.0)], seed) for at, seed in ((KEPT, 1), (GONE, 2))]
    lost = handed_over((scans[0], scans[1]), lambda x: x, lambda x: x)
    lost = replace(lost, facts=replace(lost.facts, failed="another person"))
    sides = [Side(s, find(s), rules_of(s, Settings())) for s in scans]
    change = made.change(
        made.pair(1, "cannot tell", 9, 9, followup=None, centroid_mm=tuple(KEPT), centroid_followup_mm=tuple(KEPT)),
        made.pair(2, "cannot tell", 9, 9, baseline=None, followup=(1,), centroid_mm=tuple(GONE), centroid_followup_mm=tuple(GONE)),
    )
    first, second = pictures(Compared(change, *sides, lost, None))
    assert [[name for name, _, _ in view.marks] for view in (first, second)] == [["1"], ["2"]]


def test_the_same_place_is_in_the_middle_of_both(shown: dict[str, Picture]) -> None:
    for name in ("before-1", "after-1"):
        grey = _grey(shown[name])
        rows, columns = np.nonzero(grey > 0.75 * grey.max())
        assert abs(rows.mean() - grey.shape[0] / 2) < 6
        assert abs(columns.mean() - grey.shape[1] / 2) < 6


def test_what_is_gone_is_bright_before_and_dark_after(shown: dict[str, Picture]) -> None:
    middle = [_grey(shown[f"{name}-2"])[70:100, 70:100].max() for name in ("before", "after")]
    assert middle[0] > 200
    assert middle[1] < 90


def test_outlines_enclose_the_deposit(shown: dict[str, Picture]) -> None:
    picture = shown["after-1"]
    assert {name for name, _ in picture.outlines} == {"before", "after"}
    corners = np.array([point for name, line in picture.outlines if name == "after" for point in line])
    grey = _grey(picture)
    (left, top), (right, bottom) = corners.min(0).astype(int), corners.max(0).astype(int)
    assert 30 < right - left < 80  # 6 mm of 24.5 across 175 pixels, and blur
    assert grey[top:bottom, left:right].mean() > 2 * np.median(grey)
    assert {name for name, _ in shown["after-2"].outlines} == {"before"}


def test_a_place_outside_is_said_to_be_outside(shown: dict[str, Picture]) -> None:
    assert shown["after-3"].caption == "outside this scan"
    assert _grey(shown["after-3"]).max() == 0


def test_verdicts_lie_where_the_deposits_lie(shown: dict[str, Picture]) -> None:
    for name, expected in (("mip-before", {"1", "2", "3"}), ("mip-after", {"1", "2"})):
        picture = shown[name]
        assert {mark for mark, _, _ in picture.marks} == expected
        x, y = next((x, y) for mark, x, y in picture.marks if mark == "1")
        assert _grey(picture)[int(y), int(x)] > 150


def test_without_an_alignment_only_the_views_are_drawn() -> None:
    scan = _scan([Ellipsoid(tuple(KEPT), (3.0, 3.0, 3.0), 500.0)], 1)
    aligned = handed_over((scan, scan), np.copy, np.copy)
    failed = replace(aligned, facts=replace(aligned.facts, failed="nothing in common"))
    side = Side(scan, find(scan), rules_of(scan, Settings()))
    assert [p.name for p in pictures(Compared(made.change(), side, side, failed, None))] == ["mip-before", "mip-after"]
