# ruff: noqa: E402  (imports come after what may be missing)
"""The journeys through the service: the same answers as Python and the command line give, from one process started as users start it."""

import json
import subprocess
import sys

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("pydicom")
nibabel = pytest.importorskip("nibabel")

import numpy as np

import resorb
from resorb import fhir

from ..faults.running import running
from ..unit.ct.made_series import volume, write
from ..unit.web import hooks
from ..unit.web.serving import zipped

CASE = {"age": 48, "site": "shoulder.supraspinatus", "findings": ["fluffy_margin"], "symptoms": ["pain"]}


def command(*arguments, stdin=""):
    done = subprocess.run([sys.executable, "-m", "resorb", *map(str, arguments)], input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 4), done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with running(tmp_path_factory.mktemp("journey") / "data") as started:
        yield started


def test_a_typed_case(service):
    answered = service.client.post("/api/v1/assess", json=CASE)
    assert answered.text == command("assess", "-", "--json", stdin=json.dumps(CASE))


def test_a_record(service, tmp_path):
    record = hooks.found(hooks.PATIENT, *(hooks.condition(n, text) for n, text in enumerate(hooks.CPPD)))
    path = tmp_path / "record.json"
    path.write_text(json.dumps(record))
    answered = service.client.post("/api/v1/assess", json=record, headers={"Content-Type": "application/fhir+json"})
    assert answered.text == command("assess", path, "--json")
    bundle = service.client.post("/fhir/$assess-calcification", json=record, headers={"Content-Type": "application/fhir+json"})
    assert bundle.headers["content-type"] == "application/fhir+json"
    assert bundle.json() == fhir.to_fhir(resorb.assess(resorb.read_case(record)))
    cards = service.client.post("/cds-services/resorb-patient-view", json=hooks.call(*hooks.CPPD)).json()["cards"]
    assert cards[-1]["summary"].startswith("Fits with calcium pyrophosphate deposition")


def test_two_scans_and_what_changed(service, tmp_path):
    earlier, later = volume(slices=24, side=96), volume(slices=24, side=96, seed=4)
    later[1:3, 10:13, 10:13] = 40
    folders = [
        write(tmp_path / "a", earlier, StudyDate="20240301", AcquisitionDate="20240301"),
        write(tmp_path / "b", later, StudyDate="20250301", AcquisitionDate="20250301", SeriesInstanceUID="1.2.3.4"),
    ]
    told = {"Content-Type": "application/zip"}
    scans = [service.client.post("/api/v1/scans", content=zipped(folder), headers=told).json() for folder in folders]
    for scan, folder in zip(scans, folders, strict=True):
        assert service.ended(scan["job"])["state"] == "done"
        measured = service.client.get(f"/api/v1/scans/{scan['scan']}/measurement")
        assert measured.text == command("measure", folder, "--json")
    pair = {"baseline": scans[0]["scan"], "followup": scans[1]["scan"]}
    ordered = service.client.post("/api/v1/comparisons", json=pair)
    assert ordered.status_code == 202
    ended = service.ended(ordered.json()["job"])
    assert ended["state"] == "done", ended
    change = service.client.get(ended["result"])
    assert change.text == command("compare", *folders, "--json")
    at = f"/api/v1/comparisons/{ordered.json()['comparison']}"
    assert service.client.get(f"{at}/report.html").status_code == 200
    for side in ("baseline", "followup"):
        picture = service.client.get(f"{at}/slices/{side}/2.png", params={"outline": 1})
        assert picture.status_code in (200, 404)
    assert service.client.delete(f"/api/v1/scans/{pair['baseline']}").status_code == 204
    assert service.client.get(at).status_code == 404, "a comparison goes with its scan"


