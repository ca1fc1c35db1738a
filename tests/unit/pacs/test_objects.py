"""What is written: voxel for voxel, number for number, in the source's study, the same bytes for the same input."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
import pytest

from resorb.ct.labels import read_labels
from resorb.ct.nifti import write_labels
from resorb.ct.reading import read
from resorb.pacs import Measured, results
from resorb.pacs.codes import MEASURES
from resorb.pacs.delivering import write
from resorb.pacs.failed import quiet
from resorb.terms.errors import UserError
from resorb.terms.measurement import Measure
from tests.unit.pacs.conftest import measured
from tests.unit.pacs.made_study import DEPOSITS, made_scan, write_study


def bytes_of(instance: Any) -> bytes:
    to = io.BytesIO()
    instance.save_as(to, enforce_file_format=True)
    return to.getvalue()


def of(objects: tuple[Any, ...], modality: str) -> Any:
    return next(o for o in objects if o.Modality == modality)


def texts(items: Any) -> list[str]:
    return [t for i in items for t in ([str(i.TextValue)] if "TextValue" in i else []) + texts(i.get("ContentSequence", []))]


def test_the_seg_is_the_label_map_voxel_for_voxel(tmp_path: Path, one: Measured, objects: tuple[Any, ...]) -> None:
    write(objects, tmp_path)
    labels = read_labels(tmp_path / "seg.dcm", one.scan)
    truth = np.zeros(one.scan.hu.shape, int)
    for n, candidate in enumerate(one.findings.candidates, start=1):
        truth.reshape(-1)[candidate.flat] = n
    assert (labels.index == truth).all()
    assert truth.max() == 2


def test_a_stranger_reads_the_seg_alike(tmp_path: Path, one: Measured, objects: tuple[Any, ...]) -> None:
    write(objects, tmp_path)
    seg = hd.seg.segread(tmp_path / "seg.dcm")
    slices = [h.SOPInstanceUID for h in one.sources.headers]
    theirs = seg.get_pixels_by_source_instance(slices, combine_segments=True, assert_missing_frames_are_empty=True)
    truth = np.zeros(one.scan.hu.shape, int)
    for n, candidate in enumerate(one.findings.candidates, start=1):
        truth.reshape(-1)[candidate.flat] = n
    assert (theirs == truth).all()
    assert [seg.get_segment_description(n).tracking_uid for n in seg.segment_numbers] == [t.uid for t in one.tracks]
    assert seg.SegmentationType == "BINARY"


def test_the_report_has_the_numbers_of_the_json(tmp_path: Path, one: Measured, objects: tuple[Any, ...]) -> None:
    write(objects, tmp_path)
    content = hd.sr.srread(tmp_path / "sr.dcm").content
    said = one.measurement.to_dict()
    groups = content.get_volumetric_roi_measurement_groups()
    assert len(groups) == len(said["deposits"]) == 2
    for group, deposit, track in zip(groups, said["deposits"], one.tracks, strict=True):
        assert (group.tracking_uid, group.tracking_identifier) == (track.uid, track.name)
        _same(group, deposit)
    (total,) = content.get_image_measurement_groups()
    _same(total, said["total"])
    assert {m.name.meaning: m.value for m in total.get_measurements()}["Number of lesions"] == 2


def _same(group: Any, row: dict[str, Any]) -> None:
    found = {(m.name.value, m.name.scheme_designator): m for m in group.get_measurements()}
    for name, concept in MEASURES.items():
        key = (concept.name.value, concept.name.scheme)
        expected = row.get(name)
        if not expected or "refused" in expected:
            assert key not in found
            continue
        assert found[key].value == pytest.approx(expected["value"], rel=1e-9, abs=1e-9)
        assert found[key].unit.value == concept.unit.value
        spread = {p.name.value: float(p.value) for p in found[key][0].ContentSequence if p.ValueType == "NUM"}
        assert expected["value"] + spread["371886008"] == pytest.approx(expected["high"], rel=1e-6, abs=1e-6)
        assert expected["value"] - spread["371885007"] == pytest.approx(expected["low"], rel=1e-6, abs=1e-6)


def test_the_report_is_preliminary_by_a_device_and_refers_to_segments_and_sources(one: Measured, objects: tuple[Any, ...]) -> None:
    sr, seg = of(objects, "SR"), of(objects, "SEG")
    assert (sr.PreliminaryFlag, sr.VerificationFlag, sr.CompletionFlag) == ("PRELIMINARY", "UNVERIFIED", "COMPLETE")
    assert "resorb 0" in " ".join(texts(sr.ContentSequence))
    assert any("Not a medical device" in text for text in texts(sr.ContentSequence))
    (group, *_) = hd.sr.Comprehensive3DSR.from_dataset(sr).content.get_volumetric_roi_measurement_groups()
    segment = group.referenced_segment
    assert segment.referenced_sop_instance_uid == seg.SOPInstanceUID
    assert segment.referenced_segment_numbers == [1]
    slices = {h.SOPInstanceUID for h in one.sources.headers}
    assert {i.referenced_sop_instance_uid for i in segment.source_images_for_segmentation} < slices
    for o in objects:
        assert "RESEARCH USE" in o.SeriesDescription
        assert o.SeriesDescription.startswith("resorb ")
        assert (o.Manufacturer, o.SoftwareVersions) == ("resorb", one.measurement.versions.resorb)


def test_objects_join_the_study_under_names_of_their_own(one: Measured, objects: tuple[Any, ...]) -> None:
    source = one.sources.first
    for o in objects:
        for name in ("StudyInstanceUID", "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyDate", "AccessionNumber"):
            assert str(o.get(name)) == str(source.get(name)), name
        assert o.SeriesInstanceUID != source.SeriesInstanceUID
        assert o.SOPInstanceUID.startswith("2.25.")
        again = pydicom.dcmread(io.BytesIO(bytes_of(o)))
        assert str(again.PatientName) == "Nämlich^Frieda"
    assert of(objects, "SEG").FrameOfReferenceUID == source.FrameOfReferenceUID
    assert len({o.SOPInstanceUID for o in objects}) == len(objects)
    assert len({o.SeriesInstanceUID for o in objects}) == 3


def test_same_input_same_bytes_and_sources_are_not_touched(study: Path, objects: tuple[Any, ...]) -> None:
    before = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in study.iterdir()}
    again = results(measured(study))
    assert [hashlib.sha256(bytes_of(o)).hexdigest() for o in again] == [hashlib.sha256(bytes_of(o)).hexdigest() for o in objects]
    assert {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in study.iterdir()} == before


def test_another_answer_has_other_uids(study: Path, objects: tuple[Any, ...]) -> None:
    from resorb.ct.finding import find
    from resorb.ct.measuring import Settings, measure

    scan = read(study)
    findings = find(scan)
    other = results(Measured.of(study, scan, findings, measure(scan, settings=Settings(calibration=0.9), findings=findings)))
    assert not {o.SOPInstanceUID for o in other} & {o.SOPInstanceUID for o in objects}
    ids = [[s.TrackingUID for s in of(made, "SEG").SegmentSequence] for made in (objects, other)]
    assert ids[0] == ids[1]  # the deposits are the same ones


def test_a_scan_without_deposits_says_so(tmp_path: Path) -> None:
    made = results(measured(write_study(tmp_path / "s", ())))
    assert [o.Modality for o in made].count("SEG") == 0
    (total,) = hd.sr.Comprehensive3DSR.from_dataset(of(made, "SR")).content.get_image_measurement_groups()
    assert {m.name.meaning: m.value for m in total.get_measurements()}["Number of lesions"] == 0


def test_pictures_hold_outlines_and_no_name(one: Measured, objects: tuple[Any, ...]) -> None:
    pictures = [o for o in objects if o.Modality == "OT"]
    assert len(pictures) == 3
    assert {tuple(p.PatientOrientation or ()) for p in pictures} == {("L", "F"), ("L", "P"), ()}
    for p in pictures[:2]:
        pixels = p.pixel_array
        yellow = (pixels[..., 0] == 255) & (pixels[..., 1] == 200) & (pixels[..., 2] == 0)
        assert yellow.sum() > 100
        assert p.BurnedInAnnotation == "NO"


@pytest.mark.parametrize(
    "changes",
    [
        {"PatientSex": "unknown", "StudyDate": "", "PatientBirthDate": None},
        {
            "PatientName": None,
            "PatientID": None,
            "AccessionNumber": None,
            "StudyID": None,
            "ReferringPhysicianName": None,
            "StudyTime": None,
        },
        {"SpecificCharacterSet": ["", "ISO 2022 IR 87"], "PatientName": "Yamada^Tarou=山田^太郎=やまだ^たろう"},
        {"PatientName": "X" * 300 + "^Y", "StudyTime": "1015"},
    ],
)
def test_headers_as_they_are_found_in_the_wild(tmp_path: Path, changes: dict[str, Any], capfd: pytest.CaptureFixture[str]) -> None:
    with quiet():
        folder = write_study(tmp_path / "s", **changes)
        made = results(measured(folder))
        assert len(write(made, tmp_path / "out")) == 5
        back = pydicom.dcmread(tmp_path / "out" / "sr.dcm")
        assert str(back.PatientName) == str(changes.get("PatientName", "Nämlich^Frieda") or "")
    said = capfd.readouterr()
    assert said.out + said.err == ""


def test_what_results_cannot_refer_to_is_refused(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "s", FrameOfReferenceUID=None)
    with pytest.raises(UserError, match="FrameOfReferenceUID"):
        measured(folder)
    scan = made_scan(DEPOSITS)
    write_labels(tmp_path / "v.nii.gz", scan.hu, scan.affine)
    with pytest.raises(UserError, match="NIfTI"):
        measured(tmp_path / "v.nii.gz")


def test_one_multi_frame_file_is_a_source_too(tmp_path: Path) -> None:
    from tests.unit.pacs.made_study import write_enhanced

    path = write_enhanced(tmp_path / "e.dcm")
    m = measured(path)
    assert len(m.sources.frames) == len(m.scan.hu)
    made = results(m)
    write(made, tmp_path / "out")
    assert (read_labels(tmp_path / "out" / "seg.dcm", m.scan).index > 0).sum() == sum(len(c.flat) for c in m.findings.candidates)
    (group, *_) = hd.sr.srread(tmp_path / "out" / "sr.dcm").content.get_volumetric_roi_measurement_groups()
    (source,) = group.referenced_segment.source_images_for_segmentation
    frames = source.referenced_frame_numbers
    corner = m.scan.to_lps([[int(m.findings.candidates[0].flat[0]) // m.scan.hu[0].size, 0, 0]])[0]
    header = m.sources.first
    placed = {
        i + 1: header.PerFrameFunctionalGroupsSequence[i].PlanePositionSequence[0].ImagePositionPatient for i in range(len(m.scan.hu))
    }
    assert min(float(np.linalg.norm(np.array(placed[f], float) - corner)) for f in frames) < 0.01


def test_refused_measures_are_left_out_and_the_reason_is_told(objects: tuple[Any, ...], one: Measured) -> None:
    small = [d for d in one.measurement.deposits if not isinstance(d.surface_smoothness, Measure)]
    assert small
    said = [text for text in texts(of(objects, "SR").ContentSequence) if "too small for this scan's blur" in text]
    assert any("Volume over volume of the convex hull" in text for text in said)
