"""A deposit has one name at every time point; reports of two hold both, and what became of each."""

from __future__ import annotations

import copy
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pytest

pytest.importorskip("SimpleITK")

from resorb.ct.findings import Candidate
from resorb.followup import compare
from resorb.pacs import Measured, results
from resorb.pacs.delivering import write
from resorb.pacs.naming import Names, names_of
from resorb.pacs.tracking import Track, carried, uid_of
from resorb.terms.change import Change, DepositChange, Difference
from tests.unit.pacs.conftest import measured
from tests.unit.pacs.made_study import made_scan, write_pair

Two = tuple[Measured, Measured, Change, tuple[Any, ...]]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The files of two studies."""
    return write_pair(tmp_path_factory.mktemp("two"))


@pytest.fixture(scope="module")
def two(folders: tuple[Path, Path]) -> Two:
    """Two measured studies, what became of the deposits, and the objects."""
    baseline, followup = (measured(folder) for folder in folders)
    change = compare(baseline.scan, followup.scan)
    return baseline, followup, change, results(followup, baseline, change)


def groups(sr: Any) -> list[Any]:
    content = hd.sr.Comprehensive3DSR.from_dataset(sr).content
    return [*content.get_volumetric_roi_measurement_groups(), *content.get_image_measurement_groups()]


def order(group: Any) -> int:
    found = [i for i in group[0].ContentSequence if i.ValueType == "NUM" and i.ConceptNameCodeSequence[0].CodeValue == "126073"]
    return int(found[0].MeasuredValueSequence[0].NumericValue) if found else 0


def test_the_pair_holds_what_the_test_is_about(two: Two) -> None:
    assert {"grew", "resolved", "new"} <= {d.verdict for d in two[2].deposits}


def test_names_are_kept_in_seg_and_report(two: Two) -> None:
    baseline, _, change, objects = two
    segs = [o for o in objects if o.Modality == "SEG"]
    reports = [o for o in objects if o.Modality == "SR"]
    assert [o.Modality for o in objects].count("OT") == 6
    first, later = ({s.SegmentNumber: (s.TrackingUID, s.TrackingID) for s in seg.SegmentSequence} for seg in segs)
    assert first == {n: (t.uid, t.name) for n, t in enumerate(baseline.tracks, start=1)}
    for pair in change.deposits:
        if pair.baseline and pair.followup:
            assert later[pair.followup[0]] == first[pair.baseline[0]]
        elif pair.followup:
            assert later[pair.followup[0]] not in first.values()
    at = {(g.tracking_uid, order(g)) for g in groups(reports[1])}
    for uid, _ in first.values():
        assert {(uid, 1), (uid, 2)} <= at  # also of the resolved one
    assert {order(g) for g in groups(reports[0])} == {0}


def test_every_change_of_the_answer_is_in_the_report(two: Two) -> None:
    baseline, followup, change, objects = two
    names = carried(baseline.tracks, followup.tracks, followup.tracks, change)
    found = {g.tracking_uid: g for g in groups([o for o in objects if o.Modality == "SR"][1]) if order(g) == 2}
    told = [d for d in change.deposits if d.baseline or d.followup]
    assert len(found) == len(told) + 1
    for pair in told:
        name = names[pair.followup[0] - 1] if pair.followup else baseline.tracks[(pair.baseline or (0,))[0] - 1]
        _tells(found.pop(name.uid), pair)
    (rest,) = found.values()
    _tells(rest, change.total)


def _tells(group: Any, pair: Any) -> None:
    verdict = next(q for q in group.get_qualitative_evaluations() if q.name.value == "verdict")
    assert verdict.value.meaning == pair.verdict
    numbers = {m.name.value: m.value for m in group.get_measurements()}
    for measure, code in (("mass_mg", "mass"), ("agatston", "agatston"), ("volume_mm3", "volume")):
        difference = getattr(pair, measure)
        if isinstance(difference, Difference):
            assert numbers[f"change_{code}"] == pytest.approx(difference.change, rel=1e-7)
            assert numbers[f"detect_{code}"] == pytest.approx(difference.detectable, rel=1e-7)
        else:
            assert f"change_{code}" not in numbers


def test_the_baselines_own_objects_are_those_it_had_alone(two: Two) -> None:
    alone = results(two[0])
    assert [o.SOPInstanceUID for o in two[3][: len(alone)]] == [o.SOPInstanceUID for o in alone]


def test_the_report_of_both_refers_to_both_studies(two: Two) -> None:
    baseline, followup, _, objects = two
    sr = [o for o in objects if o.Modality == "SR"][1]
    assert sr.StudyInstanceUID == followup.sources.first.StudyInstanceUID
    assert [i.StudyInstanceUID for i in sr.CurrentRequestedProcedureEvidenceSequence] == [sr.StudyInstanceUID]
    assert [i.StudyInstanceUID for i in sr.PertinentOtherEvidenceSequence] == [baseline.sources.first.StudyInstanceUID]


@pytest.fixture
def third(two: Two, folders: tuple[Path, Path], tmp_path: Path) -> Path:
    """The follow-up's files with the results of both scans beside them, as a PACS would hold them, and a damaged one."""
    place = Path(shutil.copytree(folders[1], tmp_path / "study"))
    write(two[3], place)
    (place / "damaged.dcm").write_bytes((place / "followup-seg.dcm").read_bytes()[:-200])
    return place


