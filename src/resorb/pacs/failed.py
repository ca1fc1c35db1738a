"""What a PACS did wrong, in one message; and quiet libraries, which would print what a header says of a person."""

from __future__ import annotations

import importlib.util
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from resorb.terms.errors import ResorbError

TALKATIVE = ("highdicom", "pydicom", "pynetdicom", "dicomweb_client", "urllib3", "requests")


class PacsFailed(ResorbError):
    """The other side hangs, refuses, breaks off or takes only part of what it was sent. Nothing is left behind; exit 1."""


def need_libraries() -> None:
    """Say plainly when the libraries of the PACS are not installed."""
    missing = [name for name in ("highdicom", "dicomweb_client", "pynetdicom") if importlib.util.find_spec(name) is None]
    if missing:
        raise PacsFailed(f"a PACS needs libraries; found {', '.join(missing)} missing. Try: pip install 'resorb[pacs,image]'")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' own warnings off the terminal: they quote values of headers, and those may name a person."""
    loggers = [logging.getLogger(name) for name in TALKATIVE]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
