"""The assistant's door, called by the protocol's own client: the verbs' answers, typed, and nothing outside the allowed folders."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp")
pytest.importorskip("pydicom")

from jsonschema import Draft202012Validator
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.shared.exceptions import MCPError

import resorb
from resorb.ct.phantom import Ellipsoid, Scanner, make
from resorb.evidence import library
from resorb.mcp import Places
from resorb.mcp import make as server
from resorb.report import to_json
from resorb.terms.errors import UserError
from tests.unit.ct.made_series import write

CASE = {"age": "48 years", "site": "shoulder.supraspinatus", "findings": ["fluffy_margin"], "symptoms": [{"fever": "absent"}]}
TOOLS = {"assess", "measure", "compare", "evidence_ask", "evidence_show", "evidence_table", "evidence_words"}


def to_its_end(work: Coroutine[Any, Any, Any]) -> Any:
    """Run it in a thread of its own: a browser of other tests may keep a loop running in this one."""
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(asyncio.run, work).result()


def asked(use: Callable[[Client], Awaitable[Any]], *folders: Path) -> Any:
    """What a client gets from a server that may read these folders."""

    async def run() -> Any:
        async with Client(server(Places.of(folders))) as client:
            return await use(client)

    return to_its_end(run())


def called(tool: str, arguments: dict[str, Any], *folders: Path) -> Any:
    """The result of one call, which holds to the schema that was told beforehand."""

    async def use(client: Client) -> Any:
        told = {one.name: one for one in (await client.list_tools()).tools}
        result = await client.call_tool(tool, arguments)
        if not result.is_error:
            Draft202012Validator(told[tool].output_schema).validate(result.structured_content)
            Draft202012Validator(told[tool].input_schema).validate(arguments)
        return result

    return asked(use, *folders)


def plain(result: Any) -> Any:
    return json.loads(to_json(result))


def scan_in(folder: Path) -> Path:
    """A small CT with one deposit, as DICOM."""
    scan = make(Scanner((12, 48, 48), (2.5, 0.7, 0.7), 0.9, 12.0), [Ellipsoid((1.0, 2.0, 0.0), (3.0, 3.0, 3.0), 500.0)], 1)
    return write(folder, scan.hu)


def test_every_tool_is_read_only_and_typed() -> None:
    tools = {tool.name: tool for tool in asked(lambda client: client.list_tools()).tools}
    assert set(tools) == TOOLS
    for tool in tools.values():
        hints = tool.annotations
        assert (hints.read_only_hint, hints.destructive_hint, hints.open_world_hint) == (True, False, False)
        assert tool.input_schema["additionalProperties"] is False
        assert tool.output_schema["type"] == "object"
        assert len(tool.description) > 60


def test_what_a_case_takes_is_made_from_the_cards() -> None:
    (tool,) = (t for t in asked(lambda client: client.list_tools()).tools if t.name == "assess")
    case = tool.input_schema["properties"]["case"]
    shelf = library()
    assert set(case["properties"]["labs"]["properties"]) == {q.id for q in shelf.decks.quantities if q.group == "lab"}
    assert "mmol/L, mM, mg/dL" in case["properties"]["labs"]["properties"]["calcium_ionised"]["description"]
    for word in shelf.decks.words:
        if word.group == "site" and word.counts:
            assert f"{word.id} counts {word.counts}" in case["properties"]["site"]["description"]
        if word.group == "finding" and word.not_counted:
            assert f"{word.id} is not {word.not_counted}" in case["properties"]["findings"]["description"]
    assert "not asked is unknown" in case["description"]


def test_the_server_says_what_it_is_for() -> None:
    async def told(client: Client) -> str:
        return client.instructions or ""

    assert "not a medical device" in asked(told).lower()


def test_assess_answers_as_the_verb_does() -> None:
    said = called("assess", {"case": CASE})
    assert said.structured_content == plain(resorb.assess(resorb.read_case(CASE)))
    assert "calcific tendinopathy" in said.content[0].text
    assert not said.is_error


def test_measure_compare_and_assess_with_the_change(tmp_path: Path) -> None:
    before, after = scan_in(tmp_path / "a"), scan_in(tmp_path / "b")
    measured = called("measure", {"scan": str(before), "stated": {"contrast": "none"}}, tmp_path)
    assert measured.structured_content == plain(resorb.measure(before, settings=_settings()))
    assert len(measured.structured_content["deposits"]) == 1
    pair = {"baseline": str(before), "followup": str(after), "stated": {"contrast": "none", "months": 12}}
    change = called("compare", pair, tmp_path)
    assert not change.is_error, change.content[0].text
    assert change.structured_content["total"]["verdict"] != "resolved"
    said = called("assess", {"case": CASE, "change": change.structured_content})
    resorb.write(_change(before, after), tmp_path / "change.json")
    read = resorb.read_case(CASE).with_change(resorb.read_result(tmp_path / "change.json"))
    assert change.structured_content == json.loads((tmp_path / "change.json").read_text())
    assert said.structured_content == plain(resorb.assess(read))


def _settings() -> Any:
    from resorb.ct import Settings

    return Settings(contrast="none")


def _change(before: Path, after: Path) -> Any:
    from resorb.followup import Stated

    return resorb.compare(before, after, settings=_settings(), stated=Stated(months=12.0))


def test_evidence_is_asked_shown_compared_and_spelled() -> None:
    asked_ = called("evidence_ask", {"question": "does vitamin K2 dissolve plaque?"}).structured_content
    assert asked_["sentences"]
    assert asked_["sources"]
    assert called("evidence_ask", {"question": "who won the match?"}).structured_content["covered"] is False
    (shown,) = called("evidence_show", {"id": "calcific_tendinopathy"}).structured_content["cards"]
    assert shown["deck"] == "kinds"
    assert {s["id"] for s in shown["sources"]} <= set(library().sources)
    assert len(called("evidence_table", {}).structured_content["rows"]) == len(library().kinds)
    labs = {word["id"]: word for word in called("evidence_words", {"group": "lab"}).structured_content["words"]}
    assert labs["calcium_ionised"]["units"].startswith("mmol/L")


def test_cards_are_resources() -> None:
    async def use(client: Client) -> tuple[set[str], str, str]:
        listed = {str(r.uri) for r in (await client.list_resources()).resources}
        kind = (await client.read_resource("evidence://kinds/calcific_tendinopathy")).contents[0].text
        word = (await client.read_resource("evidence://words/head")).contents[0].text
        for wrong, said in (("kinds/calcific_tendonopathy", "did you mean calcific_tendinopathy"), ("x/y", "the deck 'x'")):
            with pytest.raises(MCPError, match=said):
                await client.read_resource(f"evidence://{wrong}")
        return listed, kind, word

    listed, kind, word = asked(use)
    assert listed == {f"evidence://kinds/{id_}" for id_ in library().kinds}
    assert json.loads(kind)["card"]["name"] == "calcific tendinopathy"
    assert json.loads(word)["card"]["counts"]


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("assess", {"case": {"site": "sholder"}}, "did you mean shoulder"),
        ("assess", {"case": {}}, "found nothing; expected fields"),
        ("assess", {"case": "age: 48"}, "found no object"),
        ("assess", {"case": CASE, "change": {"total": 1}}, "neither a measurement nor a change"),
        ("assess", {"case": CASE, "chnge": {}}, "assess: chnge: found an argument that nobody knows here; expected case, change"),
        ("assess", {}, "assess: case: found nothing; expected it"),
        ("evidence_show", {"id": "nothing_like_it"}, "found no card"),
        ("evidence_words", {"group": "colours"}, "found 'colours'; expected 'site'"),
        ("measure", {"scan": "x", "stated": {"contrast": "perhaps"}}, "'none' or 'given'"),
        ("nothing", {}, "nothing"),
    ],
)
def test_what_is_wrong_is_said(tool: str, arguments: dict[str, Any], said: str) -> None:
    result = called(tool, arguments)
    assert result.is_error
    assert said in result.content[0].text
    assert "Traceback" not in result.content[0].text
    assert "pydantic" not in result.content[0].text


def test_only_allowed_folders_are_read(tmp_path: Path) -> None:
    allowed, other = tmp_path / "allowed", tmp_path / "other"
    scan_in(other)
    allowed.mkdir()
    (allowed / "link").symlink_to(other)
    outside = (other, allowed / ".." / "other", allowed / "link", tmp_path / "nowhere", "https://pacs.example/studies/1", "\0")

    async def use(client: Client) -> list[str]:
        calls: list[dict[str, Any]] = [{"scan": str(path)} for path in outside]
        calls.append({"scan": str(allowed), "labels": str(other / "seg.nii.gz")})
        calls.append({"scan": str(allowed)})
        return [(await client.call_tool("measure", one)).content[0].text for one in calls]

    *refused, empty = asked(use, allowed)
    assert all("outside the folders that may be read" in text for text in refused), refused
    assert "found no files" in empty
    said = called("compare", {"baseline": str(other), "followup": str(other)})
    assert "expected a path in no folder" in said.content[0].text
    with pytest.raises(UserError, match="no folder"):
        Places.of([tmp_path / "nowhere"])


def test_a_fault_tells_nothing_of_the_case(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: object) -> None:
        raise KeyError("the person's name")

    monkeypatch.setattr("resorb.mcp.tools.verbs.assess", broken)
    said = called("assess", {"case": CASE})
    assert said.is_error
    assert "a fault" in said.content[0].text
    assert "name" not in said.content[0].text + caplog.text


def test_over_a_real_pipe(tmp_path: Path) -> None:
    folder = scan_in(tmp_path / "scans")
    started = StdioServerParameters(command=sys.executable, args=["-m", "resorb", "mcp", "--allow", str(tmp_path)])
    errors = tmp_path / "stderr.txt"

    async def run() -> tuple[Any, Any, Any]:
        with errors.open("w") as log:
            async with Client(stdio_client(started, errlog=log)) as client:
                said = await client.call_tool("assess", {"case": CASE})
                refused = await client.call_tool("assess", {"case": {"site": "a place called Smith"}})
                return said, refused, await client.call_tool("measure", {"scan": str(folder), "stated": {"contrast": "none"}})

    said, refused, measured = to_its_end(run())
    assert said.structured_content == plain(resorb.assess(resorb.read_case(CASE)))
    assert refused.is_error
    assert measured.structured_content == plain(resorb.measure(folder, settings=_settings()))
    assert "Smith" not in errors.read_text()
