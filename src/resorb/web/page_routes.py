"""The routes of the page: the shell, its words, and the answer and look-ups as fragments it shows. Facts never stand in an address."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Header, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import Receive, Scope, Send

from .. import examples
from ..terms.change import Change
from ..terms.errors import CaseRefused, UserError
from ..terms.kept import kept
from .page.answer import answer_view, shell_html
from .page.language import preferred
from .page.lookup import answered_html, kind_html, table_html
from .page.results import result_html
from .page.words import as_mapping, words_for

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self' blob:; "
    "worker-src 'self' blob:; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}
_MOST_BYTES = 1_000_000
_MOST_RESULT = 50_000_000

Lang = Annotated[str | None, Query(max_length=5)]
router = APIRouter(include_in_schema=False)


class _Packed(GZipMiddleware):
    """Packs what the page fetches; scans and label maps are packed already, and all else is left as it is."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path == "/" or path.startswith("/page/"):
            await super().__call__(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def add_page(app: FastAPI) -> None:
    """Put the page at `/` and its fragments at `/page/...`; its files lie there too."""
    app.include_router(router)
    app.add_middleware(_Packed)


@router.get("/")
def shell(lang: Lang = None, accept_language: Annotated[str, Header()] = "") -> HTMLResponse:
    """The page itself, without any fact in it."""
    return HTMLResponse(
        _shell(preferred(lang, accept_language)), headers={**_HEADERS, "Cache-Control": "no-cache", "Vary": "Accept-Language"}
    )


@lru_cache(maxsize=4)
def _shell(code: str) -> str:
    return shell_html(code)


@lru_cache(maxsize=4)
def _words(code: str) -> str:
    return json.dumps(words_for(code), ensure_ascii=False, separators=(",", ":"))


@router.get("/page/words.json")
def words(lang: Lang = None) -> Response:
    """Every word of the form in one language."""
    return Response(_words(preferred(lang, "")), media_type="application/json", headers={"Cache-Control": "no-cache"})


@router.post("/page/answer")
async def answer(request: Request, lang: Lang = None) -> JSONResponse:
    """A case as JSON in, the answer as a fragment out; what is wrong with the case comes back as a list."""
    return await run_in_threadpool(_answer, await _text(request, _MOST_RESULT), preferred(lang, ""))


def _answer(text: str, code: str) -> JSONResponse:
    from ..consult import assess
    from ..evidence import library
    from ..evidence.form import read_case_text

    try:
        told, change = _told(text)
        case = read_case_text(told, library(), name="case")
        if change is not None:
            case = case.with_change(change)
    except CaseRefused as refused:
        return _refused(refused)
    except UserError as refused:
        return JSONResponse({"problems": [{"where": "", "says": str(refused)}]}, 422)
    return JSONResponse(answer_view(assess(case, library()), case, code))


def _told(text: str) -> tuple[str, Change | None]:
    """The case, and the change of two scans where one was sent beside it: {case: ..., change: what the service keeps of the pair}."""
    try:
        sent = json.loads(text)
    except ValueError:
        return text, None
    if not (isinstance(sent, dict) and set(sent) == {"case", "change"}):
        return text, None
    change = kept(json.dumps(sent["change"]), "change")
    if not isinstance(change, Change):
        raise UserError(f"change: found a {type(change).__name__.lower()}; expected a change of two scans")
    return json.dumps(sent["case"]), change


@router.post("/page/case")
async def case_from_file(request: Request) -> JSONResponse:
    """A case file (YAML, JSON or a FHIR record) in, its facts as the form holds them out."""
    return await run_in_threadpool(_mapping, await _text(request, _MOST_RESULT))


def _mapping(text: str) -> JSONResponse:
    from .case_routes import read

    try:
        return JSONResponse(as_mapping(read(text)))
    except CaseRefused as refused:
        return _refused(refused)
    except UserError as refused:
        return JSONResponse({"problems": [{"where": "", "says": str(refused)}]}, 422)


@router.post("/page/case.yaml")
async def case_as_file(request: Request) -> Response:
    """The facts of the form as a YAML file to keep."""
    import yaml

    text = await _text(request)
    made = await run_in_threadpool(_mapping, text)
    if made.status_code != 200:
        return made
    written = yaml.safe_dump(json.loads(bytes(made.body)), sort_keys=False, allow_unicode=True)
    return Response(written, media_type="application/yaml")


@router.get("/page/examples/{name}")
def example(name: str) -> JSONResponse:
    """One published case: its facts, where it was published, what happened in the end."""
    if name not in examples.names():
        return JSONResponse({"problems": [f"found no example {name!r}"]}, 404)
    made = json.loads(bytes(_mapping(examples.path(name).read_text("utf-8")).body))
    return JSONResponse({"case": made, "about": examples.about(name)})


@router.post("/page/result")
async def result(request: Request, lang: Lang = None) -> Response:
    """A measurement or a change as JSON in, as it is shown out."""
    text = await _text(request, _MOST_RESULT)
    try:
        return HTMLResponse(await run_in_threadpool(result_html, text, preferred(lang, "")))
    except UserError as refused:
        return JSONResponse({"problems": [{"where": "", "says": str(refused)}]}, 422)


@router.get("/page/table")
def table(lang: Lang = None) -> HTMLResponse:
    """The comparison of kinds."""
    return HTMLResponse(_table(preferred(lang, "")))


@lru_cache(maxsize=4)
def _table(code: str) -> str:
    return table_html(code)


@router.get("/page/kinds/{kind}")
def kind_page(kind: str, lang: Lang = None) -> HTMLResponse:
    """One kind as a readable page."""
    html = kind_html(kind, preferred(lang, ""))
    return HTMLResponse(html or "", 200 if html else 404)


@router.post("/page/ask")
async def ask(request: Request, lang: Lang = None) -> HTMLResponse:
    """A question in words, answered from the cards. It may speak of a person, so it stands in the body and not in the address."""
    question = (await _text(request))[:1000]
    return HTMLResponse(await run_in_threadpool(answered_html, question, preferred(lang, "")))


async def _text(request: Request, most: int = _MOST_BYTES) -> str:
    """The body, cut off one byte past what is read."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > most:
            break
    return body[: most + 1].decode("utf-8-sig", "replace")


def _refused(refused: CaseRefused) -> JSONResponse:
    problems: list[dict[str, Any]] = [{"where": p.where, "says": p.message} for p in refused.problems[:40]]
    return JSONResponse({"problems": problems}, 422)
