"""The files of the page, below `/page/`, and the short talk that signs a browser in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse, RedirectResponse
from starlette.datastructures import Headers

from .access import COOKIE, session_of
from .case_routes import limited
from .describe import problem_answers
from .house import House, house_of
from .problems import Refused

router = APIRouter(tags=["page"])
AHouse = Annotated[House, Depends(house_of)]
STATIC = Path(__file__).parent / "page" / "static"
MEDIA = {
    ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png", ".json": "application/json",
    ".webmanifest": "application/manifest+json", ".woff2": "font/woff2", ".ico": "image/x-icon",
    ".html": "text/html", ".map": "application/json",
}  # fmt: skip


@router.get("/page/{file:path}", summary="A file of the page", include_in_schema=False)
def asset(file: str, request: Request) -> Response:
    """Scripts, styles and pictures; only what lies in the page's own folder."""
    found = (STATIC / file).resolve()
    if not found.is_relative_to(STATIC.resolve()) or not found.is_file():
        raise Refused(404, "file", "no such file", "a file of the page")
    return FileResponse(found, media_type=MEDIA.get(found.suffix, "application/octet-stream"), headers={"Cache-Control": "no-cache"})


@router.post("/api/v1/session", status_code=303, response_class=Response, summary="Sign a browser in", responses=problem_answers(401, 413))
async def sign_in(request: Request, house: AHouse) -> Response:
    """Takes the form field `token`; where it is right, sets a cookie that scripts cannot read, and leads to the page."""
    from urllib.parse import parse_qs

    sent = parse_qs((await limited(request, 4096)).decode("utf-8", "replace"))
    token = house.settings.access.token
    if token:
        await house.callers.who(Headers({"authorization": f"Bearer {sent.get('token', [''])[0]}"}))
    answer = RedirectResponse("/", 303)
    if token:
        secure = house.settings.base.startswith("https://")
        answer.set_cookie(COOKIE, session_of(token), httponly=True, samesite="strict", secure=secure, path="/")
    return answer
