# ruff: noqa: E402  (imports come after what may be missing)
"""Uploads: every form of a scan, streamed under names of our own; limits; nothing left behind; what was made is what the verbs make."""

import contextlib
import gzip
import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile

import httpx
import numpy as np
import pytest

pytest.importorskip("pydicom")
nibabel = pytest.importorskip("nibabel")

from resorb.web.settings import Limits

from ..ct.made_series import volume, write
from .serving import serving, zipped

SECRET_NAME = "Zebedee^Quux"


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """A small CT whose headers name a person."""
    folder = tmp_path_factory.mktemp("ct") / "series"
    return write(folder, volume(slices=8, side=48), PatientName=SECRET_NAME, PatientID="QX-1987-0042", PatientBirthDate="19871203")


def parts(folder):
    return [("files", (f"{SECRET_NAME}/{path.name}", path.read_bytes())) for path in sorted(folder.iterdir())]


@pytest.fixture(scope="module")
def measured(series, tmp_path_factory):
    """A service with one measured scan: (service, scan id)."""
    with serving(tmp_path_factory.mktemp("uploads"), limits=Limits(upload_files=50, upload_bytes=3_000_000)) as running:
        accepted = running.client.post("/api/v1/scans", files=parts(series), data={"contrast": "none"})
        assert accepted.status_code == 202, accepted.text
        told = running.wait(accepted.json()["job"])
        assert told["state"] == "done", told
        yield running, accepted.json()["scan"]


def get(measured, what, **more):
    return measured[0].client.get(f"/api/v1/scans/{measured[1]}{what}", **more)


