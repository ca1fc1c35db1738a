# ruff: noqa: E402  (imports come after what may be missing)
"""The PACS for real: Orthanc with its DICOMweb plug-in, storescu in, results back, read by tools that know nothing of resorb."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("SimpleITK")
hd = pytest.importorskip("highdicom")

import pydicom

from resorb.ct.labels import read_labels
from resorb.ct.reading import read
from resorb.pacs import deliver, results
from resorb.pacs.codes import MEASURES
from resorb.pacs.failed import PacsFailed
from tests.records import mineral_record
from tests.unit.pacs.conftest import measured
from tests.unit.pacs.made_study import write_pair
from tests.unit.pacs.peers import Orthanc, dciodvfy, dsrdump, free_port, needs, orthanc

pytestmark = needs("Orthanc", "storescu", "dciodvfy", "dsrdump")
WALK = Path(__file__).parents[2] / "docs" / "how-to" / "connect-a-pacs.md"


def resorb(*arguments: object, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "resorb", *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False, **more
    )


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two studies of one person as files."""
    return write_pair(tmp_path_factory.mktemp("pair"))


@pytest.fixture(scope="module")
def pacs(tmp_path_factory: pytest.TempPathFactory, pair: tuple[Path, Path]) -> Iterator[Orthanc]:
    """An Orthanc that holds both, brought in by storescu."""
    with orthanc(tmp_path_factory.mktemp("orthanc")) as running:
        for folder in pair:
            running.take(folder)
        yield running


def header(folder: Path) -> Any:
    return pydicom.dcmread(next(folder.glob("*.dcm")), stop_before_pixels=True)


def of_study(pacs: Orthanc, study: str, modality: str) -> list[str]:
    """The instances of one modality in one study, as QIDO lists them."""
    found = []
    for series in pacs.ask(f"/dicom-web/studies/{study}/series?Modality={modality}"):
        uid = series["0020000E"]["Value"][0]
        found += [i["00080018"]["Value"][0] for i in pacs.ask(f"/dicom-web/studies/{study}/series/{uid}/instances")]
    return found


