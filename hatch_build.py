"""Compile the evidence cards when a wheel or an editable install is built."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileCards(BuildHookInterface):
    """Write `compiled.json` beside the cards; sealed for a wheel, stamped for an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Run before the build; `version` is `editable` or `standard`."""
        sys.path.insert(0, str(Path(self.root) / "src"))
        from resorb.evidence.compile import COMPILED, compile_cards

        COMPILED.write_bytes(compile_cards(sealed=version == "standard"))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """A sealed file is never stale, so none stays behind in the folder where cards are edited."""
        if version == "standard":
            (Path(self.root) / "src" / "resorb" / "evidence" / "compiled.json").unlink(missing_ok=True)
