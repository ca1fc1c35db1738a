"""CDS Hooks: discovery, services, feedback."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(prefix="/cds-services", tags=["cds hooks"])
