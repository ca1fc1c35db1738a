"""Is it alive, is it ready."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from .. import __version__
from .house import House, house_of

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Whether the service is alive")
async def alive() -> dict[str, str]:
    """Answers while the process lives; touches nothing."""
    return {"status": "alive", "version": __version__}


@router.get("/readyz", summary="Whether the service can work", responses={503: {"description": "It cannot; the checks say why"}})
async def ready(house: Annotated[House, Depends(house_of)]) -> JSONResponse:
    """200 when the database answers, the data folder can be written and has room, and the hands are at work; else 503."""
    checks = {
        "database": await run_in_threadpool(house.store.answers),
        "disk": await run_in_threadpool(house.shelves.has_room),
        "jobs": house.hands is not None and house.hands.alive,
    }
    good = house.ready and all(checks.values())
    return JSONResponse({"status": "ready" if good else "not ready", "checks": checks}, 200 if good else 503)
