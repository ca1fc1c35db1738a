"""Look things up: the table, a kind, a question."""

from __future__ import annotations

import re
from typing import Any

from resorb.evidence import library


def names(page: Any) -> list[str]:
    return [str(n) for n in page.locator("table.kinds tbody tr:not([hidden]) th").all_inner_texts()]


def test_the_table_sorts_and_filters(open_page: Any) -> None:
    page = open_page("#/lookup")
    page.wait_for_selector("table.kinds")
    every = names(page)
    assert len(every) == len(library().kinds) and every == sorted(every, key=str.lower)
    page.locator('[data-sort="name"]').click()
    assert names(page) == every[::-1]
    page.locator('[data-sort="chance"]').click()
    chances = page.locator("table.kinds tbody tr").evaluate_all("rows => rows.map(r => r.dataset.chance)")
    counted = [int(c) for c in chances if c]
    assert counted == sorted(counted) and chances[len(counted) :] == [""] * (len(chances) - len(counted))
    page.locator("[data-filter]").fill("kidney stone")
    assert "kidney stone" in [n.lower() for n in names(page)] and len(names(page)) < 10
    page.locator("[data-filter]").fill("")
    page.locator("select[data-family]").select_option("stone")
    assert 0 < len(names(page)) < len(every)


def test_a_kind_is_a_page_with_its_studies_drawn(open_page: Any) -> None:
    page = open_page("#/lookup")
    page.wait_for_selector("table.kinds")
    page.get_by_role("link", name=re.compile("^Calcific tendinopathy$", re.I)).click()
    page.wait_for_selector(".card-page h1")
    assert page.evaluate("document.activeElement.tagName") == "H1"
    page.locator(".studies summary").click()
    assert page.locator("svg.forest .mark").count() > 10
    page.go_back()
    page.wait_for_selector("table.kinds")
    page.goto(page.url.partition("#")[0] + "#/kind/no_such_kind")
    page.wait_for_selector("text=There is no kind of this name.")


def test_a_question_is_answered_with_sources_or_refused(open_page: Any) -> None:
    page = open_page("#/lookup")
    page.locator("#question").fill("does vitamin K2 dissolve plaque?")
    page.locator("#question").press("Enter")
    page.wait_for_selector(".asked .cite")
    assert "vitamin K" in page.locator(".asked").inner_text()
    page.locator("#question").fill("who won the cup in 1954?")
    page.locator("#ask button").click()
    page.wait_for_selector("text=No card answers this question.")
