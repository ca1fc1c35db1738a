# ruff: noqa: E402  (imports come after what may be missing; tables stay in one line)
"""The command: table, JSON, page, label map; one message and exit 3 for refused input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

np = pytest.importorskip("numpy")
nibabel = pytest.importorskip("nibabel")
typer = pytest.importorskip("typer")

from typer.testing import CliRunner

from resorb.cli.measure import measure
from resorb.ct.phantom import Ellipsoid, Scanner, make
from tests.unit.ct.made_series import volume, write

APP = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
APP.command()(measure)


def run(*arguments: object) -> Any:
    return CliRunner().invoke(APP, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DICOM folder with two deposits."""
    deposits = [Ellipsoid((6.0, -5.0, 3.0), (3.2, 3.0, 3.1), 500.0), Ellipsoid((-10.0, 6.0, -4.0), (1.0, 1.0, 1.0), 700.0)]
    hu = make(Scanner((24, 80, 80), (2.5, 0.7, 0.7), 0.8, 10.0), deposits, 1).hu
    return write(tmp_path_factory.mktemp("scan"), np.asarray(hu))


def test_table(scan: Path) -> None:
    done = run(scan)
    assert done.exit_code == 0, done.output
    assert "Agatston" in done.stdout
    assert "total (2)" in done.stdout
    assert "Not a medical device" in done.stdout


def test_json_has_what_it_promises(scan: Path) -> None:
    done = run(scan, "--json")
    said = json.loads(done.stdout)
    assert set(said) >= {"scan", "deposits", "sites", "total", "excluded", "warnings", "versions", "convention", "calibration"}
    assert set(said["scan"]) >= {"identity", "shape", "kvp", "kernel", "spacing_mm", "thickness_mm", "affine_lps"}
    one = said["deposits"][1]
    names = {
        "id",
        "site",
        "centroid_mm",
        "agatston",
        "volume_mm3",
        "mass_mg",
        "mass_threshold_mg",
        "diameter_mm",
        "peak_hu",
        "mean_hu",
        "density_mg_cm3",
        "slices",
    }
    assert set(one) >= names
    for deposit in said["deposits"]:
        for name in ("agatston", "volume_mm3", "mass_mg", "diameter_mm"):
            measured = deposit[name]
            assert set(measured) == {"refused"} or measured["low"] <= measured["value"] <= measured["high"]
    assert any("refused" in d["volume_mm3"] for d in said["deposits"])
    assert any("value" in d["volume_mm3"] for d in said["deposits"])


def test_page_and_label_map(scan: Path, tmp_path: Path) -> None:
    page, labels = tmp_path / "out.html", tmp_path / "out.nii.gz"
    assert run(scan, "--html", page, "--save-labels", labels).exit_code == 0
    text = page.read_text("utf-8")
    assert text.count("data:image/png;base64,") == 4
    assert "http" not in text.replace("http://www.w3.org", "")
    assert '<path d="M' in text
    stored = np.asarray(nibabel.load(labels).dataobj)
    assert sorted(np.unique(stored)) == [0, 1, 2]


def test_the_page_escapes_what_headers_say(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", volume(5, 40), SeriesDescription="<script>alert(1)</script>")
    assert run(folder, "--html", tmp_path / "out.html").exit_code == 0
    assert "<script>" not in (tmp_path / "out.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{tmp}/nowhere"], "nothing there"),
        (["{scan}", "--box", "1,2,3"], "six numbers"),
        (["{scan}", "--box", "nan,0,0,1,1,1"], "--box|box"),
        (["{scan}", "--convention", "mine"], "agatston_1990"),
        (["{scan}", "--contrast", "maybe"], "'none', 'given'"),
        (["{scan}", "--calibration", "77"], "mg/cm3 per HU"),
        (["{scan}", "--labels", "{tmp}/no.nii.gz"], "no such file"),
        (["{scan}", "--save-labels", "{tmp}/no/such/out.nii.gz"], "no folder"),
        (["{scan}", "--series", "other"], "0 that match"),
        (["{scan}", "--html", "{tmp}/no/such/out.html"], "no folder"),
        (["{scan}", "--html", "{tmp}/out.docx"], "the ending '.docx'"),
    ],
)
def test_refusals_are_one_message_and_exit_3(scan: Path, tmp_path: Path, arguments: list[str], said: str) -> None:
    import re

    done = run(*(a.format(tmp=tmp_path, scan=scan) for a in arguments))
    assert done.exit_code == 3, done.output
    assert done.stdout == ""
    assert re.search(said, done.stderr)
    assert done.stderr.startswith("resorb measure: ")
    assert not list(tmp_path.iterdir())


def test_one_slice_is_one_message_and_leaves_nothing(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = run(write(tmp_path / "scan", volume(1, 40)), "--html", page)
    assert done.exit_code == 3
    assert "found a single slice, with" in done.stderr
    assert "the whole series" in done.stderr
    assert done.stdout == ""
    assert not page.exists()
