# ruff: noqa: E402, E501  (imports come after what may be missing; tables stay in one line)
"""Laws of `measure`: what must not matter does not, and what is broken is refused in one sentence."""

from __future__ import annotations

import os
import random as stdlib_random
import subprocess
import sys
import time
from pathlib import Path

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("nibabel")
pydicom = pytest.importorskip("pydicom")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resorb import ct
from resorb.ct.phantom import HU_PER_MG_CM3, Ellipsoid, Scanner, make
from resorb.ct.scan import Scan
from resorb.terms.measurement import Measure
from tests.unit.ct.made_series import volume, write

SHARED = Path(os.environ.get("RESORB_SHARED", Path(__file__).parents[4] / "shared")) / "data"
OWN = ct.Settings(calibration=1 / HU_PER_MG_CM3)
SCANNER = Scanner((40, 72, 72), (1.1, 0.7, 0.7), 0.9, 12.0)
DEPOSITS = [Ellipsoid((5.0, -4.0, 3.0), (2.5, 2.0, 1.8), 500.0), Ellipsoid((-9.0, 6.0, -6.0), (1.5, 1.5, 2.0), 400.0)]
REAL = sorted(
    p
    for folder in ("qrm-phantom", "refuse", "totalsegmentator/dicom-j2k", "two-dates")
    for p in (SHARED / folder).rglob("*")
    if p.is_file() and not p.name.endswith(".gz")
)


@settings(max_examples=25, deadline=None)
@given(order=st.permutations(range(6)))
def test_file_order_does_not_matter(tmp_path_factory: pytest.TempPathFactory, order: list[int]) -> None:
    folder = write(tmp_path_factory.mktemp("a"), volume(6))
    for new, k in enumerate(order):
        next(folder.glob(f"*-{k}.dcm")).rename(folder / f"{new:03d}.DCM")
    np.testing.assert_array_equal(ct.read(folder).hu, volume(6))


@settings(max_examples=8, deadline=None)
@given(shift=st.tuples(*[st.floats(-200, 200)] * 3), mirrored=st.sampled_from([(), (0,), (1,), (2,), (0, 1, 2)]))
def test_place_and_direction_do_not_matter(shift: tuple[float, float, float], mirrored: tuple[int, ...]) -> None:
    scan = make(SCANNER, DEPOSITS, 1)
    hu, affine = scan.hu, scan.affine.copy()
    for axis in mirrored:
        affine[:3, 3] += affine[:3, axis] * (hu.shape[axis] - 1)
        affine[:3, axis] *= -1
        hu = np.flip(hu, axis)
    affine[:3, 3] += shift
    moved = ct.measure(Scan(np.ascontiguousarray(hu), affine, scan.acquisition), settings=OWN)
    still = ct.measure(scan, settings=OWN)
    assert len(moved.deposits) == len(still.deposits) == 2
    for d in still.deposits:
        twin = min(moved.deposits, key=lambda m: float(np.linalg.norm(np.subtract(m.centroid_mm, d.centroid_mm) - shift)))
        np.testing.assert_allclose(np.subtract(twin.centroid_mm, d.centroid_mm), shift, atol=0.05)
        assert twin.agatston.value == pytest.approx(d.agatston.value)
        assert twin.mass_mg.value == pytest.approx(d.mass_mg.value, rel=0.02)


def test_same_scan_same_bytes() -> None:
    import json

    first, second = (json.dumps(ct.measure(make(SCANNER, DEPOSITS, 1), settings=OWN).to_dict()) for _ in range(2))
    assert first == second
    assert "NaN" not in first


@settings(max_examples=10, deadline=None)
@given(factor=st.floats(0.5, 1.5))
def test_mass_follows_the_calibration(factor: float) -> None:
    scan = make(SCANNER, DEPOSITS, 1)
    found = ct.find(scan)
    one, other = (ct.measure(scan, findings=found, settings=ct.Settings(calibration=c)).total.mass_mg for c in (1.0, factor))
    assert isinstance(one, Measure)
    assert isinstance(other, Measure)
    assert other.value == pytest.approx(one.value * factor)


