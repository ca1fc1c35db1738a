"""Write a source card, so that every one has the same form and says who read it and when.

Used by `resorb evidence cite`; an existing card is never overwritten.
"""

from __future__ import annotations

import argparse
import datetime
import sys
from pathlib import Path

import yaml

SOURCES_DIR = Path(__file__).parent / "cards" / "sources"
READER = "resorb authors"


class CiteError(ValueError):
    """Why the card was not written."""


def cite(fields: dict[str, str], *, form: str, at: str, date: str, by: str = READER, folder: Path = SOURCES_DIR) -> Path:
    """Write `sources/<id>.yaml` from id, citation, year and any of doi, pmid, pmcid, url, note."""
    path = folder / f"{fields['id']}.yaml"
    if path.exists():
        raise CiteError(f"{path.name} exists already; reuse the id, or choose another for another source")
    card: dict[str, object] = {key: value for key, value in fields.items() if value}
    card["year"] = int(fields["year"])
    card["read"] = {"form": form, "by": by, "date": date} | ({"at": at} if at else {})
    text = yaml.safe_dump(card, sort_keys=False, allow_unicode=True, width=140, default_style=None)
    path.write_text(text, encoding="utf-8")
    return path


def main(arguments: list[str]) -> int:
    """Parse the options, write the card, say where."""
    parser = argparse.ArgumentParser(prog="resorb evidence cite", description=__doc__)
    for name in ("id", "citation", "year"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("doi", "pmid", "pmcid", "url", "note", "at"):
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--read", required=True, choices=["article", "abstract", "secondary", "unverified"])
    parser.add_argument("--date", default=datetime.date.today().isoformat())
    parser.add_argument("--by", default=READER)
    given = vars(parser.parse_args(arguments))
    form, at, date, by = (given.pop(name) for name in ("read", "at", "date", "by"))
    try:
        print(cite(given, form=form, at=at, date=date, by=by))
    except (CiteError, ValueError) as error:
        print(f"resorb evidence cite: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
