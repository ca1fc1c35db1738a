"""YAML is read as written, with the line of everything."""

import pytest

from resorb.evidence.strict_yaml import StrictYamlError, load


def test_values_and_their_lines():
    value, lines = load("a: 1\nb:\n  - x\n  - {c: 2.5}\n")
    assert value == {"a": 1, "b": ["x", {"c": 2.5}]}
    assert lines["b", 1, "c"] == 4


@pytest.mark.parametrize("text", ["12:30", "2025-11-02", "0o17", "1e", "yes", "NaN", "inf", "0x10", "1_000"])
def test_words_stay_words(text):
    assert load(f"a: {text}")[0] == {"a": text}


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: 1\na: 2", 2, "written twice"),
        ("a: &x 1\nb: *x", 1, "anchors and aliases"),
        ("a: !!python/object:os.system x", 1, "tag"),
        ("a: [1", 2, "not valid YAML"),
        ("a: 1\n---\nb: 2", 2, "second document"),
        ("? [a]\n: 1", 1, "plain word"),
        ("[" * 60 + "]" * 60, 1, "deep"),
    ],
)
def test_refused_with_the_line(text, line, says):
    with pytest.raises(StrictYamlError) as refused:
        load(text)
    assert says in refused.value.message
    assert refused.value.line == line


@pytest.mark.parametrize("text", ["a: on", "a: no", "a: 12:30", "on: 1", "yes: 1"])
def test_traps_are_refused_on_cards_and_accepted_when_quoted(text):
    with pytest.raises(StrictYamlError, match="read as something else"):
        load(text, refuse_traps=True)
    key, value = text.split(": ")
    assert load(f"'{key}': '{value}'", refuse_traps=True)[0] == {key: value}


def test_an_alias_bomb_costs_nothing():
    bomb = "a: &a [x,x]\n" + "\n".join(f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)},*{chr(97 + n)}]" for n in range(20))
    with pytest.raises(StrictYamlError):
        load(bomb)


def test_nothing_is_none():
    assert load("")[0] is None
    assert load("# only a note\n")[0] is None