@pytest.fixture(scope="module")
def sent(pacs: Orthanc, pair: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """The answer to a DICOMweb address, sent back by STOW-RS, and what Orthanc holds of it, as files."""
    study = header(pair[0]).StudyInstanceUID
    done = resorb("measure", pacs.web, "--study", study, "--contrast", "none", "--json", "--send", pacs.web)
    assert done.returncode == 0, done.stderr
    folder = tmp_path_factory.mktemp("fetched")
    for modality in ("SEG", "SR", "OT"):
        for n, sop in enumerate(of_study(pacs, study, modality)):
            (folder / f"{modality}-{n}.dcm").write_bytes(pacs.file(sop))
    return json.loads(done.stdout), folder


def test_an_address_is_answered_as_the_folder_is(sent: tuple[dict[str, Any], Path], pair: tuple[Path, Path]) -> None:
    here = resorb("measure", pair[0], "--contrast", "none", "--json")
    assert json.loads(here.stdout) == sent[0]


def test_validators_have_nothing_to_say(sent: tuple[dict[str, Any], Path]) -> None:
    files = sorted(sent[1].iterdir())
    assert [f.name for f in files] == ["OT-0.dcm", "OT-1.dcm", "OT-2.dcm", "SEG-0.dcm", "SR-0.dcm"]
    said = {f.name: [line for line in dciodvfy(f) if line.startswith("Error")] for f in files}
    assert said == {f.name: [] for f in files}
    told = dsrdump(sent[1] / "SR-0.dcm")
    assert "Imaging Measurement Report" in told
    assert "PRELIMINARY" in told
    assert "UNVERIFIED" in told
    assert "Nämlich^Frieda" in told


def test_the_seg_that_comes_back_is_the_label_map(sent: tuple[dict[str, Any], Path], pair: tuple[Path, Path], tmp_path: Path) -> None:
    saved = tmp_path / "labels.nii.gz"
    assert resorb("measure", pair[0], "--contrast", "none", "--save-labels", saved).returncode == 0
    scan = read(pair[0])
    theirs = hd.seg.segread(sent[1] / "SEG-0.dcm")
    headers = [pydicom.dcmread(path, stop_before_pixels=True) for path in pair[0].glob("*.dcm")]
    ordered = [h.SOPInstanceUID for h in sorted(headers, key=lambda h: h.ImagePositionPatient[2])]
    voxels = theirs.get_pixels_by_source_instance(ordered, combine_segments=True, assert_missing_frames_are_empty=True)
    ours = read_labels(saved, scan).index
    assert (voxels == ours).all()
    assert ours.max() == len(sent[0]["deposits"]) > 0
    assert (read_labels(sent[1] / "SEG-0.dcm", scan).index == ours).all()


def test_the_report_that_comes_back_has_the_numbers_of_the_answer(sent: tuple[dict[str, Any], Path]) -> None:
    groups = hd.sr.srread(sent[1] / "SR-0.dcm").content.get_volumetric_roi_measurement_groups()
    assert len(groups) == len(sent[0]["deposits"])
    for group, deposit in zip(groups, sent[0]["deposits"], strict=True):
        found = {m.name.value: m.value for m in group.get_measurements()}
        told = {c.name.value: deposit[n]["value"] for n, c in MEASURES.items() if "value" in deposit[n]}
        assert found == pytest.approx(told, rel=1e-9)


def test_sources_are_as_they_were_and_sending_again_adds_nothing(pacs: Orthanc, pair: tuple[Path, Path], sent: Any) -> None:
    study = header(pair[0]).StudyInstanceUID
    for path in sorted(pair[0].glob("*.dcm"))[:3]:
        theirs = pydicom.dcmread(io.BytesIO(pacs.file(pydicom.dcmread(path).SOPInstanceUID)))
        assert theirs == pydicom.dcmread(path)
    before = pacs.ask("/statistics")["CountInstances"]
    done = resorb("measure", pacs.web, "--study", study, "--contrast", "none", "--send", pacs.peer)  # by C-STORE this time
    assert done.returncode == 0, done.stderr
    assert pacs.ask("/statistics")["CountInstances"] == before
    assert sent[0]["deposits"]


def test_debians_storescu_takes_what_was_written(pacs: Orthanc, pair: tuple[Path, Path], tmp_path: Path) -> None:
    study = header(pair[1]).StudyInstanceUID
    assert resorb("measure", pair[1], "--contrast", "none", "--dicom-out", tmp_path).returncode == 0
    pacs.take(tmp_path)
    assert len(of_study(pacs, study, "SEG")) == len(of_study(pacs, study, "SR")) == 1


def test_a_title_that_is_refused_and_an_orthanc_that_dies_while_it_is_sent_to(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    objects = results(measured(pair[0]))
    with orthanc(tmp_path) as other:
        with pytest.raises(PacsFailed, match="AE title"):
            deliver(objects, send=f"WRONG@127.0.0.1:{other.dicom}")

        class Killing(tuple):  # type: ignore[type-arg]  # the second time they are gone through they are sent
            def __iter__(self) -> Iterator[Any]:
                self.seen = getattr(self, "seen", 0) + 1
                for n, one in enumerate(tuple.__iter__(self)):
                    if self.seen == 2 and n == 2:
                        other.process.kill()
                        other.process.wait()
                    yield one

        with pytest.raises(PacsFailed, match="2 of 5 objects stored"):
            deliver(Killing(objects), send=other.peer)
        with pytest.raises(PacsFailed, match="cannot be reached"):
            deliver(objects, send=other.peer)
        with pytest.raises(PacsFailed, match="cannot be reached"):
            deliver(objects, send=other.web)


def listener(folder: Path, port: int, pacs: Orthanc, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "resorb", "listen", "--port", str(port), "--folder", str(folder), "--send", pacs.web, *more]
    started = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert started.stderr is not None
    assert "listening as RESORB" in started.stderr.readline()
    return started


def test_what_was_received_is_measured_after_a_kill_and_sent_back(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    study, port = header(pair[0]).StudyInstanceUID, free_port()
    with orthanc(tmp_path / "orthanc") as other:
        first = listener(tmp_path / "in", port, other, "--quiet-seconds", "3600")
        try:
            command = ["storescu", "-aec", "RESORB", "127.0.0.1", str(port), "+sd", str(pair[0])]
            subprocess.run(command, check=True, capture_output=True, timeout=120)
        finally:
            first.send_signal(signal.SIGKILL)
            first.communicate(timeout=30)
        assert other.ask("/statistics")["CountInstances"] == 0
        second = listener(tmp_path / "in", port, other, "--quiet-seconds", "1")
        try:
            until = time.monotonic() + 120
            while other.ask("/statistics")["CountInstances"] < 5 and time.monotonic() < until:
                time.sleep(0.1)
            time.sleep(1.0)  # it forgets what it has sent
        finally:
            second.send_signal(signal.SIGTERM)
            _, rest = second.communicate(timeout=60)
        line, stopped = rest.splitlines()
        assert "sent 5 objects" in line
        assert (second.returncode, stopped) == (0, "resorb listen: stopped")
        assert [len(of_study(other, study, m)) for m in ("SEG", "SR", "OT")] == [1, 1, 3]
        assert study not in line
        assert not list((tmp_path / "in").rglob("*.dcm"))


# --- the walk of docs/how-to/connect-a-pacs.md ---------------------------------------------------------


@pytest.fixture
def records() -> Iterator[tuple[str, list[Any]]]:
    """A FHIR server that reads what is posted with somebody else's models, and keeps it."""
    from fhir.resources.R4B.bundle import Bundle

    kept: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.append(Bundle.model_validate_json(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", kept
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def steps() -> list[str]:
    return re.findall(r"^```sh\n(# the walk.*?)^```$", WALK.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@needs("curl")
def test_the_walk_of_the_page(tmp_path: Path, pair: tuple[Path, Path], records: tuple[str, list[Any]]) -> None:
    (tmp_path / "bundle.json").write_text(json.dumps(mineral_record()))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "resorb").write_text(f'#!/bin/sh\nexec {sys.executable} -m resorb "$@"\n')
    (tmp_path / "bin" / "resorb").chmod(0o755)
    baseline, followup = (header(folder) for folder in pair)
    with orthanc(tmp_path / "orthanc") as other:
        place = {
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "PACS": other.web, "DICOM_PORT": str(other.dicom), "FHIR": records[0],
            "SCANS": str(pair[0].parent), "BASELINE": baseline.StudyInstanceUID, "FOLLOWUP": followup.StudyInstanceUID,
            "BUNDLE": "bundle.json",
        }  # fmt: skip
        assert len(steps()) >= 5
        for step in steps():
            command = ["bash", "-euo", "pipefail", "-c", step]
            done = subprocess.run(
                command, cwd=tmp_path, env={**os.environ, **place}, capture_output=True, text=True, timeout=300, check=False
            )
            assert done.returncode == 0, step + done.stdout + done.stderr
        _walked(other, tmp_path, followup, baseline)
    (answer,) = records[1]
    kinds = {entry.resource.get_resource_type() for entry in answer.entry}
    assert {"RiskAssessment", "DetectedIssue", "Provenance"} <= kinds


def _walked(pacs: Orthanc, folder: Path, followup: Any, baseline: Any) -> None:
    """Both studies hold a SEG and a report; the later report holds both time points and the verdicts of the answer."""
    change = json.loads((folder / "change.json").read_text())
    for study in (baseline.StudyInstanceUID, followup.StudyInstanceUID):
        assert len(of_study(pacs, study, "SEG")) == 1
    reports = [pydicom.dcmread(io.BytesIO(pacs.file(sop))) for sop in of_study(pacs, followup.StudyInstanceUID, "SR")]
    (report,) = reports
    groups = hd.sr.Comprehensive3DSR.from_dataset(report).content.get_volumetric_roi_measurement_groups()
    said = [q.value.meaning for g in groups for q in g.get_qualitative_evaluations() if q.name.value == "verdict"]
    assert sorted(said) == sorted(d["verdict"] for d in change["deposits"] if d["followup"])
    names = [g.tracking_uid for g in groups]
    assert any(names.count(name) == 2 for name in names)
    assert (folder / "answer.html").stat().st_size > 1000
    assert "Imaging Measurement Report" in (folder / "report.txt").read_text()


def test_nothing_of_ours_is_left_in_the_temporary_folder(pacs: Orthanc, pair: tuple[Path, Path], tmp_path: Path) -> None:
    place = {**os.environ, "TMPDIR": str(tmp_path)}
    study = header(pair[0]).StudyInstanceUID
    assert resorb("measure", pacs.web, "--study", study, env=place).returncode == 0
    assert resorb("measure", pacs.web, "--study", study, "--labels", "nowhere.nii.gz", env=place).returncode == 3
    assert list(tmp_path.iterdir()) == []