def test_the_measurement_is_that_of_the_command_line(measured, series):
    command = [sys.executable, "-m", "resorb", "measure", str(series), "--contrast", "none", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert get(measured, "/measurement").text == done.stdout


def test_the_scan_says_what_it_is(measured):
    told = get(measured, "").json()
    assert (told["state"], told["progress"], told["shape"], told["files"], told["form"]) == ("done", 1.0, [8, 48, 48], 8, "dcm")
    assert told["until"] > told["created"]
    assert {"measurement", "report", "labels", "preview", "slices", "job"} <= set(told["links"])


def test_labels_and_preview_lie_on_each_other(measured, tmp_path):
    made = {}
    for name in ("labels.nii.gz", "preview.nii.gz", "labels_preview.nii.gz"):
        (tmp_path / name).write_bytes(get(measured, f"/{name}").content)
        made[name] = nibabel.load(tmp_path / name)
    deposits = json.loads(get(measured, "/measurement").text)["deposits"]
    assert set(np.unique(np.asarray(made["labels.nii.gz"].dataobj))) == set(range(len(deposits) + 1))
    assert np.allclose(made["preview.nii.gz"].affine, made["labels_preview.nii.gz"].affine)
    assert np.asarray(made["preview.nii.gz"].dataobj).max() > 300


def test_a_slice_shows_its_deposit_with_an_outline(measured):
    told = get(measured, "/slices/1.json").json()
    assert [d["deposit"] for d in told["deposits"]] == [1]
    plain, outlined = (get(measured, "/slices/1.png", params={"outline": n, "window": 800, "level": 200}) for n in (0, 1))
    assert plain.headers["content-type"] == "image/png"
    assert plain.content.startswith(b"\x89PNG")
    assert plain.content != outlined.content
    assert get(measured, "/slices/8.png").status_code == 404
    assert get(measured, "/slices/1.png", params={"window": 0}).status_code == 422


def test_the_page_of_a_scan_names_nobody(measured):
    page = get(measured, "/report.html")
    assert page.status_code == 200
    assert "Quux" not in page.text
    assert "QX-1987" not in page.text


def test_no_name_is_in_the_log_the_database_or_a_path(measured):
    running, _ = measured
    running.client.get("/api/v1/evidence/ask", params={"q": "Zebedee Quux has a shoulder deposit"})
    running.client.post("/api/v1/assess", json={"about": "Zebedee Quux", "site": "Quux"})
    bundle = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient", "id": "QX-1987", "name": [{"family": "Quux"}]}}]}
    running.client.post("/fhir/$assess-calcification", json=bundle)
    running.client.get("/api/v1/evidence/Zebedee Quux")
    running.client.get("/Zebedee/Quux?name=Quux")
    running.client.post("/api/v1/scans", files=[("files", ("Quux.zip", b"PK\x03\x04 Zebedee Quux"))])
    while running.house.audit.waiting:
        running.house.audit.flush()
    root = running.house.shelves.root
    for planted in ("quux", "zebedee", "qx-1987", "19871203"):
        assert planted not in running.log.getvalue().lower()
        assert planted.encode() not in b"".join(p.read_bytes() for p in root.glob("resorb.sqlite*")).lower()
        assert not [p for p in root.rglob("*") if planted in p.name.lower()]
    assert '"action": "POST /api/v1/scans"' in running.log.getvalue(), "the log says what was asked for"


def test_the_audit_tells_who_asked_for_what(measured):
    running, scan = measured
    while running.house.audit.waiting:
        running.house.audit.flush()
    from resorb.web.store import AUDIT

    with running.house.store.begin() as connection:
        rows = connection.execute(AUDIT.select().where(AUDIT.c.subject == scan)).mappings().all()
    assert {("this machine", "POST /api/v1/scans", 202)} <= {(r["who"], r["action"], r["status"]) for r in rows}


def volume_nifti(path, hu):
    nibabel.save(nibabel.Nifti1Image(hu.transpose(2, 1, 0), np.diag([0.7, 0.7, 2.5, 1.0])), path)
    return path.read_bytes()


@pytest.mark.parametrize("form", ["zip", "nifti", "nifti.gz", "whole body"])
def test_every_form_of_a_scan_is_called_by_what_it_is(measured, series, tmp_path, form):
    running, _ = measured
    hu = volume(slices=8, side=48)
    if form == "zip":
        accepted = running.client.post("/api/v1/scans", files=[("files", ("x", zipped(series)))])
    elif form == "whole body":
        accepted = running.client.post("/api/v1/scans", content=zipped(series), headers={"Content-Type": "application/zip"})
    else:
        raw = volume_nifti(tmp_path / "x.nii", hu)
        accepted = running.client.post("/api/v1/scans", files=[("files", ("x", gzip.compress(raw) if form.endswith("gz") else raw))])
    assert accepted.status_code == 202
    told = running.wait(accepted.json()["job"])
    assert told["state"] == "done", told
    shape = running.client.get(f"/api/v1/scans/{accepted.json()['scan']}").json()["shape"]
    assert shape == [8, 48, 48]


def test_labels_say_where_to_look(measured, series, tmp_path):
    running, _ = measured
    here = np.zeros((8, 48, 48), np.uint8)
    here[:, :9] = 1  # not where the deposit is
    ras = np.diag([-0.7, -0.7, 2.5, 1.0])
    ras[:3, 3] = 10.0, 20.0, 100.0
    labels = tmp_path / "labels.nii.gz"
    nibabel.save(nibabel.Nifti1Image(here.transpose(2, 1, 0), ras), labels)
    sent = [*parts(series), ("labels", ("x.nii.gz", labels.read_bytes()))]
    accepted = running.client.post("/api/v1/scans", files=sent, data={"contrast": "none"}).json()
    assert running.wait(accepted["job"])["state"] == "done"
    command = [sys.executable, "-m", "resorb", "measure", str(series), "--contrast", "none", "--labels", str(labels), "--json"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert running.client.get(f"/api/v1/scans/{accepted['scan']}/measurement").text == told
    assert told != get(measured, "/measurement").text


def test_what_cannot_be_measured_fails_with_its_reason(measured, series, tmp_path):
    running, _ = measured
    shutil.copytree(series, tmp_path / "gap")
    sorted((tmp_path / "gap").glob("*-4.dcm"))[0].unlink()
    for files in (parts(tmp_path / "gap"), [("files", ("notes.txt", b"no scan at all"))]):
        accepted = running.client.post("/api/v1/scans", files=files)
        told = running.wait(accepted.json()["job"])
        assert told["state"] == "failed"
        assert told["problems"][0]["found"]
        assert told["problems"][0]["expected"]
        assert running.client.get(f"/api/v1/scans/{accepted.json()['scan']}/measurement").status_code == 409
    assert running.client.post(f"/api/v1/jobs/{accepted.json()['job']}/again").status_code == 202
    assert running.wait(accepted.json()["job"])["state"] == "failed"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"files": [("files", ("a", b""))]}, 422),
        ({"data": {"contrast": "none"}, "files": [("note", (None, "x"))]}, 422),
        ({"files": [("files", ("a", b"x"))], "data": {"colour": "red"}}, 422),
        ({"files": [("files", ("a", b"x"))], "data": {"kvp": "fast"}}, 422),
        ({"files": [("files", ("a", b"x"))], "data": {"box": "1,2,3"}}, 422),
        ({"files": [("files", ("a", b"x"))], "data": {"convention": "mine"}}, 422),
        ({"files": [("files", ("a", b"x"))], "data": {"contrast": "maybe"}}, 422),
        ({"files": [("files", (f"{n}", b"x")) for n in range(51)]}, 413),
        ({"files": [("files", ("a", b"x" * 3_000_001))]}, 413),
        ({"content": b"{}", "headers": {"Content-Type": "application/json"}}, 415),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 400),
        ({"content": b"--b\r\nnonsense", "headers": {"Content-Type": "multipart/form-data; boundary=b"}}, 400),
        ({"content": b"no boundary in it", "headers": {"Content-Type": "multipart/form-data; boundary=b"}}, 400),
    ],
)
def test_a_bad_upload_is_refused_and_leaves_nothing(measured, sent, status):
    running, _ = measured
    root = running.house.shelves.root
    before = sorted((root / "scans").iterdir())
    answered = running.client.post("/api/v1/scans", **sent)
    assert answered.status_code == status, answered.text
    assert answered.json()["found"]
    assert sorted((root / "scans").iterdir()) == before
    assert not list(running.house.shelves.incoming.glob("[!.]*"))


