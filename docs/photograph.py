"""Take the pictures of the page that README and docs show: real answers of the service, in a real browser.

`python docs/photograph.py` writes them to docs/pictures; it needs Chromium and playwright (the extras `test` and `server`).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

SHOULDER = "#/?site=shoulder.supraspinatus&findings=fluffy_margin&symptoms=pain&age=48+years"
STONE = "#/?site=ureter.distal&findings=stone&symptoms=colic,fever&size=5+mm&age=40+years"
CORONARY = "#/?site=coronary_artery&measures=agatston:250&sex=male&age=62+years"
LARGEST_BYTES = 300_000


def main() -> None:
    """Start the service, look, save."""
    from playwright.sync_api import sync_playwright
    from tests.browser.conftest import CHROMIUM, FLAGS, serving

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for site in serving(Path(folder)):
            answers(browser, site)
            scans(browser, site, Path(folder))
        comparison(browser, Path(folder))
        browser.close()
    for picture in sorted((HERE / "pictures").glob("*.png")):
        size = picture.stat().st_size
        assert size < LARGEST_BYTES, f"{picture} holds {size} bytes; expected fewer than {LARGEST_BYTES}"
        sys.stdout.write(f"{picture.name}: {size // 1000} kB\n")


def answers(browser: Any, site: str) -> None:
    """The shoulder, its outlook and options, the stone on a phone, the coronary score in the dark, the table of kinds."""
    page = opened(browser, site + SHOULDER, "#a-plain")
    save(page, "page-shoulder")
    at(page, "#a-outlook")
    save(page, "page-outlook")
    at(page, "#a-options")
    save(page, "page-options")
    page = opened(browser, site + STONE, ".flag", width=390, height=844)
    at(page, ".flag")
    save(page, "page-phone")
    save(opened(browser, site + CORONARY, "#a-plain", scheme="dark"), "page-coronary-dark")
    save(opened(browser, site + "#/lookup", "table.kinds"), "page-kinds")
    save(opened(browser, site + "?lang=de" + SHOULDER, "#a-plain"), "page-german")


def scans(browser: Any, site: str, folder: Path) -> None:
    """One scan with its deposits, and two with what became of them."""
    from tests.browser import scans as made

    page = opened(browser, site + "?slices#/scan", ".drop")
    page.locator("input[name=kvp]").evaluate_all("all => all.forEach(one => { one.value = '120' })")
    page.set_input_files(".drop input[multiple]", made.write(made.before(), folder / "before.nii.gz"))
    page.wait_for_selector(".outlines path.now", state="attached", timeout=120_000)
    at(page, ".scan-grid")
    save(page, "page-scan")
    page.locator("input[name=kvp]").evaluate_all("all => all.forEach(one => { one.value = '120' })")
    page.set_input_files(".drop input[multiple]", made.write(made.after(), folder / "after.nii.gz"))
    page.wait_for_selector(".change", timeout=120_000)
    page.wait_for_function("() => document.querySelectorAll('.pair .frame img[src]').length === 2")
    page.locator("tr[data-deposit]", has_text="grew").locator("[data-jump]").click()
    page.wait_for_function("() => [...document.querySelectorAll('.outlines')].every(o => o.querySelector('path.now'))")
    at(page, ".change + .panel")
    save(page, "page-two-scans")


def comparison(browser: Any, folder: Path) -> None:
    """The page of the pair that `resorb demo` makes."""
    from typer.testing import CliRunner

    from resorb.cli.app import app

    CliRunner().invoke(app, ["demo", "--out", str(folder / "demo")], catch_exceptions=False)
    page = browser.new_page(viewport={"width": 1280, "height": 1180})
    page.goto((folder / "demo" / "change.html").as_uri())
    save(page, "comparison")


def opened(browser: Any, address: str, ready: str, width: int = 1280, height: int = 860, scheme: str = "light") -> Any:
    """A page at an address, once what it is to show is there."""
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-GB")
    page.set_default_timeout(60_000)
    page.goto(address)
    page.wait_for_selector(ready)
    page.wait_for_selector("html[data-ready]", state="attached")
    page.wait_for_timeout(600)
    return page


def at(page: Any, selector: str) -> None:
    """Bring a part to the top, below the heading of the page."""
    top = "s => scrollTo({top: document.querySelector(s).getBoundingClientRect().top + scrollY - 80, behavior: 'instant'})"
    page.evaluate(top, selector)
    page.wait_for_timeout(300)


def save(page: Any, name: str) -> None:
    """What is seen now."""
    page.mouse.move(0, 0)
    page.screenshot(path=HERE / "pictures" / f"{name}.png")


if __name__ == "__main__":
    main()
