# ruff: noqa: E402  (imports come after what may be missing)
"""Two scans through Python and the command line: equal answers, whole pages, and one clear message for what cannot be compared."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

np = pytest.importorskip("numpy")
nibabel = pytest.importorskip("nibabel")
pytest.importorskip("pydicom")
pytest.importorskip("SimpleITK")

from typer.testing import CliRunner

import resorb
from resorb.cli.app import app
from resorb.ct import Settings
from resorb.ct.phantom_pairs import Plan, random_pair
from resorb.ct.scan import Scan
from resorb.followup import Stated
from resorb.terms.change import Change
from tests.unit.ct.made_series import volume, write
from tests.unit.report import made

KNOWN = ["--contrast", "none", "--kvp", "120"]
PLAN = Plan(
    deposits=4, height_mm=70, pixel_mm=(0.9, 0.9), slice_mm=(2.0, 2.5), noise_hu=(8, 10), radius_mm=(2.0, 3.0), close=0,
    same_scanner=True, moved_mm=10, turned_degrees=4,
)  # fmt: skip


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["compare", *map(str, arguments)])


def save(scan: Scan, path: Path, affine: Any = None) -> Path:
    """As NIfTI, whose axes are column, row, slice and whose positions are RAS."""
    turned = (scan.affine if affine is None else affine)[:, [2, 1, 0, 3]].copy()
    turned[:2] *= -1
    nibabel.save(nibabel.Nifti1Image(np.transpose(np.asarray(scan.hu), (2, 1, 0)), turned), path)
    return path


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A person who moved; one deposit kept, one grown, one gone, one new."""
    folder = tmp_path_factory.mktemp("pair")
    drawn = random_pair(np.random.default_rng(1), PLAN)
    assert {d.fate for d in drawn.deposits} == {"kept", "gone", "new"}
    return save(drawn.baseline, folder / "a.nii.gz"), save(drawn.followup, folder / "b.nii.gz")


@pytest.fixture(scope="module")
def done(pair: tuple[Path, Path]) -> tuple[Any, Path]:
    page = pair[0].parent / "page.html"
    return run(*pair, *KNOWN, "--months", "12", "--json", "--html", page), page


def test_python_and_command_line_give_the_same_bytes(pair: tuple[Path, Path], done: tuple[Any, Path]) -> None:
    from resorb.report import to_json

    change = resorb.compare(*pair, settings=Settings(contrast="none", kvp=120), stated=Stated(months=12))
    assert done[0].exit_code == 0
    assert done[0].stdout == to_json(change) + "\n"


def test_what_happened_is_told(done: tuple[Any, Path]) -> None:
    said = json.loads(done[0].stdout)
    seen = {d["verdict"] for d in said["deposits"]}
    assert {"grew", "unchanged", "resolved", "new"} <= seen
    gone = next(d for d in said["deposits"] if d["verdict"] == "resolved")
    assert gone["baseline"]
    assert gone["followup"] is None
    assert gone["mass_mg"]["high"] < 0
    assert said["alignment"]["failed"] == ""
    assert said["alignment"]["displacement_mm"] > 0


def test_the_page_is_whole_with_pictures_of_both_scans(done: tuple[Any, Path]) -> None:
    page = done[1].read_text("utf-8")
    many = len(json.loads(done[0].stdout)["deposits"])
    assert page.count("data:image/png;base64,") == 2 + 2 * many
    for outside in ("<script", "<link", 'src="http', "@import", "url("):
        assert outside not in page
    assert f"wrote {done[1]}" in done[0].stderr
    assert list(done[1].parent.glob("*.part")) == []


def test_what_was_printed_is_read_back(done: tuple[Any, Path], tmp_path: Path) -> None:
    kept = tmp_path / "change.json"
    kept.write_text(done[0].stdout)
    result = resorb.read_result(kept)
    assert isinstance(result, Change)
    assert result.to_dict() == json.loads(done[0].stdout)