def mutate(raw: bytes, seed: int) -> bytes:
    """A file with a few bytes changed, a piece cut out, repeated or dropped from its end."""
    random = stdlib_random.Random(seed)
    data = bytearray(raw)
    for _ in range(random.choice((1, 3, 30))):
        at = random.randrange(min(len(data), random.choice((400, 4000, len(data)))))
        kind = random.randrange(4)
        if kind == 0:
            data[at] = random.randrange(256)
        elif kind == 1:
            data[at : at + 4] = random.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f"))
        elif kind == 2:
            del data[at : at + random.randrange(1, 200)]
        else:
            data[at:at] = data[at : at + random.randrange(1, 200)]
        if len(data) < 8:
            break
    return bytes(data[: random.randrange(len(data) + 1)] if random.random() < 0.2 else data)


@pytest.mark.skipif(not REAL, reason=f"no shared data at {SHARED}")
@settings(max_examples=120, deadline=20_000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(which=st.integers(0, 10**6), seed=st.integers(0, 10**9))
def test_mutated_real_files_are_read_or_refused(tmp_path: Path, which: int, seed: int) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(mutate(REAL[which % len(REAL)].read_bytes(), seed))
    start = time.perf_counter()
    try:
        scan = ct.read(path)
    except ct.ScanRefused as refused:
        assert str(refused).strip()
        assert "Traceback" not in str(refused)
    else:
        assert scan.hu.ndim == 3
        assert np.isfinite(scan.affine).all()
    assert time.perf_counter() - start < 15


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no shared data at {SHARED}")
@settings(max_examples=40, deadline=20_000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**9), packed=st.booleans())
def test_mutated_real_nifti_is_read_or_refused(tmp_path: Path, seed: int, packed: bool) -> None:
    import gzip

    raw = (SHARED / "totalsegmentator" / "cta_cropped.nii.gz").read_bytes()
    path = tmp_path / ("a.nii.gz" if packed else "a.nii")
    path.write_bytes(mutate(raw if packed else gzip.decompress(raw), seed))
    try:
        assert ct.read(path).hu.ndim == 3
    except ct.ScanRefused as refused:
        assert str(refused).strip()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400))
def test_any_bytes_are_refused(tmp_path: Path, raw: bytes) -> None:
    for name in ("a.dcm", "a.nii", "a.nii.gz", "a.zip"):
        (tmp_path / name).write_bytes(raw)
        with pytest.raises(ct.ScanRefused):
            ct.read(tmp_path / name)
        (tmp_path / name).unlink()


def test_importing_the_room_costs_nothing() -> None:
    code = "import resorb.ct, resorb.terms.measurement, resorb.report.measurement, resorb.cli.measure, sys; print([m for m in ('numpy','pydicom','scipy','nibabel') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="only Linux tells the most memory a process has held")
@pytest.mark.parametrize("verb", ["read", "measure"])
def test_memory_is_bounded(tmp_path: Path, verb: str) -> None:
    code = (  # not ru_maxrss: a child's begins with what its parent, this test run, held
        "import sys; from resorb import ct; getattr(ct, sys.argv[1])(sys.argv[2]); "
        "print(next(int(line.split()[1]) * 1024 for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    small, large = tmp_path / "s", tmp_path / "l"
    hu = volume(4, 512)
    write(small, hu)
    write(large, np.tile(hu, (40, 1, 1)))
    used = [
        int(subprocess.run([sys.executable, "-c", code, verb, str(f)], capture_output=True, text=True, check=True).stdout)
        for f in (small, large)
    ]
    assert 0.9 * 156 * 512 * 512 * 2 < used[1] - used[0] < 2 * 160 * 512 * 512 * 2
