"""Reading: what makes a volume, what is refused, and that the message names the files."""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

pytest.importorskip("nibabel")

from pydicom.uid import (
    HTJ2K,
    DeflatedExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from resorb import ct
from tests.unit.ct.htj2k_frame import FRAME
from tests.unit.ct.made_series import SPACING, change, one, volume, write

SHARED = Path(os.environ.get("RESORB_SHARED", Path(__file__).parents[4] / "shared")) / "data"
needs_data = pytest.mark.skipif(not SHARED.is_dir(), reason=f"no shared data at {SHARED}")


def test_slices_are_ordered_by_position_and_spaced_by_position(tmp_path: Path) -> None:
    hu = volume()
    scan = ct.read(write(tmp_path, hu, SliceThickness="9", InstanceNumber=1))
    np.testing.assert_array_equal(scan.hu, hu)
    np.testing.assert_allclose(scan.spacing, SPACING)
    np.testing.assert_allclose(scan.to_lps([[2, 3, 4]]), [[-10 + 4 * 0.7, -20 + 3 * 0.7, 100 + 2 * 2.5]])
    np.testing.assert_allclose(scan.to_index(scan.to_lps([[2, 3, 4]])), [[2, 3, 4]])


def test_each_slice_has_its_own_rescale(tmp_path: Path) -> None:
    hu = volume()
    folder = write(tmp_path, hu)
    change(folder, 2, RescaleIntercept=-1000)
    expected = hu.copy()
    expected[2] += 24
    np.testing.assert_array_equal(ct.read(folder).hu, expected)


def test_a_fractional_slope_gives_float_hu(tmp_path: Path) -> None:
    scan = ct.read(write(tmp_path, volume(), RescaleSlope="1.5"))
    assert scan.hu.dtype == np.float32
    np.testing.assert_allclose(scan.hu, (volume().astype(float) + 1024) * 1.5 - 1024, atol=1e-3)


@pytest.mark.parametrize("signed", [0, 1])
def test_bits_above_those_stored_are_dropped(tmp_path: Path, signed: int) -> None:
    hu = volume(3)
    stored = (hu + 1024 if signed == 0 else hu).astype(np.int32)
    for k in range(3):
        words = ((stored[k] & 0x0FFF) | 0xA000).astype("<u2").tobytes()
        data = one(
            hu[k], k, BitsStored=12, HighBit=11, PixelRepresentation=signed, RescaleIntercept=-1024 if signed == 0 else 0, PixelData=words
        )
        data.save_as(tmp_path / f"{k}.dcm", enforce_file_format=True)
    np.testing.assert_array_equal(ct.read(tmp_path).hu, hu)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_uncompressed_syntaxes(tmp_path: Path, syntax: str) -> None:
    hu = volume(3)
    for k in range(3):
        data = one(hu[k], k)
        data.file_meta.TransferSyntaxUID = syntax
        data.save_as(tmp_path / f"{k}.dcm", enforce_file_format=True)
    np.testing.assert_array_equal(ct.read(tmp_path).hu, hu)


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_compressed_syntaxes(tmp_path: Path, syntax: str) -> None:
    hu = volume(3, 64)
    for k in range(3):
        data = one((hu[k] + 1024).astype(np.int16), k, PixelRepresentation=0, PixelData=(hu[k] + 1024).astype("<u2").tobytes())
        data.compress(syntax)
        data.save_as(tmp_path / f"{k}.dcm", enforce_file_format=True)
    np.testing.assert_array_equal(ct.read(tmp_path).hu, hu)


def test_jpeg_lossless(tmp_path: Path) -> None:
    import gdcm

    hu = volume(3)
    for k in range(3):
        path = tmp_path / f"{k}.dcm"
        one(hu[k], k, PixelRepresentation=0, PixelData=(hu[k] + 1024).astype("<u2").tobytes()).save_as(path, enforce_file_format=True)
        reader, changer, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
        reader.SetFileName(str(path))
        assert reader.Read()
        changer.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
        changer.SetInput(reader.GetImage())
        assert changer.Change()
        writer.SetFileName(str(path))
        writer.SetFile(reader.GetFile())
        writer.SetImage(changer.GetOutput())
        assert writer.Write()
    assert str(pydicom.dcmread(tmp_path / "0.dcm").file_meta.TransferSyntaxUID) == "1.2.840.10008.1.2.4.70"
    np.testing.assert_array_equal(ct.read(tmp_path).hu, hu)


@pytest.mark.parametrize("syntax", [HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K])
def test_htj2k(tmp_path: Path, syntax: str) -> None:
    from pydicom.encaps import encapsulate

    hu = np.repeat(volume(1), 3, 0)
    for k in range(3):
        data = one(hu[k], k, PixelRepresentation=0, PixelData=encapsulate([FRAME]))
        data.file_meta.TransferSyntaxUID = syntax
        data.save_as(tmp_path / f"{k}.dcm", enforce_file_format=True)
    np.testing.assert_array_equal(ct.read(tmp_path).hu, hu)
    (tmp_path / "1.dcm").write_bytes((tmp_path / "1.dcm").read_bytes()[:-200])
    with pytest.raises(ct.ScanRefused, match=r"1\.dcm"):
        ct.read(tmp_path)


def test_no_decoder_is_gpl() -> None:
    decoder = pydicom.pixels.get_decoder(HTJ2KLossless)
    assert not any("libjpeg" in plugin.replace("pylibjpeg", "") for plugin in decoder.available_plugins)


def test_a_zip_is_read_without_unpacking(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", volume())
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"x/{path.name}")
        archive.writestr("x/readme.txt", "no image")
    scan = ct.read(tmp_path / "a.zip")
    np.testing.assert_array_equal(scan.hu, volume())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "a.zip"]


