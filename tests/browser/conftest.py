"""A real service and a real browser. Where either is missing the tests say so; they need Chromium and playwright."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from tests.browser import scans

CHROMIUM = os.environ.get("RESORB_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--enable-unsafe-swiftshader",
)  # fmt: skip
AXE = resources.files("axe_playwright_python") / "axe.min.js"
EXPECTED = ("GPU stall", "Failed to load resource")


def serving(folder: Path, *more: str) -> Iterator[str]:
    """`resorb serve` as a stranger starts it; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "resorb", "serve", "--port", str(port), "--data", str(folder / "data"), *more]
    with (folder / "log").open("wb") as log:
        service = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _until_open(f"http://127.0.0.1:{port}/healthz", service, folder / "log")
        yield f"http://127.0.0.1:{port}/"
    finally:
        service.terminate()
        service.wait(30)


def _until_open(address: str, service: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(400):
        assert service.poll() is None, log.read_text("utf-8")
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"{address} did not open: {log.read_text('utf-8')}")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("fastapi", reason="the page needs the server libraries (pip install 'resorb[server,image]')")
    yield from serving(tmp_path_factory.mktemp("serve"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    driver = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright (pip install playwright)")
    if not Path(CHROMIUM).exists():
        pytest.skip("the browser tests need Chromium (apt-get install chromium)")
    with driver.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture
def context(browser: Any) -> Iterator[Any]:
    made = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB", accept_downloads=True)
    made.set_default_timeout(15_000)
    yield made
    made.close()


@pytest.fixture
def open_page(context: Any, site: str) -> Iterator[Callable[..., Any]]:
    """Open the page at a fragment. What it logs as an error fails the test."""
    said: list[str] = []

    def opened(fragment: str = "", query: str = "") -> Any:
        page = context.new_page()
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda line: said.append(line.text) if line.type == "error" and not _expected(line.text) else None)
        page.goto(site + query + fragment)
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    yield opened
    assert said == []


def _expected(text: str) -> bool:
    return any(part in text for part in EXPECTED)


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two scans as files."""
    folder = tmp_path_factory.mktemp("scans")
    return scans.write(scans.before(), folder / "before.nii.gz"), scans.write(scans.after(), folder / "after.nii.gz")


@pytest.fixture(scope="session")
def axe() -> Callable[[Any], list[Any]]:
    """What axe-core calls serious or critical on a page, with everything unfolded. The context must bypass the content policy."""
    script = AXE.read_text("utf-8")

    def grave(page: Any) -> list[Any]:
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        page.wait_for_timeout(300)
        page.evaluate(script)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        return [(v["id"], v["impact"], v["nodes"][0]["html"][:160]) for v in found if v["impact"] in ("serious", "critical")]

    return grave
