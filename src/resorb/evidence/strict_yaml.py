"""YAML as written: a reader that never guesses, with the line of every value.

Comes in: text. Goes out: plain Python values and a map from each path to its line.
Refused: aliases and anchors, a key written twice, deep nesting, several documents,
tags, and (for cards) bare words other YAML readers take for something else (`on`, `no`, `12:30`).
"""

from __future__ import annotations

import re
from typing import Any

import yaml

Path = tuple[str | int, ...]
Lines = dict[Path, int]

_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)$")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)([eE][-+]?[0-9]+)?$")
_TRAP = re.compile(r"(yes|no|on|off|[0-9]+(:[0-5]?[0-9])+)$", re.IGNORECASE)
_MAX_DEPTH = 20


class StrictYamlError(Exception):
    """What is wrong, and on which line (counted from 1)."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message, self.line = message, line


def load(text: str, *, refuse_traps: bool = False) -> tuple[Any, Lines]:
    """Read one YAML document; returns its value and the line of every path in it."""
    lines: Lines = {}
    try:
        events = iter(yaml.parse(text, Loader=_Loader))
        for event in events:
            if isinstance(event, yaml.StreamEndEvent):
                return None, lines
            if not isinstance(event, (yaml.StreamStartEvent, yaml.DocumentStartEvent)):
                break
        value = _build(events, event, (), lines, refuse_traps)
        next(events)  # end of the document
        if not isinstance(after := next(events), yaml.StreamEndEvent):
            raise StrictYamlError("a second document starts here; expected one", _line(after))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(filter(None, (error.context, error.problem)))
        raise StrictYamlError(f"not valid YAML: {problem}", mark.line + 1 if mark else 1) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise StrictYamlError(f"not valid YAML: {str(error).splitlines()[0]}", 1) from None
    return value, lines


_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _build(events: Any, event: Any, path: Path, lines: Lines, refuse_traps: bool) -> Any:
    lines[path] = _line(event)
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        raise StrictYamlError("anchors and aliases (&, *) are not used here; write it out", _line(event))
    if getattr(event, "tag", None) not in (None, "!"):
        raise StrictYamlError(f"the tag {event.tag} is not used here", _line(event))
    if len(path) > _MAX_DEPTH:
        raise StrictYamlError(f"nested more than {_MAX_DEPTH} deep", _line(event))
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event, refuse_traps)
    if isinstance(event, yaml.SequenceStartEvent):
        items: list[Any] = []
        while not isinstance(child := next(events), yaml.SequenceEndEvent):
            items.append(_build(events, child, (*path, len(items)), lines, refuse_traps))
        return items
    mapping: dict[str, Any] = {}
    while not isinstance(child := next(events), yaml.MappingEndEvent):
        if not isinstance(child, yaml.ScalarEvent):
            raise StrictYamlError("a key must be a plain word", _line(child))
        key = str(child.value)
        if refuse_traps and child.implicit[0] and _TRAP.match(key):
            raise StrictYamlError(f"the bare key {key!r} is read as something else by other YAML readers; rename or quote it", _line(child))
        if key in mapping:
            raise StrictYamlError(f"the key {key!r} is written twice", _line(child))
        mapping[key] = _build(events, next(events), (*path, key), lines, refuse_traps)
        lines[(*path, key)] = _line(child)
    return mapping


def _scalar(event: Any, refuse_traps: bool) -> Any:
    text = event.value
    if not event.implicit[0]:
        return text
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INT.match(text) and len(text) < 19:
        return int(text)
    if _FLOAT.match(text) and len(text) < 40:
        return float(text)
    if refuse_traps and _TRAP.match(text):
        raise StrictYamlError(f"the bare word {text!r} is read as something else by other YAML readers; quote it", _line(event))
    return text