@pytest.mark.parametrize("name", ["../out.dcm", "/etc/out.dcm", "a/../../out.dcm", "C:/out.dcm", "..\\out.dcm"])
def test_a_zip_that_points_outside_is_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, b"x" * 500)
    with pytest.raises(ct.ScanRefused, match="points outside"):
        ct.read(tmp_path / "a.zip")


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("big.dcm", b"\0" * 60_000_000)
    with pytest.raises(ct.ScanRefused, match="packed into"):
        ct.read(tmp_path / "a.zip")


def test_the_better_series_is_chosen_and_the_others_are_listed(tmp_path: Path) -> None:
    write(tmp_path / "plain", volume(5), SeriesInstanceUID="1.2.3.1", SeriesDescription="plain")
    write(tmp_path / "contrast", volume(9), SeriesInstanceUID="1.2.3.2", SeriesDescription="portal", ContrastBolusAgent="X 350")
    write(tmp_path / "sharp", volume(9), SeriesInstanceUID="1.2.3.3", SeriesDescription="lung", ConvolutionKernel="B70f")
    write(tmp_path / "scout", volume(1), SeriesInstanceUID="1.2.3.4", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    (tmp_path / "notes.txt").write_text("stray")
    scan = ct.read(tmp_path)
    assert scan.acquisition.description == "plain"
    assert len(scan.other_series) == 3
    assert ct.read(tmp_path, series="portal").hu.shape[0] == 9
    with pytest.raises(ct.ScanRefused, match="0 that match"):
        ct.read(tmp_path, series="nothing")


def test_the_scanner_is_known_by_a_hash_of_its_serial_number(tmp_path: Path) -> None:
    for name, fields in (("one", {"DeviceSerialNumber": "4711"}), ("other", {"DeviceSerialNumber": "4712"}), ("unsaid", {})):
        write(tmp_path / name, volume(3), **fields)
    one, other, unsaid = (ct.read(tmp_path / name).acquisition.device for name in ("one", "other", "unsaid"))
    assert one
    assert other
    assert one != other
    assert "4711" not in one
    assert unsaid is None


FAULTS: list[tuple[str, int, dict[str, Any]]] = [
    ("missing slice", 4, {"ImagePositionPatient": [-10, -20, 115.0]}),
    ("two slices at one place", 3, {"ImagePositionPatient": [-10, -20, 105.0]}),
    ("mixed slice orientation", 2, {"ImageOrientationPatient": [0, 1, 0, 1, 0, 0]}),
    ("mixed pixel spacing", 2, {"PixelSpacing": [0.8, 0.8]}),
    ("PixelSpacing", 2, {"PixelSpacing": [0.0, 0.7]}),
    ("PixelSpacing", 2, {"PixelSpacing": [70, 70]}),
    ("RescaleSlope", 2, {"RescaleSlope": "0"}),
]


@pytest.mark.parametrize(("said", "k", "fault"), FAULTS)
def test_a_fault_is_refused_with_the_file_named(tmp_path: Path, said: str, k: int, fault: dict[str, Any]) -> None:
    path = change(write(tmp_path, volume()), k, **fault)
    with pytest.raises(ct.ScanRefused, match=said) as refused:
        ct.read(tmp_path)
    assert path.name in str(refused.value) or "two slices" in said


def test_tilt_is_refused(tmp_path: Path) -> None:
    cos, sin = np.cos(0.2), np.sin(0.2)
    folder = write(tmp_path, volume(), ImageOrientationPatient=[1, 0, 0, 0, float(cos), float(-sin)])
    with pytest.raises(ct.ScanRefused, match="gantry tilt"):
        ct.read(folder)


def test_a_tilted_stack_without_shear_is_read(tmp_path: Path) -> None:
    folder = write(tmp_path, volume())
    normal = np.array([0, np.sin(0.2), np.cos(0.2)])
    for k in range(5):
        place = (np.array([-10.0, -20.0, 100.0]) + 2.5 * k * normal).round(5).tolist()
        change(
            folder,
            k,
            ImageOrientationPatient=[1, 0, 0, 0, round(float(np.cos(0.2)), 6), round(float(-np.sin(0.2)), 6)],
            ImagePositionPatient=place,
        )
    scan = ct.read(folder)
    np.testing.assert_array_equal(scan.hu, volume())
    assert scan.voxel_mm3 == pytest.approx(2.5 * 0.49, rel=1e-3)


def test_identical_copies_count_once(tmp_path: Path) -> None:
    folder = write(tmp_path, volume())
    path = next(folder.glob("*-2.dcm"))
    (folder / "copy.dcm").write_bytes(path.read_bytes())
    scan = ct.read(folder)
    np.testing.assert_array_equal(scan.hu, volume())
    assert any("the same image" in said for said in scan.warnings)


def test_truncated_empty_and_other_files(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", volume())
    path = next(folder.glob("*-2.dcm"))
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(ct.ScanRefused, match=path.name):
        ct.read(folder)
    (tmp_path / "empty").mkdir()
    for bad in (tmp_path / "empty", tmp_path / "nowhere"):
        with pytest.raises(ct.ScanRefused):
            ct.read(bad)
    (tmp_path / "empty" / "a.dcm").write_bytes(b"")
    with pytest.raises(ct.ScanRefused, match="none of them"):
        ct.read(tmp_path / "empty")


def test_without_pixel_data(tmp_path: Path) -> None:
    with pytest.raises(ct.ScanRefused, match="pixel data"):
        ct.read(write(tmp_path, volume(), PixelData=None))


@pytest.mark.parametrize("modality", ["MR", "PT", "SEG"])
def test_other_modalities_are_refused(tmp_path: Path, modality: str) -> None:
    with pytest.raises(ct.ScanRefused, match=modality):
        ct.read(write(tmp_path, volume(), Modality=modality, SOPClassUID="1.2.840.10008.5.1.4.1.1.4"))


def test_ten_thousand_slices_are_refused_at_once() -> None:
    from resorb.ct.entries import Entry
    from resorb.ct.grid import regular_grid
    from resorb.ct.header import Header

    slices = [Header({}, "", None, 0, entry=Entry(str(k), 0, bytes)) for k in range(10_000)]
    with pytest.raises(ct.ScanRefused, match="10000 slices"):
        regular_grid(slices)


def test_one_slice_is_read_without_a_spacing(tmp_path: Path) -> None:
    scan = ct.read(write(tmp_path, volume(1)))
    assert scan.single_slice
    assert np.isnan(scan.voxel_mm3)


def _enhanced(hu: np.ndarray[Any, Any]) -> pydicom.Dataset:
    data = one(
        hu[0],
        0,
        SOPClassUID="1.2.840.10008.5.1.4.1.1.2.1",
        NumberOfFrames=len(hu),
        PixelData=(hu.astype(np.int32) + 1024).astype("<i2").tobytes(),
    )
    for name in (
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "PixelSpacing",
        "RescaleSlope",
        "RescaleIntercept",
        "KVP",
        "ConvolutionKernel",
    ):
        delattr(data, name)
    shared, frames = pydicom.Dataset(), []

    def item(**elements: Any) -> list[pydicom.Dataset]:
        out = pydicom.Dataset()
        for name, value in elements.items():
            setattr(out, name, value)
        return [out]

    shared.PixelMeasuresSequence = item(PixelSpacing=[0.7, 0.7], SliceThickness="2.5")
    shared.PlaneOrientationSequence = item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    shared.CTXRayDetailsSequence = item(KVP=120)
    shared.CTReconstructionSequence = item(ConvolutionKernel="Br36")
    for k in range(len(hu)):
        frame = pydicom.Dataset()
        frame.PlanePositionSequence = item(ImagePositionPatient=[-10, -20, 100 - 2.5 * k])
        frame.PixelValueTransformationSequence = item(RescaleSlope=1, RescaleIntercept=-1024 - k)
        frames.append(frame)
    data.SharedFunctionalGroupsSequence, data.PerFrameFunctionalGroupsSequence = [shared], frames
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    return data


def test_enhanced_multi_frame(tmp_path: Path) -> None:
    hu = volume(4)
    _enhanced(hu).save_as(tmp_path / "e.dcm", enforce_file_format=True)
    scan = ct.read(tmp_path / "e.dcm")
    expected = np.stack([hu[k] - k for k in range(4)])[::-1]
    np.testing.assert_array_equal(scan.hu, expected)
    assert (scan.acquisition.kvp, scan.acquisition.kernel) == (120.0, "Br36")
    assert scan.affine[2, 3] == pytest.approx(92.5)


def test_the_same_scan_as_nifti(tmp_path: Path) -> None:
    import nibabel

    dicom = ct.read(write(tmp_path / "d", volume()))
    ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ dicom.affine[:, [2, 1, 0, 3]]
    nibabel.save(nibabel.Nifti1Image(np.asarray(dicom.hu).transpose(2, 1, 0), ras), tmp_path / "a.nii.gz")
    scan = ct.read(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(scan.hu, dicom.hu)
    np.testing.assert_allclose(scan.affine, dicom.affine, atol=1e-5)
    assert scan.identity == dicom.identity


@pytest.mark.parametrize("fault", ["nan", "lying", "text", "flat", "four", "shear", "cut"])
def test_bad_nifti_is_refused(tmp_path: Path, fault: str) -> None:
    import nibabel

    affine = np.diag([0.7, 0.7, 2.5, 1.0])
    data = volume().transpose(2, 1, 0)
    if fault == "flat":
        data = np.clip(data, 0, 200).astype(np.int16)
    if fault == "four":
        data = np.stack([data, data], -1)
    if fault == "shear":
        affine[1, 2] = 0.6
    path = tmp_path / "a.nii"
    nibabel.save(nibabel.Nifti1Image(data, affine), path)
    raw = bytearray(path.read_bytes())
    if fault == "nan":
        raw[280:284] = b"\x00\x00\xc0\x7f"
    if fault == "lying":
        raw[42:44] = (30000).to_bytes(2, "little")
    path.write_bytes(b"hello" if fault == "text" else bytes(raw[: len(raw) // 2 if fault == "cut" else None]))
    with pytest.raises(ct.ScanRefused):
        ct.read(path)


REFUSED = {
    "gantrytilting": "gantry tilt",
    "notavolume": "not one volume",
    "slicecount": "slice count of 2",
    "sliceincrement/001": "a missing slice|uneven",
    "sliceincrement/002": "a missing slice|uneven",
    "sliceorientation": "mixed slice orientation",
}


@needs_data
@pytest.mark.parametrize(("folder", "said"), REFUSED.items())
def test_real_series_are_refused_for_the_reason_their_folder_names(folder: str, said: str) -> None:
    where = SHARED / "refuse" / folder
    where = where / "001" if folder == "slicecount" else where
    with pytest.raises(ct.ScanRefused, match=said) as refused:
        ct.read(where)
    assert " and " in str(refused.value).split(": found")[0] or "series" in str(refused.value)


@needs_data
def test_real_jpeg_2000_series_reads_as_pydicom_does() -> None:
    folder = SHARED / "totalsegmentator" / "dicom-j2k"
    scan = ct.read(folder)
    files = sorted((pydicom.dcmread(p) for p in folder.iterdir()), key=lambda d: float(d.ImagePositionPatient[2]))
    expected = np.stack([d.pixel_array.astype(np.int32) * int(d.RescaleSlope) + int(d.RescaleIntercept) for d in files])
    np.testing.assert_array_equal(scan.hu, expected)
    assert scan.spacing[0] == pytest.approx(2.0)


def test_memory_stays_below_two_volumes(tmp_path: Path) -> None:
    import tracemalloc

    hu = np.repeat(volume(24, 128), 1, 0)
    write(tmp_path, hu)
    ct.read(tmp_path)
    tracemalloc.start()
    scan = ct.read(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * scan.hu.nbytes + 24 * 70_000 / 10


def test_bytes_and_io_leave_nothing_behind(tmp_path: Path) -> None:
    before = set(Path(tempfile.gettempdir()).glob("resorb-*"))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.nii", io.BytesIO(b"broken").getvalue() * 100)
    with pytest.raises(ct.ScanRefused):
        ct.read(tmp_path / "a.zip")
    after = set(Path(tempfile.gettempdir()).glob("resorb-*"))
    assert not after - before
