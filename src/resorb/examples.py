"""The published cases that travel with resorb: facts restated, each with its source and what happened in the end."""

from __future__ import annotations

from pathlib import Path

_PACKAGED = Path(__file__).parent / "example_cases"
_CLONED = Path(__file__).parents[2] / "examples"


def folder() -> Path:
    """Where the example cases are: inside an installed package, or beside the source in a clone."""
    return _PACKAGED if _PACKAGED.is_dir() else _CLONED


def names() -> list[str]:
    """The names of the example cases."""
    return sorted(path.stem for path in folder().glob("*.yaml"))


def path(name: str) -> Path:
    """The file of one example case."""
    return folder() / f"{name}.yaml"


def about(name: str) -> dict[str, str]:
    """Title, citation, link and what happened in the end."""
    import yaml

    told = yaml.safe_load(path(name).read_text(encoding="utf-8"))["about"]
    return {key: " ".join(str(value).split()) for key, value in told.items()}
