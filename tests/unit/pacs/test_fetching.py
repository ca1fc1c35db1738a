"""Studies come in whole or not at all: every way a server can go wrong is one message, an exit code, and nothing left behind."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from resorb.cli.app import app
from resorb.ct.reading import read
from resorb.pacs import borrowed
from resorb.pacs.address import web_address
from resorb.pacs.failed import PacsFailed
from resorb.pacs.fetching import fetch
from resorb.pacs.web import HEADER, TIMEOUT, TOKEN, Patience
from resorb.terms.errors import ResorbError, UserError
from tests.unit.pacs.hostile import hostile

IMPATIENT = Patience(connect=1.0, read=0.5, whole=0.6, attempts=2, pause=0.01, most_bytes=5_000_000)


@pytest.fixture(autouse=True)
def own_temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder of the test's own, which must be empty in the end."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    for name in (TOKEN, HEADER, TIMEOUT):
        monkeypatch.delenv(name, raising=False)
    yield folder
    assert list(folder.iterdir()) == []


def test_every_instance_comes_and_the_scan_is_the_same(study: Path) -> None:
    with hostile(study) as server:
        uid = str(server.first.StudyInstanceUID)
        with borrowed(server.root, uid) as folder:
            assert (folder.stat().st_mode & 0o777) == 0o700
            assert len(list(folder.iterdir())) == 24
            assert read(folder).identity == read(study).identity
        assert not folder.exists()


def test_pages_of_a_few_are_all_read(study: Path, tmp_path: Path) -> None:
    with hostile(study, "pages") as server:
        assert fetch(web_address(server.root, str(server.first.StudyInstanceUID)), tmp_path / "temporary", IMPATIENT) == 24
    for path in (tmp_path / "temporary").iterdir():
        path.unlink()


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        ("hang", PacsFailed, "does not answer within"),
        ("hang later", PacsFailed, "does not answer within"),
        ("status 401", PacsFailed, "RESORB_PACS_TOKEN"),
        ("status 403", PacsFailed, "refuses us"),
        ("status 500", PacsFailed, "fails by itself"),
        ("status 503", PacsFailed, "too busy"),
        ("status 404", UserError, "check address and UIDs"),
        ("redirect", PacsFailed, "sends us on to 127.0.0.1:9"),
        ("html", UserError, "no DICOMweb"),
        ("fewer", UserError, "half a study: 24 images of 34"),
        ("half", UserError, "half a study: 12 images of 24"),
        ("another", UserError, "another SOPInstanceUID"),
        ("garbage", UserError, "no DICOMweb"),
        ("no pixels", UserError, "without pixels"),
        ("breaks off", PacsFailed, "breaks off"),
        ("endless", PacsFailed, "more than 5,000,000 bytes"),
        ("drip", PacsFailed, "does not answer within"),
    ],
)
def test_a_server_that_goes_wrong(study: Path, tmp_path: Path, fault: str, kind: type[ResorbError], said: str) -> None:
    folder = tmp_path / "fetched"
    folder.mkdir()
    with hostile(study, fault) as server:
        address = web_address(server.root, str(server.first.StudyInstanceUID))
        started = time.monotonic()
        with pytest.raises(kind, match=said) as caught:
            fetch(address, folder, IMPATIENT)
        assert time.monotonic() - started < 15
        assert len(str(caught.value).replace("\ntry: ", "").splitlines()) == 1
        assert "Nämlich" not in str(caught.value)


def test_a_server_that_is_busy_is_asked_again(study: Path, tmp_path: Path) -> None:
    (tmp_path / "fetched").mkdir()
    with hostile(study, "busy at first") as server:
        assert fetch(web_address(server.root, str(server.first.StudyInstanceUID)), tmp_path / "fetched", IMPATIENT) == 24


def test_a_full_disk_is_said_to_be_one(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pydicom.Dataset.save_as", full)
    with hostile(study) as server:
        uid = str(server.first.StudyInstanceUID)
        with pytest.raises(PacsFailed, match=r"No space left on device.*TMPDIR"), borrowed(server.root, uid):
            pass


def test_an_instance_cut_short_is_refused_when_it_is_read(study: Path) -> None:
    with hostile(study, "cut") as server, pytest.raises(UserError), borrowed(server.root, str(server.first.StudyInstanceUID)) as folder:
        read(folder)


def test_a_uid_that_is_a_path_is_not_asked_for(study: Path) -> None:
    with hostile(study, "traversal") as server:
        with borrowed(server.root, str(server.first.StudyInstanceUID)) as folder:
            assert len(list(folder.iterdir())) == 24
        assert not [path for path, _ in server.asked if ".." in path]


def test_a_server_without_tls_is_told_from_one_that_is_not_trusted(study: Path) -> None:
    with hostile(study) as server, pytest.raises(PacsFailed, match="does not speak TLS there"):
        fetch(web_address(server.root.replace("http:", "https:"), "1.2.3"), Path("nowhere"), IMPATIENT)


def test_a_study_of_another_modality_is_told_from_one_that_is_not_there(study: Path) -> None:
    for fault, said in (("only MR", "no CT series, only MR"), ("nothing", "no such study")):
        with hostile(study, fault) as server, pytest.raises(UserError, match=said):
            fetch(web_address(server.root, "1.2.3"), Path("nowhere"), IMPATIENT)


def test_nobody_there() -> None:
    with pytest.raises(PacsFailed, match="cannot be reached"):
        fetch(web_address("http://127.0.0.1:9/dicom-web", "1.2.3"), Path("nowhere"), IMPATIENT)


def test_the_secret_is_shown_to_the_server_and_to_nobody_else(
    study: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(TOKEN, "s3cret")
    caplog.set_level(1)
    with hostile(study) as server:
        with borrowed(server.root, str(server.first.StudyInstanceUID)):
            pass
        assert {headers["Authorization"] for _, headers in server.asked} == {"Bearer s3cret"}
    monkeypatch.setenv(HEADER, "X-Api-Key: s3cret")
    with hostile(study, "status 500") as server:
        with pytest.raises(PacsFailed) as caught:
            fetch(web_address(server.root, "1.2.3"), Path("nowhere"), IMPATIENT)
        assert {headers["X-Api-Key"] for _, headers in server.asked} == {"s3cret"}
    assert "s3cret" not in caplog.text + str(caught.value)


@pytest.mark.parametrize("value", ["no colon", ": x", "X-Key: a\nInjected: b"])
def test_a_header_that_is_none_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HEADER, value)
    with pytest.raises(UserError, match="Name: value"):
        fetch(web_address("http://127.0.0.1:9/dicom-web", "1.2.3"), Path("nowhere"), IMPATIENT)


def test_a_secret_is_not_sent_in_the_clear_to_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, "s3cret")
    with pytest.raises(UserError, match="https") as caught:
        fetch(web_address("http://pacs.example/dicom-web", "1.2.3"), Path("nowhere"), IMPATIENT)
    assert "s3cret" not in str(caught.value)


def test_how_long_to_wait_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TIMEOUT, "2")
    assert (Patience.of_environment().read, Patience.of_environment().connect) == (2.0, 2.0)
    for wrong in ("never", "-1", "nan"):
        monkeypatch.setenv(TIMEOUT, wrong)
        with pytest.raises(UserError, match=TIMEOUT):
            Patience.of_environment()


def run(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(words))
    if done.exception is not None and isinstance(done.exception, ResorbError):
        return done.exception.exit_code, done.stdout, str(done.exception)
    return done.exit_code, done.stdout, done.stderr


def test_measure_answers_of_an_address_as_of_a_folder(study: Path) -> None:
    with hostile(study) as server:
        there = run("measure", server.root, "--study", str(server.first.StudyInstanceUID), "--json")
        whole = f"{server.root}/studies/{server.first.StudyInstanceUID}/series/{server.first.SeriesInstanceUID}"
        also = run("measure", whole, "--json")
    here = run("measure", str(study), "--json")
    assert there[0] == here[0] == also[0] == 0
    assert (
        hashlib.sha256(there[1].encode()).digest() == hashlib.sha256(here[1].encode()).digest() == hashlib.sha256(also[1].encode()).digest()
    )


@pytest.mark.parametrize(("fault", "code"), [("half", 3), ("garbage", 3), ("status 500", 1)])
def test_measure_says_one_line_and_leaves(study: Path, fault: str, code: int) -> None:
    with hostile(study, fault) as server:
        done = run("measure", server.root, "--study", str(server.first.StudyInstanceUID))
    assert done[0] == code
    assert done[1] == ""
    assert len(done[2].strip().replace("\ntry: ", "").splitlines()) == 1
    assert done[2].startswith("resorb measure: ")


def test_an_address_without_a_study_and_a_study_without_an_address_are_refused(study: Path) -> None:
    assert run("measure", "https://pacs.example/dicom-web")[0] == 3
    done = run("measure", str(study), "--study", "1.2.3")
    assert done[0] == 3
    assert "DICOMweb address" in done[2]