def test_names_last_to_a_third_scan(two: Two, third: Path) -> None:
    baseline, followup, change, _ = two
    later = carried(baseline.tracks, followup.tracks, followup.tracks, change)
    again = measured(third)
    assert again.tracks == later != followup.tracks
    assert again.names.whole == baseline.names.whole != followup.names.whole
    for alone in results(again)[:2]:
        told = {i.TrackingUID for i in alone.SegmentSequence} if alone.Modality == "SEG" else {g.tracking_uid for g in groups(alone)}
        assert told - {baseline.names.whole.uid} == {t.uid for t in later}
    only = results(again, baseline, change)  # compared with the first again: nothing new comes of it
    assert [o.SOPInstanceUID for o in only] == [o.SOPInstanceUID for o in two[3]]


def test_of_two_earlier_names_the_older_one_lasts(two: Two, third: Path) -> None:
    baseline, followup, change, _ = two
    assert {t.day for t in baseline.tracks} == {"20250301"}
    older = tuple(Track(uid_of("before", t.uid), f"{t.name.partition(' of ')[0]} of 20190301") for t in baseline.tracks)
    before = replace(baseline, names=Names(older, Track(uid_of("whole before"), "all deposits of 20190301")))
    write(results(followup, before, change), third / "more")
    again = measured(third)
    assert again.tracks == carried(older, followup.tracks, followup.tracks, change)
    assert again.names.whole == before.names.whole


def test_results_of_another_series_name_nothing(folders: tuple[Path, Path], two: Two, tmp_path: Path) -> None:
    place = Path(shutil.copytree(folders[1], tmp_path / "study"))
    for made in two[3][:2]:  # of the baseline, said to be of this study
        moved = copy.deepcopy(made)
        moved.StudyInstanceUID = two[1].sources.first.StudyInstanceUID
        moved.save_as(place / f"{made.Modality}.dcm")
    assert measured(place).names == two[1].names


@pytest.mark.parametrize("lost", ["PixelData", "PerFrameFunctionalGroupsSequence", "SegmentSequence"])
def test_a_damaged_result_of_ours_names_nothing(folders: tuple[Path, Path], two: Two, tmp_path: Path, lost: str) -> None:
    place = Path(shutil.copytree(folders[0], tmp_path / "study"))
    damaged = copy.deepcopy(two[3][0])
    delattr(damaged, lost)
    damaged.save_as(place / "seg.dcm")
    assert measured(place).names == two[0].names


def test_a_deposit_that_is_new_has_no_name_of_another(two: Two, third: Path) -> None:
    baseline, followup, change, _ = two
    parted = replace(change, deposits=tuple(replace(d, baseline=None) for d in change.deposits))
    made = results(measured(third), baseline, parted)
    seg = next(o for o in made[::-1] if o.Modality == "SEG")
    assert {s.TrackingUID for s in seg.SegmentSequence} == {t.uid for t in followup.tracks}


def test_merged_and_split_deposits() -> None:
    names = [Track(uid_of("a", n), f"a{n}") for n in range(3)]
    later = [Track(uid_of("b", n), f"b{n}") for n in range(4)]

    def pair(before: tuple[int, ...] | None, after: tuple[int, ...] | None) -> DepositChange:
        blank: Any = None
        return DepositChange(before, after, "merged", "", None, (0, 0, 0), (0, 0, 0), blank, blank, blank)

    change: Any = type("C", (), {"deposits": (pair((1, 2), (1,)), pair((3,), (2, 3)), pair(None, (4,)))})()
    became = carried(names, later, later, change)
    assert became[0] == names[0]
    assert became[1] == names[2]
    assert became[2].name == "a2 piece 2"
    assert became[2].uid not in {t.uid for t in (*names, *later)}
    assert became[3] == later[3]
    assert carried(names, later, later, change) == became


def test_a_name_does_not_depend_on_what_else_was_found() -> None:
    scan = replace(made_scan(), unique_id="1.2.3")
    one, other = (Candidate(np.arange(a, a + 5), "high", "") for a in (100, 900))
    assert names_of(scan, [one, other]).each[1] == names_of(scan, [other]).each[0]
    assert names_of(scan, [one]) != names_of(replace(scan, unique_id="1.2.4"), [one])
    assert all(t.uid.startswith("2.25.") and len(t.uid) <= 64 for t in names_of(scan, [one, other]).each)
