# ruff: noqa: E402  (imports come after what may be missing; tables stay in one line)
"""Finding: bone, table, metal and contrast told apart; labels, boxes and sites."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

np = pytest.importorskip("numpy")
nibabel = pytest.importorskip("nibabel")

from resorb import ct
from resorb.ct.labels import Labels, box_labels, read_labels
from resorb.ct.phantom import HU_PER_MG_CM3, Ellipsoid, Scanner, make
from resorb.ct.scan import Acquisition, Scan
from resorb.terms.assessment import Refusal
from resorb.terms.measurement import Measure

SHARED = Path(os.environ.get("RESORB_SHARED", Path(__file__).parents[4] / "shared")) / "data"
needs_data = pytest.mark.skipif(not SHARED.is_dir(), reason=f"no shared data at {SHARED}")
SCANNER = Scanner((50, 110, 110), (1.2, 0.8, 0.8), 0.8, 12.0)
STONE = Ellipsoid((15.0, -10.0, 5.0), (2.2, 2.2, 2.2), 600.0)
OTHER = Ellipsoid((-15.0, 10.0, -8.0), (2.0, 2.0, 2.0), 500.0)
OWN = ct.Settings(calibration=1 / HU_PER_MG_CM3)


def trunk(*, contrast: float | None = None, table: bool = True, metal: bool = False) -> np.ndarray[Any, Any]:
    """Air, a round body, a spine, a table; a large vessel where `contrast` is its HU."""
    _, y, x = np.ogrid[: SCANNER.shape[0], : SCANNER.shape[1], : SCANNER.shape[2]]
    middle = 54.5
    out = np.full(SCANNER.shape, -1000, np.float32)
    out[np.broadcast_to((x - middle) ** 2 + (y - middle) ** 2 < 46**2, out.shape)] = 40
    spine = (x - middle) ** 2 + (y - 86) ** 2
    out[np.broadcast_to(spine < 10**2, out.shape)] = 550
    out[np.broadcast_to(spine < 7**2, out.shape)] = 170
    if table:
        out[:, 106:108, 20:90] = 300
    if contrast is not None:
        out[np.broadcast_to((x - 54) ** 2 + (y - 40) ** 2 < 26**2, out.shape)] = contrast
    if metal:
        out[20:24, 60:64, 20:24] = 3071
    return out


def scan_of(tissue: np.ndarray[Any, Any], deposits: list[Ellipsoid], **acquisition: Any) -> Scan:
    scan = make(SCANNER, deposits, 4, tissue)
    return Scan(scan.hu, scan.affine, Acquisition(kvp=120.0, modality="CT", thickness_mm=1.2, **acquisition))


def taken_for(findings: Any) -> set[str]:
    return {e.taken_for for e in findings.excluded}


def test_deposits_are_found_and_bone_and_table_are_not() -> None:
    scan = scan_of(trunk(), [STONE, OTHER])
    findings = ct.find(scan)
    measured = ct.measure(scan, findings=findings, settings=OWN)
    assert len(measured.deposits) == 2
    for deposit, true in zip(measured.deposits, (OTHER, STONE), strict=True):
        np.testing.assert_allclose(deposit.centroid_mm, true.centre, atol=0.4)
        assert deposit.mass_mg.value == pytest.approx(true.mass_mg, rel=0.08)
        assert deposit.sure == "moderate"
    assert "skeleton" in taken_for(findings)
    assert isinstance(measured.total.agatston, Measure)


def test_a_deposit_among_organs_is_found_once() -> None:
    from resorb.ct.phantom_pairs import Plan, random_pair

    plan = Plan(deposits=6, height_mm=80, pixel_mm=(0.8, 0.8), slice_mm=(2.0, 2.0), noise_hu=(9, 11), radius_mm=(2.0, 3.2), close=0)
    made = random_pair(np.random.default_rng(2709), plan)
    found = ct.find(made.baseline, contrast="none").candidates
    voxels = np.concatenate([c.flat for c in found])
    assert len(np.unique(voxels)) == len(voxels)
    for deposit in (d for d in made.deposits if d.in_baseline):
        for piece in deposit.baseline:
            at = np.rint(made.baseline.to_index(np.array([piece.centre]))[0]).astype(int)
            middle = int(np.ravel_multi_index(tuple(at), made.baseline.hu.shape))
            assert sum(bool((c.flat == middle).any()) for c in found) == 1


def test_a_faint_deposit_is_found_among_fat_and_organs() -> None:
    from resorb.ct.phantom_pairs import Plan, random_pair

    made = random_pair(np.random.default_rng(1), Plan(noise_hu=(20, 30)))
    found = ct.find(made.followup, contrast="none").candidates
    voxels = np.concatenate([c.flat for c in found if not c.faint])
    pieces = [p for d in made.deposits if d.in_followup for p in d.followup if p.mass_mg > 12]
    at = np.rint(made.followup.to_index(np.array([p.centre for p in pieces]))).astype(int)
    assert len(pieces) == 4 and np.isin(np.ravel_multi_index(tuple(at.T), made.followup.hu.shape), voxels).all()


@pytest.mark.parametrize(("gap_mm", "found"), [(3.0, 0), (8.0, 1)])
def test_a_small_deposit_near_bone_is_told_from_a_chip_of_it(gap_mm: float, found: int) -> None:
    findings = ct.find(scan_of(trunk(), [Ellipsoid((0.0, 25.2 - 8.0 - gap_mm - 1.8, 2.0), (1.8, 1.8, 1.8), 600.0)]))
    assert len(findings.candidates) == found
    assert ("next to the skeleton" in taken_for(findings)) != bool(found)


def test_an_organ_that_stands_out_of_another_is_no_deposit() -> None:
    z, y, x = (spacing * (np.arange(n) - n / 2) for spacing, n in zip(SCANNER.spacing, SCANNER.shape, strict=True))
    tissue = trunk(table=False)
    tissue[(z[:, None, None] / 15) ** 2 + ((y[:, None] + 14) / 9) ** 2 + (x / 12) ** 2 < 1] = 68
    assert not ct.find(scan_of(tissue, [])).candidates
    (one,) = ct.find(scan_of(tissue, [STONE])).candidates
    assert not one.faint


def test_metal_is_told_and_warns_its_neighbours() -> None:
    findings = ct.find(scan_of(trunk(metal=True), [STONE, OTHER]))
    assert "metal" in taken_for(findings)
    assert any("streaks" in " ".join(c.notes) and c.sure == "low" for c in findings.candidates)


@pytest.mark.parametrize(("tissue", "agent"), [(trunk(contrast=350.0), None), (trunk(), "IOPAMIDOL")])
def test_contrast_is_never_counted(tissue: np.ndarray[Any, Any], agent: str | None) -> None:
    scan = scan_of(tissue, [STONE], contrast_agent=agent)
    measured = ct.measure(scan, settings=OWN)
    assert not measured.deposits
    assert isinstance(measured.total.agatston, Refusal)
    assert any(r.about == "agatston" for r in measured.refusals)
    assert any("contrast" in e.taken_for for e in measured.excluded)


@pytest.mark.parametrize("wall_hu", [230.0, 480.0])
def test_marrow_within_its_cortex_is_no_contrast(wall_hu: float) -> None:
    z, y, x = (0.8 * (np.arange(n) - n / 2) * (1.5, 1, 1)[axis] for axis, n in enumerate(SCANNER.shape))
    away = np.sqrt((z[:, None, None] / 24) ** 2 + (y[:, None] / 22) ** 2 + (x / 26) ** 2)
    tissue = np.where(away < 1, np.where(away < 0.88, 230.0, wall_hu), trunk(table=False))
    assert ct.find(scan_of(tissue, [])).contrast_seen == (wall_hu == 230.0)


def test_the_user_may_state_that_none_was_given() -> None:
    scan = scan_of(trunk(), [STONE], contrast_agent="X")
    measured = ct.measure(scan, settings=ct.Settings(contrast="none", calibration=0.75))
    assert len(measured.deposits) == 1


def test_without_a_header_nobody_knows_of_contrast() -> None:
    scan = scan_of(trunk(), [STONE])
    bare = Scan(scan.hu, scan.affine, Acquisition(modality="unknown"))
    measured = ct.measure(bare)
    assert [d.sure for d in measured.deposits] == ["low"]
    assert isinstance(measured.total.agatston, Refusal)
    assert isinstance(measured.deposits[0].mass_mg, Refusal)
    assert "voltage" in measured.deposits[0].mass_mg.reason


@pytest.mark.parametrize(
    ("change", "refused", "given"), [({"kernel": "B70f"}, "agatston", "mass_mg"), ({"kernel": "Hr60"}, "agatston", "mass_mg")]
)
def test_a_sharp_kernel_refuses_thresholds(change: dict[str, Any], refused: str, given: str) -> None:
    measured = ct.measure(scan_of(trunk(), [STONE], **change), settings=OWN)
    assert isinstance(getattr(measured.total, refused), Refusal)
    assert isinstance(getattr(measured.total, given), Measure)


def test_other_voltages_refuse_what_is_defined_for_120() -> None:
    scan = scan_of(trunk(), [STONE])
    low = Scan(scan.hu, scan.affine, Acquisition(kvp=80.0, modality="CT"))
    measured = ct.measure(low)
    assert isinstance(measured.total.agatston, Refusal)
    assert isinstance(measured.total.mass_mg, Refusal)
    assert isinstance(measured.deposits[0].peak_hu, Measure)


def labels_on(scan: Scan, names: dict[int, str]) -> Labels:
    """Label 1 round the stone, label 2 round the spine, label 3 a block of tissue."""
    index = np.zeros(scan.hu.shape, np.uint8)
    at = np.rint(scan.to_index(np.array([STONE.centre]))[0]).astype(int)
    index[at[0] - 6 : at[0] + 7, at[1] - 8 : at[1] + 9, at[2] - 8 : at[2] + 9] = 1
    index[:, 74:99, 42:67][scan.hu[:, 74:99, 42:67] > 130] = 2
    index[:, 30:40, 50:60] = 3
    return Labels(index, {i: n for i, n in names.items() if (index == i).any()})


def test_sites_come_from_labels() -> None:
    scan = scan_of(trunk(), [STONE, OTHER])
    labels = labels_on(scan, {1: "liver", 2: "vertebrae_L1", 3: "aorta"})
    findings = ct.find(scan, labels)
    (only,) = ct.measure(scan, labels=labels, settings=OWN).deposits
    assert (only.site, only.site_distance_mm, only.sure) == ("liver", 0.0, "high")
    assert {"outside the labels", "skeleton"} <= taken_for(findings) | {"skeleton"}


def test_contrast_measured_in_blood_labels() -> None:
    scan = scan_of(trunk(contrast=140.0), [STONE])
    findings = ct.find(scan, labels_on(scan, {1: "liver", 2: "vertebrae_L1", 3: "aorta"}))
    assert findings.contrast_seen
    assert "140" in findings.contrast or "13" in findings.contrast
    assert not findings.candidates


def test_excreted_contrast_is_not_ruled_out_by_plain_blood() -> None:
    scan = scan_of(trunk(), [STONE])
    bare = Scan(scan.hu, scan.affine, Acquisition(modality="unknown"))
    (one,) = ct.find(bare, labels_on(scan, {1: "kidney_left", 3: "aorta"})).candidates
    assert one.sure == "low"
    (other,) = ct.find(bare, labels_on(scan, {1: "liver", 3: "aorta"})).candidates
    assert other.sure == "high"


def test_a_box_limits_the_search() -> None:
    scan = scan_of(trunk(), [STONE, OTHER])
    x, y, z = STONE.centre
    measured = ct.measure(scan, settings=ct.Settings(calibration=0.74, box=(x - 6, y - 6, z - 6, x + 6, y + 6, z + 6)))
    assert [d.site for d in measured.deposits] == ["box"]
    with pytest.raises(ct.ScanRefused, match="no voxel"):
        box_labels((900, 900, 900, 910, 910, 910), scan)


@pytest.mark.parametrize("flip", [(), (0,), (1, 2), (0, 1, 2)])
@pytest.mark.parametrize("coarser", [1, 2])
def test_label_maps_in_any_orientation(tmp_path: Path, flip: tuple[int, ...], coarser: int) -> None:
    scan = scan_of(trunk(), [STONE])
    index = labels_on(scan, {1: "liver", 2: "vertebrae_L1", 3: "aorta"}).index
    ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ scan.affine[:, [2, 1, 0, 3]]
    stored = index.transpose(2, 1, 0)[::coarser, ::coarser, ::coarser]
    ras[:3, :3] *= coarser
    for axis in flip:
        ras[:3, 3] += ras[:3, axis] * (stored.shape[axis] - 1)
        ras[:3, axis] *= -1
        stored = np.flip(stored, axis)
    nibabel.save(nibabel.Nifti1Image(stored.astype(np.uint8), ras), tmp_path / "seg.nii.gz")
    (tmp_path / "seg.json").write_text(json.dumps({"1": "liver", "2": "vertebrae_L1", "3": "aorta"}))
    labels = read_labels(tmp_path / "seg.nii.gz", scan)
    assert labels.names == {1: "liver", 2: "vertebrae_L1", 3: "aorta"}
    if coarser == 1:
        np.testing.assert_array_equal(labels.index, index)
    assert [c.site for c in ct.find(scan, labels).candidates] == ["liver"]


def test_labels_of_another_scan_are_refused(tmp_path: Path) -> None:
    scan = scan_of(trunk(), [STONE])
    wrong = labels_on(scan, {1: "liver", 2: "vertebrae_L1", 3: "aorta"}).index.copy()
    wrong = np.roll(wrong, -45, 1)
    ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ scan.affine[:, [2, 1, 0, 3]]
    nibabel.save(nibabel.Nifti1Image(wrong.transpose(2, 1, 0), ras), tmp_path / "seg.nii.gz")
    (tmp_path / "seg.tsv").write_text("index\tname\n1\tliver\n2\tvertebrae_L1\n3\taorta\n")
    with pytest.raises(ct.ScanRefused, match="labels named bone"):
        read_labels(tmp_path / "seg.nii.gz", scan)
    far = ras.copy()
    far[:3, 3] += 900
    nibabel.save(nibabel.Nifti1Image(wrong.transpose(2, 1, 0), far), tmp_path / "far.nii.gz")
    with pytest.raises(ct.ScanRefused, match="no label on any voxel"):
        read_labels(tmp_path / "far.nii.gz", scan)


def test_dicom_seg(tmp_path: Path) -> None:
    import pydicom
    from pydicom.dataset import FileDataset, FileMetaDataset

    scan = scan_of(trunk(), [STONE])
    index = labels_on(scan, {1: "liver", 2: "vertebrae_L1", 3: "aorta"}).index
    slices = [k for k in range(len(index)) if (index[k] == 1).any()]
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID = (
        "1.2.840.10008.5.1.4.1.1.66.4",
        "1.2.9",
        "1.2.840.10008.1.2.1",
    )

    def item(**elements: Any) -> Any:
        out = pydicom.Dataset()
        for name, value in elements.items():
            setattr(out, name, value)
        return out

    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID, data.Modality, data.SegmentationType = meta.MediaStorageSOPClassUID, "1.2.9", "SEG", "BINARY"
    data.Rows, data.Columns, data.NumberOfFrames, data.SamplesPerPixel = *index.shape[1:], len(slices), 1
    data.PhotometricInterpretation, data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = "MONOCHROME2", 1, 1, 0, 0
    data.SegmentSequence = [item(SegmentNumber=1, SegmentLabel="liver")]
    data.SharedFunctionalGroupsSequence = [
        item(
            PixelMeasuresSequence=[item(PixelSpacing=[0.8, 0.8])],
            PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
            SegmentIdentificationSequence=[item(ReferencedSegmentNumber=1)],
        )
    ]
    places = scan.to_lps(np.array([[k, 0, 0] for k in slices]))
    data.PerFrameFunctionalGroupsSequence = [
        item(PlanePositionSequence=[item(ImagePositionPatient=[round(float(v), 4) for v in p])]) for p in places
    ]
    data.PixelData = np.packbits((index[slices] == 1).reshape(-1), bitorder="little").tobytes()
    data.save_as(tmp_path / "seg.dcm", enforce_file_format=True)
    labels = read_labels(tmp_path / "seg.dcm", scan)
    np.testing.assert_array_equal(labels.index == 1, index == 1)
    assert labels.names == {1: "liver"}


def test_saved_labels_overlay_exactly(tmp_path: Path) -> None:
    import SimpleITK as sitk  # noqa: N813

    from resorb.ct.saving import save_labels

    scan = scan_of(trunk(), [STONE, OTHER])
    findings = ct.find(scan)
    save_labels(tmp_path / "out.nii.gz", scan, findings)
    image = sitk.ReadImage(str(tmp_path / "out.nii.gz"))
    stored = sitk.GetArrayFromImage(image)
    for number, candidate in enumerate(findings.candidates, start=1):
        np.testing.assert_array_equal(np.flatnonzero(stored == number), candidate.flat)
        k, j, i = (int(v) for v in np.argwhere(stored == number)[0])
        np.testing.assert_allclose(image.TransformIndexToPhysicalPoint((i, j, k)), scan.to_lps([[k, j, i]])[0], atol=1e-3)
    with pytest.raises(ct.ScanRefused, match=r"\.nii"):
        save_labels(tmp_path / "out.png", scan, findings)


def test_segment_runs_the_installed_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from resorb.ct.segmenter import segment_scan

    scan = scan_of(trunk(), [STONE])
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ct.ScanRefused, match="no TotalSegmentator"):
        segment_scan(scan)
    index = labels_on(scan, {1: "a", 2: "b", 3: "c"}).index
    ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ scan.affine[:, [2, 1, 0, 3]]
    lut = np.array([0, 5, 30, 52], np.uint8)
    nibabel.save(nibabel.Nifti1Image(lut[index].transpose(2, 1, 0), ras), tmp_path / "made.nii.gz")
    (tmp_path / "made.json").write_text(json.dumps({"5": "liver", "30": "vertebrae_L2", "52": "aorta"}))
    program = tmp_path / "TotalSegmentator"
    program.write_text(f'#!/bin/sh\n/bin/cp {tmp_path}/made.nii.gz "$4"\n/bin/cp {tmp_path}/made.json "${{4%.nii.gz}}.json"\n')
    program.chmod(0o755)
    labels = segment_scan(scan)
    assert labels.names == {5: "liver", 30: "vertebrae_L2", 52: "aorta"}
    assert "Apache-2.0" in labels.source


def test_class_map_of_totalsegmentator() -> None:
    from resorb.ct.labels import _class_map

    names = _class_map()["names"]
    assert len(names) == len(set(names)) == 117
    assert (names[0], names[51], names[116]) == ("spleen", "aorta", "costal_cartilages")


QRM = {402.94: 78.5, 238.38: 39.3, 138.60: 19.6, 88.11: 16.96, 69.54: 8.48, 22.86: 4.24, 6.19: 0.63}


@needs_data
def test_qrm_phantom_scores_to_the_digit() -> None:
    measured = ct.measure(SHARED / "qrm-phantom", settings=ct.Settings(calibration=0.722))
    scores = {round(d.agatston.value, 2): d for d in measured.deposits}
    assert sorted(scores) == sorted(QRM)
    for score, mass in QRM.items():
        deposit = scores[score]
        assert deposit.mass_mg.low <= mass <= deposit.mass_mg.high or mass < 1
        if mass > 15:
            assert deposit.mass_mg.value == pytest.approx(mass, rel=0.07)
            assert abs(deposit.mass_mg.value - mass) < abs(deposit.mass_threshold_mg.value - mass)


@needs_data
@pytest.mark.parametrize("name", ["cta_cropped.nii.gz", "dicom-j2k"])
def test_real_contrast_refuses_the_score(name: str) -> None:
    measured = ct.measure(SHARED / "totalsegmentator" / name)
    assert isinstance(measured.total.agatston, Refusal)
    assert not measured.deposits
    assert "contrast" in measured.total.agatston.reason


@needs_data
def test_dense_collecting_systems_are_not_taken_for_calcium() -> None:
    measured = ct.measure(SHARED / "totalsegmentator" / "example_ct.nii.gz")
    assert {d.sure for d in measured.deposits} == {"low"}
    assert isinstance(measured.total.agatston, Refusal)
    assert isinstance(measured.total.volume_mm3, Refusal)


@needs_data
def test_a_label_map_whose_header_places_it_wrongly_is_refused() -> None:
    folder = SHARED / "totalsegmentator"
    with pytest.raises(ct.ScanRefused, match="labels named bone"):
        ct.measure(folder / "example_ct.nii.gz", labels=folder / "example_seg_fast.nii.gz")


@needs_data
def test_sharp_twin_refuses_thresholds() -> None:
    assert isinstance(ct.measure(SHARED / "kernel-pair" / "B70f").total.agatston, Refusal)
