"""Cases: the form, the published examples, and the answer to one case."""

from __future__ import annotations

from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from .. import examples
from ..evidence import library, read_case_text
from ..evidence.strict_yaml import load
from ..report import to_html, to_json
from ..terms.case import Case
from .bundles import case_of_bundle, is_fhir
from .describe import as_json, json_of, page_of, problem_answers, takes_case
from .form import form
from .guard import REPORT_POLICY
from .house import House, house_of
from .problems import Refused

router = APIRouter(prefix="/api/v1", tags=["cases"])
MOST_SECONDS = 60.0
READ_AS = ("application/json", "application/fhir+json", "application/yaml", "application/x-yaml", "text/yaml")


@router.get("/form", summary="The form of a case, made from the cards", responses=json_of("Form"))
def the_form(request: Request) -> Response:
    """Every field with its words (labels, what counts and what does not), units and options; sites as a tree."""
    shelf = library()
    tag = f'"{shelf.version}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return as_json(form(shelf), headers)


@router.get("/examples", summary="The published cases that travel with resorb", responses=json_of("Examples"))
def the_examples() -> Response:
    """Each with its title, citation, what happened in the end, and the case as it would be sent to `assess`."""
    found = []
    for name in examples.names():
        written, _ = load(examples.path(name).read_text("utf-8"))
        found.append({"name": name, "about": examples.about(name), "case": {k: v for k, v in written.items() if k != "about"}})
    return as_json(found)


@router.post(
    "/assess",
    summary="Answer one case",
    responses=json_of("Assessment") | problem_answers(400, 413, 415, 422),
    openapi_extra=takes_case(),
)
async def assess_json(request: Request, house: Annotated[House, Depends(house_of)]) -> Response:
    """The same bytes as `resorb assess CASE --json`. A case as JSON or YAML, or a FHIR R4 bundle."""
    said = await run_in_threadpool(answer, await case_text(request, house))
    return Response(to_json(said) + "\n", media_type="application/json")


@router.post(
    "/assess.html",
    summary="Answer one case as a page",
    responses=page_of() | problem_answers(400, 413, 415, 422),
    openapi_extra=takes_case(),
)
async def assess_page(request: Request, house: Annotated[House, Depends(house_of)]) -> HTMLResponse:
    """The page that `resorb assess CASE --html` writes."""
    text = await case_text(request, house)
    page = await run_in_threadpool(lambda: to_html(answer(text)))
    return HTMLResponse(page, headers={"Content-Security-Policy": REPORT_POLICY})


async def case_text(request: Request, house: House) -> str:
    """The body, if it is of a form that is read and not too long."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in READ_AS:
        raise Refused(415, "Content-Type", repr(kind or "nothing"), ", ".join(READ_AS), "send a case as JSON")
    raw = await limited(request, house.settings.limits.case_bytes)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused(400, "body", "bytes that are not UTF-8 text", "a case as JSON or YAML") from None


async def limited(request: Request, most: int) -> bytes:
    """The body, read no further than the limit."""
    told = request.headers.get("content-length", "")
    if told.isdigit() and int(told) > most:
        raise Refused(413, "body", f"{int(told):,} bytes", f"at most {most:,}")
    parts: list[bytes] = []
    size = 0
    try:
        with anyio.fail_after(MOST_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise Refused(413, "body", f"more than {most:,} bytes", f"at most {most:,}")
                parts.append(part)
    except TimeoutError:
        raise Refused(408, "body", f"no end after {MOST_SECONDS:g} seconds", "all of it", "send it again") from None
    except ClientDisconnect:
        raise Refused(400, "body", "a request that broke off", "all of it") from None
    return b"".join(parts)


def answer(text: str) -> Any:
    """The assessment of a case or a bundle."""
    import resorb

    return resorb.assess(read(text))


def read(text: str) -> Case:
    """A case from text, whatever it is written as."""
    return case_of_bundle(text) if is_fhir(text) else read_case_text(text, library(), name="case")