def test_a_pair_that_lies_elsewhere_is_shown_in_one_place(service, tmp_path):
    """A follow-up whose grid was moved by whole voxels shows the same tissue in the same pixels."""
    from resorb.ct.phantom_pairs import random_pair

    pair = random_pair(np.random.default_rng(3))
    scans = []
    for name, scan in (("a", pair.baseline), ("b", pair.followup)):
        path = tmp_path / f"{name}.nii.gz"
        ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ scan.affine[:, [2, 1, 0, 3]]
        nibabel.save(nibabel.Nifti1Image(scan.hu.astype(np.int16).transpose(2, 1, 0), ras), path)
        scans.append(service.client.post("/api/v1/scans", files=[("files", ("x", path.read_bytes()))], data={"contrast": "none"}).json())
    for scan in scans:
        assert service.ended(scan["job"])["state"] == "done"
    ordered = service.client.post("/api/v1/comparisons", json={"baseline": scans[0]["scan"], "followup": scans[1]["scan"], "months": 12})
    ended = service.ended(ordered.json()["job"])
    assert ended["state"] == "done", ended
    change = service.client.get(ended["result"]).json()
    assert not change["alignment"]["failed"]
    both = [
        (n, d)
        for n, d in enumerate(change["deposits"])
        if d["baseline"] and d["followup"] and len(d["baseline"]) == len(d["followup"]) == 1
    ]
    assert both
    row, deposit = both[0]
    k = round((np.linalg.inv(np.array(change["baseline"]["affine_lps"])) @ [*deposit["centroid_mm"], 1])[0])
    at = f"/api/v1/comparisons/{ordered.json()['comparison']}/slices"
    shown = [service.client.get(f"{at}/{side}/{k}.json").json()["deposits"] for side in ("baseline", "followup")]
    centres = [_centre(next(d for d in side if d["row"] == row)["path"]) for side in shown]
    spacing = change["baseline"]["spacing_mm"][1]
    assert np.hypot(*(centres[0] - centres[1])) * spacing < 2.0, "the two outlines lie on each other"


def _centre(path):
    corners = [tuple(map(float, point.split())) for line in path.split("M")[1:] for point in line.split("L")]
    return np.mean(corners, 0)


def test_the_log_of_the_process_names_nobody(service, tmp_path):
    folder = write(tmp_path / "named", volume(slices=6, side=32), PatientName="Zebedee^Quux", PatientID="QX-1987-0042")
    for path in folder.iterdir():  # values that libraries like to quote when they warn
        path.write_bytes(path.read_bytes().replace(b"Zebedee^Quux", b"Zebedee^Qu\xffx").replace(b"120 ", b"12Q "))
    scan = service.client.post("/api/v1/scans", content=zipped(folder), headers={"Content-Type": "application/zip"}).json()
    service.ended(scan["job"])
    service.client.post(
        "/cds-services/resorb-patient-view", content=b'{"hook": "Zebedee Quux"', headers={"Content-Type": "application/json"}
    )
    written = service.log.read_text().lower()
    assert '"event": "job ended"' in written
    assert all(json.loads(line) for line in written.splitlines()[1:])
    for planted in ("zebedee", "qx-1987", "12q"):
        assert planted not in written


def test_help_stays_light():
    code = "import sys; sys.argv = ['resorb', '--help']\nfrom resorb.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
    done = subprocess.run([sys.executable, "-c", f"{code}print(*sorted(sys.modules))"], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not loaded & {"fastapi", "uvicorn", "sqlalchemy", "alembic", "joserfc", "httpx", "numpy", "pydantic"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--host", "0.0.0.0"], "--host"),
        (["--token", "short"], "--token"),
        (["--oidc-issuer", "https://id.example"], "--oidc-audience"),
        (["--cds-client", "nonsense"], "--cds-client"),
        (["--data", "/dev/null/x"], "--data"),
        (["--database", "nonsense://x"], "--database"),
    ],
)
def test_a_service_that_would_be_unsafe_or_useless_does_not_start(arguments, says, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "resorb", "serve", *arguments], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60
    )
    assert done.returncode == 3, done.stderr
    assert done.stderr.startswith("resorb: " + says)
    assert "Traceback" not in done.stderr
