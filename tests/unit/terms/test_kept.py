"""Results kept as JSON: read back as they were written, or refused with the reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resorb.terms.change import Change
from resorb.terms.errors import UserError
from resorb.terms.kept import kept
from resorb.terms.measurement import Measurement
from tests.unit.report import made

RESULTS = [made.measurement(), made.change(), made.change(months=None)]


@pytest.mark.parametrize("result", RESULTS, ids=["measurement", "change", "undated change"])
def test_what_was_written_is_read_back(result: Measurement | Change) -> None:
    read = kept(json.dumps(result.to_dict()), "a.json")
    assert type(read) is type(result)
    assert read.to_dict() == result.to_dict()
    assert kept(json.dumps(read.to_dict()), "a.json") == read


def test_refusals_keep_what_they_are_about() -> None:
    read = kept(json.dumps(made.measurement().to_dict()), "a.json")
    assert isinstance(read, Measurement)
    assert read.refusals == made.measurement().refusals
    assert read.deposits[0].diameter_mm.about == "diameter_mm"  # type: ignore[union-attr]


def test_another_layout_is_the_same_file() -> None:
    wrote = made.change().to_dict()
    turned = json.dumps(dict(reversed(wrote.items())), indent=3, sort_keys=False).replace(".0,", ",")
    assert kept(turned, "a.json").to_dict() == wrote


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in _leaves(item, (*path, key))]
    if isinstance(value, list):
        return [leaf for n, item in enumerate(value) for leaf in _leaves(item, (*path, n))]
    return [path]


@given(st.data())
def test_any_edit_is_noticed(data: st.DataObject) -> None:
    wrote: Any = json.loads(json.dumps(data.draw(st.sampled_from(RESULTS)).to_dict()))
    *path, last = data.draw(st.sampled_from([p for p in _leaves(wrote) if p != ("versions", "schema")]))
    place = wrote
    for key in path:
        place = place[key]
    place[last] = data.draw(st.sampled_from([v for v in (None, "x", -7.25, 3, True) if v != place[last]]))
    with pytest.raises(UserError, match="seal"):
        kept(json.dumps(wrote), "a.json")


def _edited(how: Callable[[dict[str, Any]], None]) -> str:
    wrote = made.measurement().to_dict()
    how(wrote)
    return json.dumps(wrote)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"a": 1, "a": 2}', "twice"),
        ('{"a": NaN}', "NaN is no number"),
        ("[1]", "neither a measurement nor a change"),
        ('{"kinds": [], "versions": {}}', "neither a measurement nor a change"),
        (_edited(lambda w: w["versions"].update(schema=2)), "schema 2 written by resorb 0.1; expected schema 1"),
        (_edited(lambda w: w["versions"].pop("seal")), "without a seal"),
        (_edited(lambda w: w["deposits"].pop()), "does not match its seal"),
        (_edited(lambda w: w["total"]["mass_mg"].update(value=1.0)), "does not match its seal"),
    ],
)
def test_anything_else_is_refused_and_named(text: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as refused:
        kept(text, "a.json")
    assert str(refused.value).startswith("a.json: found")
    assert refused.value.exit_code == 3


def test_a_forged_seal_still_needs_the_right_fields() -> None:
    from resorb.terms.sealing import sealed

    wrote = made.measurement().to_dict()
    wrote["deposits"][1]["mass_mg"] = {"value": "heavy", "low": 1.0, "high": 2.0}
    with pytest.raises(UserError, match=r"deposits\[1\]\.mass_mg\.value: found 'heavy'"):
        kept(json.dumps(sealed(wrote)), "a.json")
    del wrote["deposits"]
    wrote["deposits"] = [{"id": 1}]
    with pytest.raises(UserError, match=r"deposits\[0\]: found no agatston"):
        kept(json.dumps(sealed(wrote)), "a.json")
