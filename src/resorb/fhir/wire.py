"""What came over the wire: bytes, text or a mapping -> the resources in it, each with a reference to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from ..terms.errors import CaseRefused, Problem

Resource = dict[str, Any]
MAX_BYTES = 64_000_000
MAX_DEPTH = 8  # bundles within bundles
_BOXES = ("Bundle", "Parameters")
EXPECTED = "expected a FHIR R4 resource as JSON: a Bundle, one resource, or NDJSON with one resource on each line"
_MARK = re.compile(r'"resourceType"\s*:')
_MARK_BYTES = re.compile(rb'"resourceType"\s*:')


class Entry(msgspec.Struct, frozen=True):
    """One resource: its kind and id, where it stands (`Observation/12`, or its place in the record), and its full address if it has one."""

    kind: str
    own: str
    reference: str
    resource: Resource
    url: str


def is_fhir(source: Any) -> bool:
    """Whether this is meant as FHIR, by its content: an object with a resourceType, lines of such objects, or FHIR's XML."""
    if isinstance(source, dict):
        return "resourceType" in source
    if isinstance(source, bytes):
        head = source[:200].removeprefix(b"\xef\xbb\xbf").lstrip()
        return (head[:1] == b"{" and _MARK_BYTES.search(source) is not None) or (head[:1] == b"<" and b"hl7.org/fhir" in source[:4000])
    if isinstance(source, str):
        head_text = source[:200].removeprefix("\ufeff").lstrip()
        return (head_text[:1] == "{" and _MARK.search(source) is not None) or (head_text[:1] == "<" and "hl7.org/fhir" in source[:4000])
    return False


def resources(source: Any, name: str) -> Resource | list[Resource]:
    """One resource, or those of NDJSON. Raises CaseRefused with where and why."""
    if isinstance(source, dict):
        found: Any = source
    else:
        raw = source.encode("utf-8", "replace") if isinstance(source, str) else bytes(source)
        raw = raw.removeprefix(b"\xef\xbb\xbf")
        if len(raw) > MAX_BYTES:
            _refuse(name, f"found {len(raw):,} bytes; expected at most {MAX_BYTES:,}: ask the server for fewer resources")
        if raw.lstrip()[:1] == b"<":
            _refuse(name, f"found XML; {EXPECTED} (ask the server for application/fhir+json)")
        found = _decoded(raw, name)
    for resource in found if isinstance(found, list) else [found]:
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            _refuse(name, f"found no resourceType; {EXPECTED}")
    return found  # type: ignore[no-any-return]


def _decoded(raw: bytes, name: str) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        lines = [(number, line) for number, line in enumerate(raw.split(b"\n"), 1) if line.strip()]
        if len(lines) < 2 or not _is_object(lines[0][1]):
            _refuse(name, f"is not valid JSON ({_said(error)}); {EXPECTED}")
    return [_line(line, f"{name}:{number}") for number, line in lines]


def _line(line: bytes, where: str) -> Any:
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        _refuse(where, f"is not valid JSON ({_said(error)}); expected one FHIR resource on each line")


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(line), dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _said(error: Exception) -> str:
    return "nested too deep" if isinstance(error, RecursionError) else str(error).removeprefix("JSON is malformed: ")


def _refuse(where: str, message: str) -> Any:
    raise CaseRefused([Problem(where, message)])


def entries(found: Resource | list[Resource]) -> Iterator[Entry | str]:
    """Every resource, bundles and parameters unpacked. A text is the place of an entry that holds none."""
    if isinstance(found, list):
        for number, resource in enumerate(found, 1):
            yield from _unpacked(resource, "", f"line {number}", 0)
    else:
        yield from _unpacked(found, "", str(found["resourceType"]), 0)


def _unpacked(resource: Any, url: str, place: str, depth: int) -> Iterator[Entry | str]:
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    if not isinstance(kind, str) or depth > MAX_DEPTH:
        yield place
    elif kind == "Bundle":
        yield from _of_bundle(resource, place, depth)
    elif kind == "Parameters":
        for number, parameter in enumerate(_list(resource.get("parameter"))):
            yield from _of_parameter(parameter, f"{place}.parameter[{number}]", depth)
    else:
        yield _entry(kind, resource, url, place)


def _entry(kind: str, resource: Resource, url: str, place: str, number: int | None = None) -> Entry:
    own = resource.get("id")
    own = own if type(own) is str else ""
    reference = f"{kind}/{own}" if own else url or (place if number is None else f"{place}.entry[{number}].resource")
    return Entry(kind, own or url, reference if reference.isascii() else reference.encode("utf-8", "replace").decode(), resource, url)


def _of_bundle(bundle: Resource, place: str, depth: int) -> Iterator[Entry | str]:
    for number, entry in enumerate(_list(bundle.get("entry"))):
        if not isinstance(entry, dict):
            yield f"{place}.entry[{number}]"
            continue
        inner, url, request = entry.get("resource"), entry.get("fullUrl"), entry.get("request")
        if isinstance(request, dict) and request.get("method") == "DELETE":
            continue
        if inner is None and ("response" in entry or isinstance(request, dict)):
            continue  # a search or a read asked for, or the answer to one: it holds no resource
        url = url if type(url) is str else ""
        kind = inner.get("resourceType") if type(inner) is dict else None
        if type(kind) is str and kind not in _BOXES:
            yield _entry(kind, inner, url, place, number)  # type: ignore[arg-type]
        else:
            yield from _unpacked(inner, url, f"{place}.entry[{number}].resource", depth + 1)


def _of_parameter(parameter: Any, place: str, depth: int) -> Iterator[Entry | str]:
    if not isinstance(parameter, dict) or depth > MAX_DEPTH:
        yield place
        return
    if "resource" in parameter:
        yield from _unpacked(parameter["resource"], "", f"{place}.resource", depth + 1)
    for number, part in enumerate(_list(parameter.get("part"))):
        yield from _of_parameter(part, f"{place}.part[{number}]", depth + 1)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def asked_date(found: Resource | list[Resource]) -> str | None:
    """The `date` parameter of an operation's Parameters, where there is one."""
    if isinstance(found, list) or found["resourceType"] != "Parameters":
        return None
    for parameter in _list(found.get("parameter")):
        if isinstance(parameter, dict) and parameter.get("name") == "date":
            value = parameter.get("valueDate", parameter.get("valueDateTime"))
            return value if isinstance(value, str) else None
    return None


def parameters_to_bundle(resource: Resource) -> Resource:
    """The resources an operation was called with, as one Bundle; a Bundle is handed back as it is, one resource is wrapped.

    Raises CaseRefused where it is no FHIR resource.
    """
    found = resources(resource, str(resource.get("resourceType", "request")) if isinstance(resource, dict) else "request")
    if isinstance(found, dict) and found["resourceType"] == "Bundle":
        return found
    inside = [entry for entry in entries(found) if isinstance(entry, Entry)]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{**({"fullUrl": entry.url} if entry.url else {}), "resource": entry.resource} for entry in inside],
    }
