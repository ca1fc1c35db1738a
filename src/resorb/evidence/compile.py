"""Cards as YAML -> one JSON file the program reads at start. Also run when the package is built."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ..terms.errors import EvidenceInvalid
from .card import Card
from .cards import CARDS
from .strict_yaml import Lines, StrictYamlError, load

CARDS_DIR = Path(__file__).parent / "cards"
COMPILED = Path(__file__).parent / "compiled.json"


class Problem(NamedTuple):
    """One thing wrong with a card: where, what was found, what was expected."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class Placed(NamedTuple):
    """A card with the file and lines it came from."""

    deck: str
    card: Any
    file: str
    lines: Lines
    at: tuple[str | int, ...]

    def line(self, *path: str | int) -> int:
        """The line of `path` within this card, or of the nearest part above it that has one."""
        full = (*self.at, *path)
        while full not in self.lines and full:
            full = full[:-1]
        return self.lines.get(full, 1)


def read_cards(folder: Path = CARDS_DIR) -> tuple[list[Placed], list[Problem]]:
    """Every card in the folder, and every structural problem met on the way."""
    placed: list[Placed] = []
    problems: list[Problem] = []
    for path in _files(folder):
        deck = path.relative_to(folder).parts[0]
        name = str(path.relative_to(folder))
        try:
            value, lines = load(path.read_text(encoding="utf-8"), refuse_traps=True)
        except (StrictYamlError, UnicodeDecodeError) as error:
            problems.append(Problem(name, getattr(error, "line", 1), getattr(error, "message", str(error))))
            continue
        items = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for index, item in items:
            at = () if index is None else (index,)
            try:
                card = msgspec.convert(item, CARDS[deck])
            except msgspec.ValidationError as error:
                problems.append(_structural(error, name, lines, at))
                continue
            placed.append(Placed(deck, card, name, lines, at))
    return placed, problems


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.yaml")):
        if path.relative_to(folder).parts[0] in CARDS:
            yield path


def _structural(error: msgspec.ValidationError, file: str, lines: Lines, at: tuple[str | int, ...]) -> Problem:
    message, _, where = str(error).partition(" - at `$")
    path: tuple[str | int, ...] = at
    for name, index in re.findall(r"\.?([A-Za-z_]\w*)|\[(\d+|\.\.\.)\]", where.rstrip("`")):
        path = (*path, int(index) if index.isdigit() else name or index)
    while path not in lines and path:
        path = path[:-1]
    found = f" in {where.rstrip('`').lstrip('.')}" if where.strip("`") else ""
    return Problem(file, lines.get(path, 1), message + found)


def stamp(folder: Path = CARDS_DIR) -> str:
    """Changes whenever a card file is added, removed or edited."""
    found: list[str] = []
    folders = [str(folder)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    folders.append(entry.path)
                elif entry.name.endswith(".yaml"):
                    stat = entry.stat()
                    found.append(f"{entry.path}:{stat.st_size}:{stat.st_mtime_ns}")
    return hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()[:16]


def compile_cards(folder: Path = CARDS_DIR, *, sealed: bool = False) -> bytes:
    """The compiled cards. `sealed` marks a build that travels in a wheel and is never stale."""
    placed, problems = read_cards(folder)
    if problems:
        raise EvidenceInvalid("the cards do not compile (see `resorb evidence check`):\n" + "\n".join(map(str, problems)))
    decks: dict[str, list[Card]] = {deck: [] for deck in CARDS}
    for item in placed:
        decks[item.deck].append(item.card)
    body = msgspec.json.encode(decks)
    version = hashlib.sha256(body).hexdigest()[:12]
    head = {"version": version, "stamp": "sealed" if sealed else stamp(folder)}
    return msgspec.json.encode(head)[:-1] + b',"decks":' + body + b"}"