def test_two_measurements_are_compared_by_their_totals_alone(tmp_path: Path) -> None:
    for name, masses in (("a", (40.0, 12.0)), ("b", (20.0, 3.0)), ("c", (41.0, 12.0))):
        resorb.write(made.measurement(*masses, identity=name * 32), tmp_path / f"{name}.json")
    fell = run(tmp_path / "a.json", tmp_path / "b.json", "--months", "12", "--json")
    said = json.loads(fell.stdout)
    assert fell.exit_code == 0
    assert said["total"]["verdict"] == "shrank"
    assert said["total"]["annual_mass_mg"]["change"] == pytest.approx(-29)
    assert {d["verdict"] for d in said["deposits"]} == {"cannot tell"}
    assert "could not be checked" in said["total"]["why"]
    stayed = json.loads(run(tmp_path / "a.json", tmp_path / "c.json", "--json").stdout)
    assert stayed["total"]["verdict"] == "unchanged"
    kept = [resorb.read_result(tmp_path / f"{name}.json") for name in "ab"]
    assert resorb.compare(*kept, stated=Stated(months=12)).to_dict() == said
    assert resorb.compare(tmp_path / "a.json", tmp_path / "b.json", stated=Stated(months=12)).to_dict() == said
    itself = json.loads(run(tmp_path / "a.json", tmp_path / "a.json", "--json").stdout)
    assert {d["verdict"] for d in itself["deposits"]} == {"unchanged"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small DICOM series: of one person in two years, of another person, of the same scan again, and measurements."""
    at = tmp_path_factory.mktemp("series")
    person = {"PatientBirthDate": "19500101", "PatientSex": "F"}
    write(at / "y2024", volume(12, 40, 1), StudyDate="20240105", AcquisitionDate="20240105", **person)
    write(at / "y2025", volume(12, 40, 2), StudyDate="20250110", AcquisitionDate="20250110", SeriesInstanceUID="1.2.3", **person)
    write(at / "other", volume(12, 40, 2), StudyDate="20250110", AcquisitionDate="20250110", PatientID="somebody", **person)
    (at / "empty").mkdir()
    elsewhere = np.diag([-0.7, -0.7, 2.5, 1.0])
    elsewhere[0, 3] = 5000
    nibabel.save(nibabel.Nifti1Image(np.ones((40, 40, 12), np.uint8), elsewhere), at / "elsewhere.nii.gz")
    resorb.write(made.measurement(), at / "measurement.json")
    resorb.write(made.change(), at / "change.json")
    text = (at / "measurement.json").read_text()
    (at / "edited.json").write_text(text.replace('"value": 12.0', '"value": 1.0', 1))
    (at / "later.json").write_text(text.replace('"schema": 1', '"schema": 7'))
    return at


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["y2024", "other"], "two patients"),
        (["y2025", "y2024"], "the other way round"),
        (["y2024", "nowhere"], "nowhere: .*nothing there"),
        (["empty", "y2024"], "empty"),
        (["y2024", "y2025", "--labels-followup", "no.nii.gz"], "no.nii.gz: .*no such file"),
        (["y2024", "y2025", "--labels", "-", "--labels", "no.nii.gz"], "no.nii.gz: .*no such file"),
        (["y2024", "y2025", "--labels-followup", "elsewhere.nii.gz"], "elsewhere.nii.gz: found no label on any voxel"),
        (["y2024", "y2025", "--series", "-", "--series", "thorax"], "0 that match"),
        (["y2024", "y2025", "--convention", "mine"], "agatston_1990"),
        (["y2024", "y2025", "--months", "-3"], "months: found -3"),
        (["y2024", "y2025", "--html", "no/such/page.html"], "no folder"),
        (["y2024", "y2025", "--html", "page.docx"], "ending '.docx'"),
        (["measurement.json", "edited.json"], "edited.json: found a measurement that does not match its seal"),
        (["later.json", "measurement.json"], "later.json: found a measurement of schema 7.*expected schema 1"),
        (["measurement.json", "change.json"], "change.json: found a change; expected a measurement"),
        (["measurement.json", "y2024"], "found a measurement beside a scan"),
        (["measurement.json", "measurement.json", "--kvp", "100"], "found labels or settings"),
        (["measurement.json", "measurement.json", "--labels", "-", "--labels", "x.nii"], "found labels or settings"),
    ],
)
def test_what_cannot_be_compared_is_one_message_and_exit_3(
    folders: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    monkeypatch.chdir(folders)
    before = sorted(folders.rglob("*"))
    done = run(*arguments)
    assert done.exit_code == 3, done.output
    assert done.stdout == ""
    assert done.stderr.startswith("resorb compare: ")
    assert re.search(says, done.stderr), done.stderr
    assert sorted(folders.rglob("*")) == before


@pytest.mark.parametrize(
    "arguments",
    [["y2024"], ["y2024", "y2025", "--labels", "-"], ["y2024", "y2025", "--months", "3", "--months", "4"],
     ["y2024", "y2025", "--labels", "-", "--labels", "-", "--labels-baseline", "x"], ["y2024", "y2025", "y2025", "--labels-baseline", "x"]],
)  # fmt: skip
def test_what_was_asked_wrongly_is_exit_2(folders: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.chdir(folders)
    done = run(*arguments)
    assert done.exit_code == 2, done.output
    assert done.stdout == ""


def test_the_same_scan_twice_is_unchanged_and_says_so(folders: Path) -> None:
    done = run(folders / "y2024", folders / "y2024", "--json")
    said = json.loads(done.stdout)
    assert done.exit_code == 0
    assert said["total"]["verdict"] == "unchanged"
    assert "the same scan" in " ".join(said["warnings"])


def test_scans_that_share_nothing_cannot_be_told_and_exit_4(tmp_path: Path) -> None:
    """A body, and a small block of even tissue: no part of one is found in the other."""
    drawn = random_pair(np.random.default_rng(1), Plan(deposits=2, height_mm=40, pixel_mm=(1.2, 1.2), slice_mm=(2.5, 2.5)))
    other = save(Scan(volume(16, 40), drawn.baseline.affine), tmp_path / "b.nii.gz")
    done = run(save(drawn.baseline, tmp_path / "a.nii.gz"), other, *KNOWN, "--months", "6")
    assert done.exit_code == 4, done.output
    assert "cannot tell" in done.stdout.splitlines()[0]
    assert "could not be laid on each other" in done.stdout
    assert "Traceback" not in done.output


def test_more_than_two_scans_give_a_course(tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.json" for name in "abc"]
    for path, mass in zip(files, (60.0, 40.0, 20.0), strict=True):
        resorb.write(made.measurement(mass, identity=path.stem * 32), path)
    done = run(*files, "--months", "12", "--months", "24", "--json", "--html", tmp_path / "page.html")
    said = json.loads(done.stdout)
    assert done.exit_code == 0, done.output
    assert said["course"] == "falling"
    assert said["annual_mass_mg"]["change"] == pytest.approx(-20, abs=1)
    assert [stop["months"] for stop in said["stops"]] == [0, 12, 24]
    assert "Less and less calcium" in (tmp_path / "page.html").read_text("utf-8")
    assert "resorb compare" not in run(*files).stderr  # undated: no course, and that is an answer


def test_a_case_that_knows_the_change_answers_the_same_through_every_door(folders: Path, tmp_path: Path) -> None:
    from resorb.report import to_json

    case = tmp_path / "case.yaml"
    case.write_text("age: 48\nsite: shoulder.supraspinatus\nfindings: [calcification, fluffy_margin]\n")
    done = CliRunner().invoke(app, ["assess", str(case), "--change", str(folders / "change.json"), "--json"])
    assert done.exit_code == 0, done.output
    kept = resorb.read_result(folders / "change.json")
    assert isinstance(kept, Change)
    assert done.stdout == to_json(resorb.assess(resorb.read_case(case).with_change(kept))) + "\n"
    said = json.loads(done.stdout)
    assert said["seen"]["verdict"] == "shrank"
    assert said["seen"]["expected"]
    for file, says in (("measurement.json", "found a measurement"), ("edited.json", "seal"), ("none.json", "cannot be read")):
        refused = CliRunner().invoke(app, ["assess", str(case), "--change", str(folders / file)])
        assert refused.exit_code != 0
        assert says in str(refused.exception)
        assert refused.stdout == ""


def test_the_answer_that_knows_the_change_keeps_the_schema() -> None:
    import jsonschema

    from resorb.report import schema, to_json

    case = resorb.read_case({"site": "coronary_artery", "findings": ["calcification"], "age": 60})
    for verdict in ("shrank", "cannot tell", "unchanged"):
        jsonschema.validate(json.loads(to_json(resorb.assess(case.with_change(made.change(verdict=verdict))))), schema())


@pytest.mark.parametrize(
    ("of", "result"), [("measurement", made.measurement()), ("change", made.change()), ("change", made.change(months=None))]
)
def test_what_is_printed_keeps_its_published_schema(of: str, result: Any) -> None:
    import jsonschema

    from resorb.report import to_json

    done = CliRunner().invoke(app, ["schema", of])
    assert done.exit_code == 0
    jsonschema.validate(json.loads(to_json(result)), json.loads(done.stdout))
