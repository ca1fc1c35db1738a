"""The whole loop on data made on the spot: a case, two scans, and the case again, knowing what they showed, in one report."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("numpy")
pytest.importorskip("SimpleITK")

from typer.testing import CliRunner

import resorb
from resorb.cli.app import app
from resorb.terms.change import Change


def test_the_demo_closes_the_loop(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["demo", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    names = sorted(p.name for p in tmp_path.iterdir())
    case = "shoulder-infraspinatus-lavage"
    assert names == ["change.html", "change.json", "scan.html", f"{case}-with-change.html", f"{case}.html"]
    change = resorb.read_result(tmp_path / "change.json")
    assert isinstance(change, Change)
    seen = [d.verdict for d in change.deposits]
    assert {"resolved", "new", "shrank", "unchanged"} <= set(seen)
    assert change.total.verdict == "shrank"
    report = (tmp_path / f"{case}-with-change.html").read_text("utf-8")
    assert report.count("data:image/png;base64,") == 2 + 2 * len(seen)
    for said in ("What two scans showed, 14 months apart: shrank", "What was to be expected by then", "When another scan could tell more"):
        assert said in report
    assert "What two scans showed" not in (tmp_path / f"{case}.html").read_text("utf-8")
    assert "What two scans showed, 14 months apart: shrank" in done.stdout


def test_an_unknown_example_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["demo", "nobody", "--out", str(tmp_path / "out")])
    assert done.exit_code != 0
    assert "expected one of" in str(done.exception)
    assert not (tmp_path / "out").exists()
