"""Drop a scan: every deposit outlined and in the form; drop a second: what changed; drop what is no scan: why not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import resorb

VIEWER = Path(resorb.__file__).parent / "web" / "page" / "static" / "vendor" / "niivue.js"
FILES = ".drop input[multiple]"


def first(page: Any, path: Path) -> None:
    page.wait_for_selector(".drop")
    page.set_input_files(FILES, path)
    page.wait_for_selector("tr[data-deposit]", timeout=60_000)


@pytest.fixture(scope="module")
def measured(browser: Any, site: str, pair: tuple[Path, Path]) -> str:
    """The address of a scan that is measured already."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(site + "?slices#/scan")
    first(page, pair[0])
    fragment = str(page.evaluate("location.hash"))
    context.close()
    return fragment


def test_a_scan_its_outlines_and_its_way_into_the_form(open_page: Any, pair: tuple[Path, Path]) -> None:
    page = open_page("#/scan", "?slices")
    first(page, pair[0])
    rows = page.locator("tr[data-deposit]")
    assert rows.count() == 5
    page.wait_for_selector(".outlines path.now", state="attached")
    seen = page.locator(".bar-line output").inner_text()
    rows.nth(3).locator("[data-jump]").click()
    page.wait_for_function("before => document.querySelector('.bar-line output').innerText !== before", arg=seen)
    page.wait_for_selector(".outlines path.now", state="attached")
    assert "outlined: 1" in str(page.locator(".frame img").get_attribute("alt"))
    assert page.locator(".frame img").evaluate("image => image.naturalWidth") == 128
    page.reload()
    page.wait_for_selector("tr[data-deposit]")
    page.locator("tr[data-deposit] [data-use]").first.click()
    page.wait_for_function("() => location.hash.includes('density=') && location.hash.includes('modality=ct')")
    page.locator('[data-combo="site"] input').fill("kidney")
    page.locator("[role=option]", has_text=re.compile("^kidney")).first.click()
    page.wait_for_selector("#a-plain")
    page.wait_for_selector("#answer[aria-busy=false]")


def test_two_scans_and_what_became_of_each_deposit(open_page: Any, measured: str, pair: tuple[Path, Path]) -> None:
    page = open_page(measured, "?slices")
    page.wait_for_selector("tr[data-deposit]")
    page.locator(".stated summary").click()
    page.get_by_label("Months between the scans").fill("12")
    page.set_input_files(FILES, pair[1])
    page.wait_for_selector(".change", timeout=120_000)
    verdicts = page.locator(".verdict-tag").all_inner_texts()
    assert sorted(v.strip() for v in verdicts) == ["grew", "new", "resolved", "shrank", "unchanged", "unchanged"]
    shapes = page.locator(".verdict-tag svg g").evaluate_all("all => new Set(all.map(g => g.innerHTML)).size")
    assert shapes == 5
    page.wait_for_selector(".viewer .frame")
    assert page.locator(".viewer .frame").count() == 2
    page.locator("tr[data-deposit]", has_text="grew").locator("[data-jump]").click()
    page.wait_for_function("() => [...document.querySelectorAll('.outlines')].every(o => o.querySelector('path.now'))")
    at = page.locator(".frame img").evaluate_all("all => all.map(i => i.alt.match(/slice (\\d+)/)[1])")
    assert at[0] == at[1]
    assert page.locator("svg.scatter").count() == 1
    assert "after 12 months" in page.locator("svg.course-of-total").text_content()
    page.reload()
    page.wait_for_selector(".change")
    page.get_by_role("button", name="Ask what this means").click()
    page.wait_for_selector("#a-seen")
    assert "comparison=c" in page.url
    assert page.locator(".seen-pair").inner_text().count("unchanged") >= 1
    page.go_back()
    page.wait_for_selector(".change")


def test_axe_finds_nothing_serious_on_a_measured_scan(browser: Any, site: str, axe: Any, measured: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, bypass_csp=True)
    try:
        page = context.new_page()
        page.goto(site + "?slices" + measured)
        page.wait_for_selector(".outlines path.now", state="attached")
        assert axe(page) == []
    finally:
        context.close()


def test_what_is_no_scan_is_refused_with_a_reason(open_page: Any, tmp_path: Path) -> None:
    bad = tmp_path / "holiday.nii.gz"
    bad.write_bytes(b"this is not a scan" * 40)
    page = open_page("#/scan")
    page.wait_for_selector(".drop")
    page.set_input_files(FILES, bad)
    page.wait_for_selector(".drop .problems", timeout=60_000)
    assert len(page.locator(".drop .problems li").inner_text()) > 20
    assert page.locator(FILES).is_enabled()
    assert page.url.endswith("#/scan")


def test_a_scan_nobody_has_is_told(open_page: Any) -> None:
    page = open_page("#/scan?a=s000000000000000000000000")
    page.wait_for_selector("#scan .problems")
    page.get_by_role("button", name="Start with another scan").click()
    page.wait_for_selector(".drop")
    page.locator('nav a[data-view="describe"]').click()
    page.wait_for_selector("#start:not([hidden])")


def test_the_three_plane_viewer_where_it_is_built(open_page: Any, measured: str) -> None:
    page = open_page(measured)
    page.set_default_timeout(90_000)
    page.wait_for_selector(".viewer .frame img")
    if not VIEWER.exists():
        assert "make page" in page.locator("#scan").inner_text()
        return
    page.get_by_role("button", name="Three planes").click()
    page.wait_for_selector(".viewer canvas")
    page.wait_for_selector('.views button[aria-pressed=true]:has-text("Three planes")')
    page.locator("tr[data-deposit] [data-jump]").nth(1).click()
    page.get_by_role("button", name="Slices").click()
    page.wait_for_selector(".outlines path.now", state="attached")
