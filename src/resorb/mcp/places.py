"""Which files an assistant may have read: those under the folders that a person allowed, and no others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..terms.errors import UserError

HOW = "resorb mcp --allow FOLDER"


@dataclass(frozen=True)
class Places:
    """The folders allowed, as they truly lie (links followed)."""

    folders: tuple[Path, ...] = ()

    @classmethod
    def of(cls, folders: Iterable[Path]) -> Places:
        """Folders as named on the command line. Raises UserError for one that is none."""
        found = tuple(folder.expanduser().resolve() for folder in folders)
        for given, folder in zip(folders, found, strict=True):
            if not folder.is_dir():
                raise UserError(f"--allow: found {given}, which is no folder; expected a folder that assistants may read scans from")
        return cls(found)

    def within(self, path: str) -> Path:
        """Where a path truly leads, if that is inside an allowed folder. Raises UserError, whether or not such a file exists."""
        try:
            true = Path(path).expanduser().resolve()
        except (OSError, RuntimeError, ValueError):
            true = Path()
        if not any(true == folder or folder in true.parents for folder in self.folders):
            allowed = ", ".join(map(str, self.folders)) or "no folder"
            raise UserError(f"{path}: found outside the folders that may be read; expected a path in {allowed}; a person may start: {HOW}")
        return true