def test_a_body_of_unknown_length_is_cut_at_the_limit(measured):
    running, _ = measured
    told = {"Content-Type": "application/octet-stream"}

    def endless():
        for _ in range(100):
            yield b"x" * 65536

    with contextlib.suppress(httpx.WriteError):  # it may hang up while we are still talking
        assert running.client.post("/api/v1/scans", content=endless(), headers=told).status_code == 413
    assert not list(running.house.shelves.incoming.glob("[!.]*"))


def test_the_same_key_does_nothing_twice(measured, series):
    running, _ = measured
    key = {"Idempotency-Key": "one"}
    first, again = (running.client.post("/api/v1/scans", files=parts(series), headers=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    other = running.client.post("/api/v1/scans", files=parts(series)[:-1], headers=key)
    assert other.status_code == 422
    assert other.json()["where"] == "Idempotency-Key"
    running.client.delete(f"/api/v1/scans/{first.json()['scan']}")


def test_a_deleted_scan_is_gone_with_its_files(measured, series):
    running, _ = measured
    accepted = running.client.post("/api/v1/scans", files=parts(series)).json()
    assert running.client.delete(f"/api/v1/scans/{accepted['scan']}").status_code == 204
    assert running.client.get(f"/api/v1/scans/{accepted['scan']}").status_code == 404
    assert running.client.get(f"/api/v1/jobs/{accepted['job']}").status_code == 404
    assert not (running.house.shelves.root / "scans" / accepted["scan"]).exists()


@pytest.mark.parametrize("scan", ["s", "../incoming", "s..%2f..%2fetc", "x" * 40, "s0123456789abcdef01234567"])
def test_no_other_folder_can_be_named(measured, scan):
    for what in ("", "/measurement", "/slices/0.png"):
        assert measured[0].client.get(f"/api/v1/scans/{scan}{what}").status_code == 404


def test_a_cancelled_job_ends_and_can_be_started_again(measured, series):
    running, _ = measured
    accepted = running.client.post("/api/v1/scans", files=parts(series)).json()
    assert running.client.delete(f"/api/v1/jobs/{accepted['job']}").json()["state"] == "cancelled"
    assert running.client.get(f"/api/v1/scans/{accepted['scan']}/measurement").status_code == 409
    assert running.client.post(f"/api/v1/jobs/{accepted['job']}/again").status_code == 202
    assert running.wait(accepted["job"])["state"] == "done"
    assert running.client.post(f"/api/v1/jobs/{accepted['job']}/again").status_code == 409


def test_a_lying_zip_is_refused(measured):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.dcm", b"\0" * 200_000_000)
    accepted = measured[0].client.post("/api/v1/scans", files=[("files", ("x", packed.getvalue()))])
    told = measured[0].wait(accepted.json()["job"])
    assert told["state"] == "failed"
    assert hashlib.sha256(packed.getvalue()).hexdigest() not in str(told)
