"""Write docs/reference/ from the code and the cards: `make docs`, or `python docs/generate.py [FOLDER]`.

Nothing on these pages is typed by hand. The pages named in KEPT are committed; the rest is left out of git.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import resorb.cli
from resorb.cli.app import app
from resorb.consult.facts import Facts
from resorb.consult.outlook import outlook
from resorb.consult.words import as_sources, name_of, phrase
from resorb.evidence import Library, library
from resorb.evidence.cards import Formula, Kind, Quantity, Reason, Said
from resorb.evidence.cite import main as cite
from resorb.evidence.template import template
from resorb.report import schema
from resorb.report.as_json import RESULTS
from resorb.terms.assessment import Estimate
from resorb.terms.case import Case
from resorb.terms.time import months_in_words

REFERENCE = Path(__file__).parent / "reference"
KEPT = ("command-line.md", "json.md", "kinds.md")
MADE = "<!-- Made by docs/generate.py (`make docs`). Do not edit. -->\n"
LINKS = (
    ("doi", "https://doi.org/"),
    ("pmid", "https://pubmed.ncbi.nlm.nih.gov/"),
    ("pmcid", "https://www.ncbi.nlm.nih.gov/pmc/articles/"),
)


def pages(shelf: Library) -> dict[str, str]:
    """Every generated page: its path below docs/reference/ and its text."""
    made = {
        "command-line.md": command_line(),
        "json.md": json_fields(),
        "kinds.md": kinds(shelf),
        "kinds/index.md": kinds(shelf, linked=True),
        "case-form.md": case_form(shelf),
        "labs.md": labs(shelf),
        "words.md": words(shelf),
        "sources.md": sources(shelf),
    }
    made |= {f"kinds/{kind.id}.md": kind_page(kind, shelf) for kind in shelf.decks.kinds}
    return {path: f"{MADE}\n{text.strip()}\n" for path, text in made.items()}


# --- pieces ---------------------------------------------------------------------------------------


def one_line(text: object) -> str:
    """Text that fits in a cell."""
    return " ".join(str(text).split()).replace("|", "\\|")


def rows(head: Iterable[str], body: Iterable[Iterable[object]]) -> str:
    """A table."""
    names = list(head)
    lines = [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]
    return "\n".join([*lines, *(f"| {' | '.join(one_line(cell) for cell in line)} |" for line in body)])


def cited(source: str | tuple[str, ...], up: str = "../") -> str:
    """Source ids as links to the page of sources."""
    return ", ".join("expert opinion" if s == "expert" else f"[{s}]({up}sources.md#{s})" for s in as_sources(source))


def section(title: str, body: str) -> str:
    """A section, or nothing where there is nothing to say."""
    return f"## {title}\n\n{body}\n\n" if body.strip() else ""


def told(said: Iterable[Said], shelf: Library) -> str:
    """Sentences with their sources, and when they hold."""

    def one(s: Said) -> str:
        when = f" (when {'; '.join(phrase(t, shelf) for t in s.when)})" if s.when else ""
        return f"{s.says}{when} ({cited(s.source)})"

    return points(one(s) for s in said)


def points(lines: Iterable[str]) -> str:
    """A list."""
    return "\n".join(f"- {' '.join(line.split())}" for line in lines)


# --- kinds ----------------------------------------------------------------------------------------


def kinds(shelf: Library, *, linked: bool = False) -> str:
    """Every kind by family. The committed form has no links: the pages of single kinds are not in git."""
    blurb = "" if linked else (
        "`resorb evidence show ID` prints a card whole, `resorb evidence table` compares all kinds. "
        "`make docs` writes a readable page for each kind below `docs/reference/kinds/`.\n\n"
    )  # fmt: skip
    text = f"# The kinds\n\nEvery kind of calcification that resorb knows, by family.\n\n{blurb}"
    for family in sorted({k.family for k in shelf.decks.kinds}):
        members = sorted((k for k in shelf.decks.kinds if k.family == family), key=lambda k: k.name.lower())
        body = ((f"[{k.name}]({k.id}.md)" if linked else k.name, f"`{k.id}`") for k in members)
        text += section(family.capitalize(), rows(("kind", "id"), body))
    return text


def kind_page(kind: Kind, shelf: Library) -> str:
    """One card, readable."""
    estimates = outlook(kind, Facts(Case(), shelf))
    codes = "; ".join(f"{'ICD-10-CM' if system == 'icd10cm' else system} {', '.join(of)}" for system, of in kind.codes.items())
    about = [f"Family: {kind.family}.", f"Codes: {codes}." if codes else "", f"Also called: {', '.join(kind.also)}." if kind.also else ""]
    return "".join([
        f"# {kind.name}\n\n`{kind.id}`. {' '.join(filter(None, about))}\n\n",
        section("What it is", told(kind.says, shelf)),
        section("In plain words", " ".join(kind.plain.split())),
        section("Where", ", ".join(name_of(s, shelf) for s in kind.sites)),
        section("How it is recognised", _recognise(kind, shelf)),
        section("Stages", points(f"**{s.name}** ({s.scheme}): {s.says} ({cited(s.source)})" for s in kind.stages)),
        section("Outlook", _outlook(estimates, shelf)),
        section("What changes it", told(kind.changes, shelf)),
        section("What makes it hurt", told(kind.hurts, shelf)),
        section("What can be done", points(_options(kind, shelf))),
        section("What must not wait", points(f"**{f.name}** ({f.urgency}): {f.says} {f.do} ({cited(f.source)})" for f in kind.red_flags)),
        section("What people say", points(_claims(kind))),
        section("If none is seen", points(f"{a.means} {a.does_not_mean} ({cited(a.source)})" for a in kind.absence)),
        section("Follow-up", points(f"{f.do}{f' ({f.at})' if f.at else ''} ({cited(f.source)})" for f in kind.follow_up)),
        section("What may stand behind it", ", ".join(name_of(c, shelf) for c in kind.causes)),
        section("Questions to take to a clinician", points(kind.questions)),
        section("What was not found", points(kind.gaps)),
        section("Sources", points(_source(s, shelf) for s in _used(kind))),
        f"Reviewed by: {kind.reviewed.by}; next review due {kind.reviewed.due}.\n\n{' '.join(shelf.reasoning.notice.split())}\n",
    ])  # fmt: skip


def _recognise(kind: Kind, shelf: Library) -> str:
    must = points(f"needs {phrase(t, shelf)}" for t in kind.recognise.must)

    def lines(sign: str, reasons: tuple[Reason, ...]) -> Iterator[tuple[str, ...]]:
        for r in reasons:
            yield sign, r.weight, r.says or phrase(r, shelf), cited(r.source)

    reasons = [*lines("for", kind.recognise.for_), *lines("against", kind.recognise.against)]
    return f"{must}\n\n{rows(('', 'weight', 'reason', 'source'), reasons)}"


def _outlook(estimates: tuple[Estimate, ...], shelf: Library) -> str:
    head = ("outcome", "course", "by", "result", "counted", "who", "certainty", "source (how read)")
    note = "Percentages and 95 % intervals are computed from the counts; what a study gave without a count has no interval."
    return f"{note}\n\n{rows(head, (_estimate(e, shelf) for e in estimates))}" if estimates else ""


def _estimate(e: Estimate, shelf: Library) -> tuple[str, ...]:
    studied = "; ".join(dict.fromkeys(s.people for s in e.studies if s.people))
    only = "; ".join(like.removeprefix("not known here: ") for like in e.like_this)
    reasons = [r for r in e.certainty.reasons if not r.startswith("whether the studied people")]
    says = " ".join(s.says for s in e.studies if s.says)
    return (
        name_of(e.outcome, shelf),
        name_of(e.course, shelf),
        months_in_words(e.by_months) if e.by_months else "",
        _result(e, shelf),
        "; ".join(f"{s.events} of {s.of} {s.unit}" for s in e.studies if s.events is not None),
        " ".join(filter(None, (f"{studied}." if studied else "", says, f"[{only}]" if only else ""))),
        f"{e.certainty.level}: {'; '.join(reasons)}",
        "; ".join(f"{cited(s.source)} ({s.read}; {s.where})" for s in e.studies),
    )


def _result(e: Estimate, shelf: Library) -> str:
    if e.effect:
        f = e.effect
        reach = f" ({f.interval} {f.low:g} to {f.high:g})" if f.low is not None and f.high is not None else ""
        return f"{f.measure} {f.value:g} {f.unit}{reach}" + (f" against {name_of(f.against, shelf)}" if f.against else "")
    if e.estimate is None:
        return e.how
    text = f"{e.estimate:.0f} %" + (f" ({e.low:.0f} to {e.high:.0f})" if e.low is not None else "")
    if e.predicts_low is not None:
        text += f"; a new study {e.predicts_low:.0f} to {e.predicts_high:.0f}"
    if e.against:
        a = e.against
        text += f"; {name_of(a.course, shelf)} {a.percent:.0f} %, difference {a.difference:+.0f} points ({a.low:+.0f} to {a.high:+.0f})"
    return text


def _options(kind: Kind, shelf: Library) -> Iterator[str]:
    for use in sorted(kind.options, key=lambda u: (shelf.options[u.option].rung, u.option)):
        card = shelf.options[use.option]
        when = f" Only when {'; '.join(phrase(t, shelf) for t in use.when)}." if use.when else ""
        harms = "".join(f" Harm: {h.says} ({cited(h.source)})" for h in card.harms)
        avoid = "".join(f" Not for: {a.says} ({cited(a.source)})" for a in (*card.avoid, *use.avoid))
        yield f"{card.rung}. **{card.name}** ({use.verdict.replace('_', ' ')}): {use.says} ({cited(use.source)}){when}{harms}{avoid}"


def _claims(kind: Kind) -> Iterator[str]:
    for c in kind.claims:
        yield f"“{c.claim}”: {c.verdict.replace('_', ' ')}. {c.says} ({cited(c.source)})"


def _used(part: Any) -> list[str]:
    """The ids of the sources that a card rests on."""
    found: dict[str, None] = {}

    def look(value: Any) -> None:
        if isinstance(value, tuple):
            for child in value:
                look(child)
        for name in getattr(value, "__struct_fields__", ()):
            child = getattr(value, name)
            if name == "source" and child is not None:
                found.update(dict.fromkeys(as_sources(child)))
            else:
                look(child)

    look(part)
    return sorted(set(found) - {"expert"})


def _source(source_id: str, shelf: Library) -> str:
    s = shelf.sources[source_id]
    link = next((stem + str(getattr(s, name)) for name, stem in LINKS if getattr(s, name)), s.url)
    return f"`{s.id}` {s.citation} {link} (read: {s.read.form}, {s.read.by}, {s.read.date})"


# --- labs, words, sources, form -------------------------------------------------------------------


def labs(shelf: Library) -> str:
    """Every lab, measure and formula."""
    text = "# Labs, measures and formulas\n\nA value is converted exactly to the first unit; values beyond the limits are refused.\n\n"
    for group, title in (("lab", "Labs"), ("measure", "Measures")):
        text += section(title, "\n".join(_quantity(q) for q in shelf.decks.quantities if q.group == group))
    return text + section("Formulas", "\n".join(_formula(f, shelf) for f in shelf.decks.formulas))


def _quantity(q: Quantity) -> str:
    units = ", ".join(f"`{u or 'no unit'}` x {factor:g}" for u, factor in q.units.items() if u != q.unit)
    lines = [
        f"id `{q.id}`; unit `{q.unit or 'none'}`",
        f"accepted: {units}" if units else "",
        f"also: {', '.join(q.also)}" if q.also else "",
    ]
    lines += [f"{system.upper()}: {', '.join(codes)}" for system, codes in q.codes.items()]
    lines += [f"refused under {q.impossible_under:g} and over {q.impossible_over:g} {q.unit}".rstrip()]
    for b in q.bands:
        who = " ".join(filter(None, (b.sex, _years(b.from_years, b.to_years))))
        limits = " to ".join(f"{x:g}" for x in (b.low, b.high) if x is not None)
        sign = "from " if b.high is None else "up to " if b.low is None else ""
        lines.append(f"normal{f' ({who})' if who else ''}: {sign}{limits} {q.unit} ({cited(b.source, '')})")
    for level in q.levels:
        limits = f"over {level.over:g}" if level.over is not None else f"under {level.under:g}"
        lines.append(f"{level.name.replace('_', ' ')}: {limits} {q.unit} ({cited(level.source, '')})")
    return f"### {q.name}\n\n{points(filter(None, [*lines, q.says]))}\n"


def _years(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    return f"{low or 0:g} years and older" if high is None else f"{low or 0:g} to under {high:g} years"


def _formula(f: Formula, shelf: Library) -> str:
    lines = [
        f"id `{f.id}`; makes {name_of(f.makes, shelf)}; needs {', '.join(name_of(n, shelf) for n in f.needs)}",
        f"{f.says} ({cited(f.source, '')})",
    ]
    lines += [f"prefer: {f.prefer}"] if f.prefer else []
    return f"### {f.name}\n\n{points(lines)}\n"


def words(shelf: Library) -> str:
    """Every word a case or a card may use."""
    text = "# The words of the cards\n\nAny of the names may be written in a case. `resorb template --words GROUP` prints the same.\n\n"
    for group in sorted({w.group for w in shelf.decks.words}):
        body = (
            (f"`{w.id}`", w.name, ", ".join(w.also), ", ".join(w.is_), w.counts, w.not_counted)
            for w in sorted(shelf.decks.words, key=lambda w: w.id)
            if w.group == group
        )
        text += section(group.capitalize(), rows(("id", "name", "also", "implies", "counts", "does not count"), body))
    options = ((f"`{o.id}`", o.name, ", ".join(o.also), o.rung, o.says) for o in sorted(shelf.decks.options, key=lambda o: (o.rung, o.id)))
    return text + section("Option", rows(("id", "name", "also", "rung", "what it is"), options))


def sources(shelf: Library) -> str:
    """Every source and how it was read."""
    text = "# The sources\n\nHow each was read, by whom and when. `secondary`: what another source says of it.\n\n"
    for s in sorted(shelf.decks.sources, key=lambda s: s.id):
        text += f'- <a id="{s.id}"></a>{one_line(_source(s.id, shelf))}{f" {one_line(s.note)}" if s.note else ""}\n'
    return text


def case_form(shelf: Library) -> str:
    """The form."""
    told = "What `resorb template` prints. How to fill it in: [write a case](../how-to/write-a-case.md)."
    return f"# The form of a case\n\n{told}\n\n```text\n{template(shelf)}```"


# --- the command line and JSON --------------------------------------------------------------------


def command_line() -> str:
    """Every command's help."""
    import typer.main

    exits = next(line for line in inspect.getdoc(resorb.cli).splitlines() if "exit 0" in line)  # type: ignore[union-attr]
    text = (
        "# The command line\n\n`python -m resorb` is the same program. Results go to stdout, remarks to stderr.\n"
        f"{exits.partition('Out: ')[2].capitalize()}\n\n"
    )
    return text + "".join(_commands(typer.main.get_command(app), "resorb"))


