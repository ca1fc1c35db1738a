"""Any result, three forms: pages, JSON and text of measurements, whole files or none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import resorb
from resorb.report import to_dict, to_html, to_json, to_text
from resorb.terms.errors import UserError
from tests.unit.report import made

MEASURED = made.measurement()
PICTURES = (made.picture("mip-coronal"), made.picture("deposit-1"))


def test_a_measurement_is_written_in_three_forms(tmp_path: Path) -> None:
    for ending, text in ((".html", to_html(MEASURED, PICTURES)), (".json", to_json(MEASURED)), (".txt", to_text(MEASURED))):
        resorb.write(MEASURED, tmp_path / f"a{ending}", PICTURES)
        assert (tmp_path / f"a{ending}").read_text("utf-8") == text
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.html", "a.json", "a.txt"]
    assert resorb.read_result(tmp_path / "a.json").to_dict() == MEASURED.to_dict() == json.loads(to_json(MEASURED)) == to_dict(MEASURED)


def test_the_page_of_a_measurement_shows_its_numbers_reasons_and_pictures() -> None:
    page = to_html(MEASURED, PICTURES)
    assert page.count("data:image/png;base64,") == 2
    assert page.count("<svg") == 2
    for said in (
        '12.00<br><span class="small">[10.80, 13.20]',
        "too small for this scan&#39;s blur",
        "joined to the skeleton",
        "another series",
        "mind this",
    ):
        assert said in page
    assert page.count("Not a medical device") == 1
    for outside in ("<script", "<link", 'src="http', "@import", "url("):
        assert outside not in page


def test_pages_share_one_stylesheet() -> None:
    said = resorb.assess(resorb.read_case({"site": "shoulder", "findings": ["fluffy_margin"]}))
    sheets = {page.partition("<style>")[2].partition("</style>")[0] for page in (to_html(MEASURED), to_html(said), to_html(made.change()))}
    assert len(sheets) == 1
    assert "prefers-color-scheme: dark" in sheets.pop()


def test_what_headers_say_is_escaped() -> None:
    evil = replace(MEASURED, scan=replace(MEASURED.scan, description="<script>x</script>"))
    assert "<script" not in to_html(evil)


@pytest.mark.parametrize("name", ["no/such/a.html", "a.docx", "a", "folder.html"])
def test_what_cannot_be_written_leaves_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(UserError, match="found"):
        resorb.write(MEASURED, tmp_path / name)
    assert [p.name for p in tmp_path.rglob("*")] == ["folder.html"]


def test_a_write_that_fails_half_way_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "a.html"
    page.write_text("old")

    def full(self: Path, *_: object, **__: object) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(UserError, match="No space left"):
        resorb.write(MEASURED, page)
    assert [p.name for p in tmp_path.iterdir()] == ["a.html"]
    assert page.read_text() == "old"


@pytest.mark.parametrize(("raw", "says"), [(b"\xff\xfe", "UTF-8"), (b"{}", "neither"), (None, "cannot be read")])
def test_a_file_that_is_no_result_is_refused(tmp_path: Path, raw: bytes | None, says: str) -> None:
    path = tmp_path / "a.json"
    if raw is not None:
        path.write_bytes(raw)
    with pytest.raises(UserError, match=says):
        resorb.read_result(path)
