"""Lost server, slow network, keyboard alone, phone, paper, screen reader; and that nothing is kept or sent that should not be."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import serving
from tests.browser.test_describe import SHOULDER, STONE, settled


def test_a_lost_server_is_told_and_comes_back(open_page: Any, context: Any) -> None:
    page = open_page(SHOULDER)
    settled(page, "calcific tendinopathy")
    page.route("**/page/answer*", lambda route: route.abort())
    page.locator('[data-word="pain"] button', has_text="No").click()
    page.wait_for_selector("#away:not([hidden])")
    assert "still here" in page.locator("#away").inner_text()
    assert page.locator('[data-word="pain"] button[aria-pressed=true]').inner_text() == "No"
    page.unroute("**/page/answer*")
    page.locator("[data-retry]").click()
    page.wait_for_selector("#away", state="hidden")
    page.wait_for_function("() => !/symptom: pain/i.test(document.querySelector('#answer .kind').innerText)")
    context.set_offline(True)
    page.locator('[data-word="pain"] button', has_text="Yes").click()
    page.wait_for_selector("#away:not([hidden])")
    context.set_offline(False)
    page.wait_for_function("() => /symptom: pain/i.test(document.querySelector('#answer .kind').innerText)")
    assert not page.locator("#away").is_visible()


def test_on_a_slow_network_the_last_fact_wins(open_page: Any) -> None:
    page = open_page(SHOULDER)
    settled(page, "calcific tendinopathy")
    held: list[Any] = []

    def hold_the_first(route: Any) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/page/answer*", hold_the_first)
    page.evaluate("location.hash = '#/?site=kidney&findings=stone'")
    page.wait_for_function("() => document.querySelector('#answer').getAttribute('aria-busy') === 'true'")
    page.evaluate(f"location.hash = {json.dumps(STONE)}")
    settled(page, "ureteral stone")
    for route in held:
        with contextlib.suppress(_driver_error()):  # the page has dropped this request
            route.continue_()
    page.wait_for_timeout(300)
    settled(page, "ureteral stone")


def _driver_error() -> type[Exception]:
    from playwright.sync_api import Error

    return Error


def test_keyboard_alone(open_page: Any) -> None:
    page = open_page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.site") == "head"
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.site") == "shoulder"
    page.keyboard.press("Enter")
    page.wait_for_selector("#a-plain")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "combobox"
    page.keyboard.type("supraspin")
    page.wait_for_selector("[role=option][aria-selected=true]")
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.hash.includes('shoulder.supraspinatus')")
    page.locator('[data-field="findings"] [role=combobox]').focus()
    page.keyboard.type("fluffy")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.hash.includes('fluffy_margin')")
    settled(page, "calcific tendinopathy")
    page.locator('[data-word="fluffy_margin"] button').nth(1).focus()
    page.keyboard.press("Space")
    page.wait_for_function("() => decodeURIComponent(location.hash).includes('!fluffy_margin')")
    assert page.evaluate("document.activeElement.dataset.key") == "fluffy_margin-absent"


@pytest.mark.parametrize("fragment", [SHOULDER, "#/scan", "#/lookup", "#/kind/calcific_tendinopathy"])
def test_a_phone_scrolls_one_way(browser: Any, site: str, fragment: str) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, device_scale_factor=1, is_mobile=True, has_touch=True)
    try:
        page = context.new_page()
        page.goto(site + fragment)
        page.wait_for_selector({"#/scan": ".drop", "#/lookup": "table.kinds"}.get(fragment, "#a-plain, .card-page"))
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        if fragment == SHOULDER:
            page.locator("#to-answer").tap()
            page.wait_for_function("() => document.querySelector('#answer').getBoundingClientRect().top < 200")
    finally:
        context.close()


def test_on_paper_the_answer_stands_alone(open_page: Any) -> None:
    page = open_page(SHOULDER)
    settled(page, "calcific tendinopathy")
    page.emulate_media(media="print")
    assert not page.locator("#form").is_visible()
    assert page.locator("#a-plain").is_visible()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#answer details:not([open])").count() == 0


def test_nothing_is_kept_and_no_address_tells_a_fact(open_page: Any, context: Any) -> None:
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = open_page(SHOULDER)
    settled(page, "calcific tendinopathy")
    page.locator('[data-word="pain"] button', has_text="No").click()
    settled(page, "calcific tendinopathy")
    assert asked and not any("supraspinatus" in url.partition("#")[0] or "pain" in url.partition("#")[0] for url in asked)
    assert {url.split("/")[2] for url in asked if url.startswith("http")} == {page.url.split("/")[2]}
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert context.cookies() == []


def test_the_first_load_is_light(context: Any, site: str) -> None:
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    sizes: list[float] = []
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(site + SHOULDER)
    settled(page, "calcific tendinopathy")
    assert 20_000 < sum(sizes) < 300_000


URGENT = STONE + "&conditions=sepsis"
SEEN = ((SHOULDER, "light"), (URGENT, "dark"), ("#/lookup", "light"), ("#/kind/splenic_calcification", "dark"))


@pytest.mark.parametrize(("fragment", "scheme"), SEEN)
def test_axe_finds_nothing_serious(browser: Any, site: str, axe: Any, fragment: str, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme, bypass_csp=True)
    try:
        page = context.new_page()
        page.goto(site + fragment)
        page.wait_for_selector("table.kinds, #a-plain, .card-page")
        page.wait_for_selector("html[data-ready]", state="attached")
        assert axe(page) == []
    finally:
        context.close()


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[str]:
    yield from serving(tmp_path, "--token", "open-sesame-0123456789")


def test_a_service_with_a_token_asks_for_it(context: Any, guarded: str) -> None:
    page = context.new_page()
    page.goto(guarded + SHOULDER)
    page.wait_for_selector("#token[open]")
    page.locator("#token input").fill("open-sesame-0123456789")
    page.locator("#token button").click()
    settled(page, "calcific tendinopathy")
    assert "open-sesame" not in page.url
    cookies = context.cookies()
    assert [c["httpOnly"] for c in cookies] == [True]
