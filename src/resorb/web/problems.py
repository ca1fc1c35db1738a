"""Errors outside FHIR as RFC 9457 problems: where, what was found, what was expected, what to try."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from ..terms.errors import Problem, ResorbError, UserError

MEDIA = "application/problem+json"
TITLES = {
    400: "The request cannot be read",
    401: "Who is asking is not known",
    403: "This is not allowed",
    404: "There is nothing here",
    405: "This cannot be done here",
    406: "This form of answer is not available",
    408: "The request took too long",
    409: "Not now",
    411: "The length is missing",
    412: "Something needed is missing",
    413: "Too much was sent",
    415: "This form of input is not read",
    421: "This is not the host you asked for",
    422: "The input cannot be used",
    500: "Something went wrong in the service",
    503: "The service cannot do this now",
    507: "There is no room left",
}


class OneProblem(BaseModel):
    """One thing wrong: where it stands, what was found there, what was expected, what to try."""

    where: str
    found: str
    expected: str = ""
    try_: str = Field("", alias="try", serialization_alias="try")


class ProblemDetails(BaseModel):
    """A problem as RFC 9457 writes it. `problems` holds every problem found, the first also stands at the top level."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    where: str = ""
    found: str = ""
    expected: str = ""
    try_: str = Field("", alias="try", serialization_alias="try")
    problems: list[OneProblem] = []


class Refused(ResorbError):
    """An answer other than success, raised anywhere in the door. `status` is the HTTP status."""

    def __init__(self, status: int, where: str, found: str, expected: str = "", tried: str = "", **headers: str) -> None:
        super().__init__(f"{where}: found {found}" + (f"; expected {expected}" if expected else ""))
        self.status = status
        self.one = {"where": where, "found": found, "expected": expected, "try": tried}
        self.problems: tuple[dict[str, str], ...] = (self.one,)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def parted(problem: Problem, tried: str = "") -> dict[str, str]:
    """A problem of the house, whose message reads `found ...; expected ...`, as its parts."""
    found, _, expected = problem.message.partition("; expected ")
    return {"where": problem.where, "found": found.removeprefix("found "), "expected": expected, "try": tried}


def of_error(error: ResorbError) -> dict[str, Any]:
    """Any error raised on purpose as the body of a problem."""
    if isinstance(error, Refused):
        return body(error.status, str(error), list(error.problems))
    tried = str(error).rpartition("\ntry: ")[2] if "\ntry: " in str(error) else ""
    listed: tuple[Problem, ...] = getattr(error, "problems", ()) or (Problem("input", str(error)),)
    return body(422 if isinstance(error, UserError) else 500, str(error), [parted(p, tried) for p in listed[:100]])


def body(status: int, detail: str, problems: list[dict[str, str]]) -> dict[str, Any]:
    """The members of a problem; the first of several stands at the top level too."""
    made: dict[str, Any] = {"type": "about:blank", "title": TITLES.get(status, "The request failed"), "status": status, "detail": detail}
    return {**made, **(problems[0] if problems else {}), "problems": problems}


def answer(status: int, told: dict[str, Any], headers: dict[str, str] | None = None) -> JSONResponse:
    """A problem on the wire."""
    return JSONResponse(told, status, headers, MEDIA)


async def on_error(_: Request, error: Exception) -> JSONResponse:
    """Errors raised on purpose."""
    assert isinstance(error, ResorbError)
    told = of_error(error)
    return answer(told["status"], told, getattr(error, "headers", None))


async def on_http(request: Request, error: Exception) -> JSONResponse:
    """What the framework refuses: an unknown path, a method that does not fit."""
    assert isinstance(error, HTTPException)
    told = {
        "where": f"{request.method} {request.url.path}"[:200],
        "found": str(error.detail),
        "expected": "",
        "try": "see /api/v1/openapi.json",
    }
    return answer(error.status_code, body(error.status_code, str(error.detail), [told]), dict(error.headers or {}))


async def on_invalid(_: Request, error: Exception) -> JSONResponse:
    """Parameters and bodies that do not fit their schema; what was sent is not repeated."""
    assert isinstance(error, RequestValidationError)
    told = []
    for one in jsonable_encoder(error.errors(), exclude={"input", "ctx"}):
        where = ".".join(str(part) for part in one.get("loc", ()))
        told.append({"where": where, "found": "a value that does not fit", "expected": str(one.get("msg", "")), "try": ""})
    first = told[0] if told else {"where": "request", "expected": ""}
    return answer(422, body(422, f"{first['where']}: {first['expected']}", told))