def _commands(group: Any, path: str) -> Iterator[str]:
    for name, command in group.commands.items():
        full = f"{path} {name}"
        if hasattr(command, "commands"):
            yield from _commands(command, full)
        elif full == "resorb evidence cite":
            yield section(f"`{full}`", f"{_help(command)}\n\n{_cite_options()}")
        else:
            yield section(f"`{full}`", f"{_help(command)}\n\n{_parameters(command, full)}")


def _help(command: Any) -> str:
    return " ".join((command.help or "").split())


def _parameters(command: Any, full: str) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    usage = " ".join([full, *(_name(p) if p.required else f"[{_name(p)}]" for p in arguments)])
    body = [(f"`{_name(p)}`", _about(p)) for p in arguments]
    body += [(f"`{', '.join(p.opts)}`", _about(p)) for p in command.params if p.param_type_name == "option"]
    table = rows(("", ""), [*body, ("`--help`", "Show the help and stop.")])
    return f"```text\n{usage}\n```\n\n{table}"


def _name(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _about(parameter: Any) -> str:
    default = parameter.default
    shown = default not in (None, False, "", ()) and not callable(default) and not parameter.required
    several = " May be given several times." if getattr(parameter, "multiple", False) else ""
    return f"{parameter.help or ''}{several}{f' (default {default})' if shown else ''}"


def _cite_options() -> str:
    """`cite` reads its own options; their names as its help lists them."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.suppress(SystemExit):
        cite(["--help"])
    names = re.findall(r"^  (--[a-z]+ \S+)", shown.getvalue(), re.MULTILINE)
    return "```text\nresorb evidence cite --id ID --citation CITATION --year YEAR --read FORM [more]\n```\n\n" + points(
        f"`{n}`" for n in names
    )


def json_fields() -> str:
    """Every object and field of what the commands print with `--json`."""
    told = (
        "`assess`, `measure` and `compare` print one object each with `--json`; `resorb schema` prints their JSON Schema. "
        "Percentages are 0 to 100; positions are LPS mm. A measure is its numbers or `refused` with the reason. "
        "Measurements, changes and series carry a `seal` under `versions`: a hash of the rest, by which an edited or cut file is noticed "
        "(it does not tell who wrote it)."
    )
    return f"# The JSON of the answers\n\n{told}\n\n" + "".join(_objects(of, name) for of, name in RESULTS.items())


def _objects(of: str, whole: str) -> str:
    """Every object of one result; those of an assessment by their bare names."""
    made = schema(of)["$defs"]
    before = "" if of == "assessment" else f"{whole}: "
    text = ""
    for name in sorted(made, key=lambda name: (name != whole, name)):
        part = made[name]
        body = (
            (f"`{field}`", _type(value, before), "" if field in part.get("required", ()) else "may be missing")
            for field, value in part["properties"].items()
        )
        title = name if name == whole else f"{before}{name}"
        text += section(title, f"{' '.join((part.get('description') or '').split())}\n\n{rows(('field', 'type', ''), body)}")
    return text


def _type(value: dict[str, Any], before: str = "") -> str:
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{(before + name).lower().replace(': ', '-')})"
    if "anyOf" in value:
        return " or ".join(_type(v, before) for v in value["anyOf"])
    if "enum" in value:
        return "one of " + ", ".join(map(str, value["enum"]))
    if value.get("type") == "array":
        return f"list of {_type(value['items'], before)}" if value.get("items") else "list"
    if value.get("type") == "object":
        return f"map of text to {_type(value['additionalProperties'], before)}"
    return {"string": "text", "number": "number", "integer": "whole number", "boolean": "true or false", "null": "null"}.get(
        value.get("type", ""), "any"
    )


def write(folder: Path = REFERENCE) -> list[Path]:
    """Write every page below `folder`; pages of kinds that are gone are removed."""
    made = pages(library())
    for old in (folder / "kinds").glob("*.md"):
        if f"kinds/{old.name}" not in made:
            old.unlink()
    for name, text in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [folder / name for name in made]


if __name__ == "__main__":
    written = write(Path(sys.argv[1]) if len(sys.argv) > 1 else REFERENCE)
    print(f"wrote {len(written)} pages below {written[0].parent}")  # noqa: T201
