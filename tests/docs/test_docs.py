"""The documents tell the truth: their code runs, their cases answer, their commands exist, their links lead somewhere."""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
import inspect
import json
import re
import shlex
import shutil
import typing
from pathlib import Path

import pytest
import yaml
from typer.main import get_command
from typer.testing import CliRunner

import resorb
from resorb.cli.app import app
from resorb.consult.worked_cases import problems
from resorb.evidence import check as check_cards
from resorb.evidence import cite, form, library, read_case_text
from resorb.evidence.cards import CARDS, Claim, Group, Option, OptionUse, RedFlag, Row, Weight
from resorb.evidence.compile import CARDS_DIR
from resorb.evidence.library import open_library
from resorb.evidence.strict_yaml import load
from resorb.terms import answer, assessment, case, change, errors, measurement, trend

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SHELF = library()
CASE = "age: 48 years\nsite: shoulder.supraspinatus\nfindings: [sharp_margin]\n"
# scans, servers, writing
NOT_RUN = {("measure",), ("compare",), ("serve",), ("listen",), ("mcp",), ("demo",), ("evidence", "cite"), ("evidence", "check")}


def _generator():
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATE = _generator()


@functools.cache
def made():
    """Every generated page, made once and only when a test asks."""
    return GENERATE.pages(SHELF)


WRITTEN = [
    ROOT / "README.md",
    *(ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *(p for p in sorted(DOCS.rglob("*.md")) if "reference" not in p.relative_to(DOCS).parts),
]


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block: its info string, its text and the line it starts on."""

    info: str
    text: str
    line: int


def blocks(path, *infos):
    found = []
    for match in re.finditer(r"^```([^\n]*)\n(.*?)^```[ \t]*$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        line = path.read_text(encoding="utf-8")[: match.start()].count("\n") + 2
        if not infos or match[1].strip() in infos:
            found.append(Block(match[1].strip(), match[2], line))
    return found


def name_of(block):
    """The file a block is, from its first line `# case.yaml`; none for an unnamed one."""
    match = re.match(r"# ([\w/.-]+\.ya?ml)\n", block.text)
    return match[1] if match else None


def pages_with(*infos):
    return [pytest.param(p, id=str(p.relative_to(ROOT))) for p in WRITTEN if p.exists() and blocks(p, *infos)]


def is_card(block):
    return (name_of(block) or "").partition("/")[0] in CARDS


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """An empty folder to work in, with the named cases of a page laid out."""
    monkeypatch.chdir(tmp_path)

    def lay(page):
        (tmp_path / "case.yaml").write_text(CASE)
        for block in blocks(page, "yaml"):
            if name_of(block) and not is_card(block):
                (tmp_path / name_of(block)).write_text(block.text)
        return tmp_path

    return lay


# --- blocks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", pages_with("python"))
def test_python_blocks_run(page, desk):
    desk(page)
    space = {"__name__": "page"}
    for block in blocks(page, "python"):
        exec(compile("\n" * (block.line - 1) + block.text, str(page), "exec"), space)


@pytest.mark.parametrize("page", pages_with("yaml"))
def test_yaml_blocks_are_cases_that_answer(page):
    for block in blocks(page, "yaml"):
        if is_card(block):
            continue
        data, _ = load(block.text)
        assert isinstance(data, dict), f"line {block.line}: expected a case or a card named in its first line"
        assert set(data) <= set(form.FIELDS), f"line {block.line}: not fields of a case: {set(data) - set(form.FIELDS)}"
        said = resorb.assess(read_case_text(block.text, SHELF, name=f"{page.name}:{block.line}"))
        assert said.kinds or said.absence or said.red_flags, f"line {block.line}: the example has no answer"


@pytest.mark.parametrize("page", pages_with())
def test_blocks_are_of_a_kind_that_is_tested(page):
    assert {b.info for b in blocks(page)} <= {"python", "yaml", "sh", "json", "text", ""}
    for block in blocks(page, "json"):
        json.loads(block.text)


def commands(block):
    """Each command line of the program in a block: its words, without redirections and remarks."""
    for line in block.text.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["resorb"]:
            plain, feed = [], None
            for n, word in enumerate(words[1:], 1):
                if word in (">", "<", "|", "&&", ";"):
                    feed = words[n + 1] if word == "<" else None
                    break
                plain.append(word)
            yield line, plain, feed


def resolve(words):
    """The command a line calls, its path and the words left for it."""
    command, path = get_command(app), []
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        assert words[0] in command.commands, f"no command {' '.join([*path, words[0]])}"
        command, path, words = command.commands[words[0]], [*path, words[0]], words[1:]
    return command, tuple(path), words


@pytest.mark.parametrize("page", pages_with("sh", "text", ""))
def test_command_lines_exist_and_the_harmless_ones_run(page, desk):
    desk(page)
    for block in blocks(page, "sh", "text", ""):
        for line, words, feed in commands(block):
            command, path, left = resolve(words)
            if any(word.isupper() for word in left):
                continue  # a pattern such as `show ID`
            if path in NOT_RUN:
                if path == ("evidence", "cite"):
                    continue  # run by the test of the card
                command.make_context("resorb", list(left)).close()
                continue
            done = CliRunner().invoke(app, words, input=Path(feed).read_text() if feed else None)
            assert done.exit_code in (0, 4), f"{line}\n{done.output}{done.exception}"
            assert done.output, line


def test_the_new_card_of_the_how_to_is_accepted(tmp_path, monkeypatch):
    page = DOCS / "how-to" / "add-a-kind.md"
    folder = tmp_path / "cards"
    shutil.copytree(CARDS_DIR, folder)
    original = cite.cite
    monkeypatch.setattr(cite, "cite", lambda fields, **more: original(fields, **more, folder=folder / "sources"))
    cited = [w[2:] for b in blocks(page, "sh") for _, w, _ in commands(b) if w[:2] == ["evidence", "cite"]]
    assert len(cited) == 1
    assert cite.main(cited[0]) == 0
    ours = ["sources/example_2000.yaml"]
    for block in filter(is_card, blocks(page, "yaml")):
        (folder / name_of(block)).write_text(block.text)
        ours.append(name_of(block))
    assert len(ours) == 3
    assert [str(p) for p in check_cards(folder) if p.file in ours] == []
    shelf = open_library(folder, tmp_path / "compiled.json")
    kind = shelf.kinds["example_bead"]
    assert [message for worked in kind.cases for message in problems(worked, shelf)] == []
    assert "example bead" in GENERATE.pages(shelf)["kinds.md"]


# --- the reference ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GENERATE.KEPT)
def test_committed_pages_are_fresh(name):
    kept = DOCS / "reference" / name
    assert kept.exists(), f"docs/reference/{name} is missing: run make docs"
    assert kept.read_text(encoding="utf-8") == made()[name], f"docs/reference/{name} is stale: run make docs"


def test_git_keeps_the_committed_pages_and_no_others():
    ignored = (ROOT / ".gitignore").read_text().split()
    assert "docs/reference/*" in ignored
    assert sorted(line.rpartition("/")[2] for line in ignored if line.startswith("!docs/reference/")) == sorted(GENERATE.KEPT)


def test_every_command_is_in_the_reference():
    def walk(command, path):
        if hasattr(command, "commands"):
            for name, child in command.commands.items():
                yield from walk(child, [*path, name])
        else:
            yield path, command

    text = made()["command-line.md"]
    for path, command in walk(get_command(app), ["resorb"]):
        part = text.partition(f"## `{' '.join(path)}`")[2].partition("\n## ")[0]
        assert part, f"{' '.join(path)} is not in the reference"
        assert " ".join((command.help or "?").split()) in part
        for parameter in command.params:
            assert parameter.param_type_name == "argument" or all(o in part for o in parameter.opts)


def test_every_kind_has_its_page_and_its_line():
    for kind in SHELF.decks.kinds:
        assert f"`{kind.id}`" in made()["kinds.md"]
        assert f"({kind.id}.md)" in made()["kinds/index.md"]
        text = made()[f"kinds/{kind.id}.md"]
        assert text.count("\n| for |") == len(kind.recognise.for_)
        assert text.count("\n| against |") == len(kind.recognise.against)
        assert not [g for g in kind.gaps if " ".join(g.split()) not in text]
        assert not [r.source for r in kind.outlook if f"`{r.source}`" not in text]


def test_every_lab_unit_and_source_is_in_the_reference():
    assert not [q.id for q in SHELF.decks.quantities if f"id `{q.id}`" not in made()["labs.md"]]
    assert not [s.id for s in SHELF.decks.sources if f'id="{s.id}"' not in made()["sources.md"]]


def test_a_stale_page_is_noticed(monkeypatch):
    monkeypatch.setitem(made(), "kinds.md", made()["kinds.md"] + "one more")
    with pytest.raises(AssertionError, match="run make docs"):
        test_committed_pages_are_fresh("kinds.md")


def test_pages_are_written_whole_and_old_ones_removed(tmp_path):
    (tmp_path / "kinds").mkdir()
    (tmp_path / "kinds" / "gone.md").write_text("old")
    assert {p.relative_to(tmp_path).as_posix() for p in GENERATE.write(tmp_path)} == set(made())
    assert not (tmp_path / "kinds" / "gone.md").exists()
    assert (tmp_path / "kinds.md").read_text(encoding="utf-8") == made()["kinds.md"]


# --- links ------------------------------------------------------------------------------------------


def anchors(text):
    plain = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    heads = [
        re.sub(r"[^\w\- ]", "", h.lower().replace("`", "")).strip().replace(" ", "-") for h in re.findall(r"^#+ (.*)$", plain, re.MULTILINE)
    ]
    return {*heads, *re.findall(r'<a id="([^"]+)">', plain)}


def links(text):
    plain = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    return [t for t in re.findall(r"\]\(([^)\s]+)\)", plain) if not re.match(r"[a-z]+:", t)]


@pytest.mark.parametrize("page", [pytest.param(p, id=str(p.relative_to(ROOT))) for p in WRITTEN])
def test_links_of_written_pages_lead_somewhere_in_git(page):
    for target in links(page.read_text(encoding="utf-8")):
        file, _, part = target.partition("#")
        to = (page.parent / file).resolve() if file else page
        assert to.exists(), f"{target} leads nowhere"
        if DOCS / "reference" in to.parents:
            assert to.relative_to(DOCS / "reference").as_posix() in GENERATE.KEPT, f"{target} is not in git"
        if part:
            assert part in anchors(to.read_text(encoding="utf-8")), f"{target}: no such heading"


def test_links_of_generated_pages_lead_somewhere():
    known = {name: anchors(text) for name, text in made().items()}
    for name, text in made().items():
        for target in set(links(text)):
            file, _, part = target.partition("#")
            to = (DOCS / "reference" / name).parent / file if file else DOCS / "reference" / name
            inside = Path(*to.resolve().relative_to(DOCS).parts)
            key = inside.relative_to("reference").as_posix() if inside.parts[0] == "reference" else None
            assert key in made() if key else to.exists(), f"{name}: {target} leads nowhere"
            assert not part or key is None or part in known[key], f"{name}: {target}: no such heading"


def test_committed_pages_link_only_to_what_git_keeps():
    for name in GENERATE.KEPT:
        for target in links(made()[name]):
            assert target.startswith(("#", "../")) or target.partition("#")[0] in GENERATE.KEPT


def test_every_page_is_on_the_map():
    told = (DOCS / "index.md").read_text(encoding="utf-8")
    missing = [p.relative_to(DOCS).as_posix() for p in WRITTEN if DOCS in p.parents and p.name != "index.md"]
    assert [p for p in missing if f"({p})" not in told] == [], "add these to docs/index.md"


# --- words ------------------------------------------------------------------------------------------


def code_words():
    for module in (assessment, case, answer, errors, measurement, change, trend):
        for name, value in vars(module).items():
            if inspect.isclass(value) and value.__module__ == module.__name__:
                yield name
                yield from getattr(value, "_fields", ())
                if dataclasses.is_dataclass(value):
                    yield from (f.name for f in dataclasses.fields(value))
    yield from typing.get_args(change.Verdict)
    yield from typing.get_args(Weight)
    yield from (g for g in typing.get_args(Group) if g not in ("sex",))
    for struct, field in ((Row, "design"), (RedFlag, "urgency"), (OptionUse, "verdict"), (Claim, "verdict")):
        yield from typing.get_args(typing.get_type_hints(struct)[field])
    yield from CARDS
    yield from form.FIELDS


def test_every_word_of_the_code_is_in_the_nomenclature():
    text = (DOCS / "nomenclature.md").read_text(encoding="utf-8")
    plain = {"id", "n", "of", "name"}
    missing = sorted({w for w in code_words() if w not in plain and not re.search(rf"(?<![\w.]){re.escape(w)}(?![\w])", text)})
    assert missing == []


def test_the_nomenclature_names_what_goes_away():
    text = (DOCS / "nomenclature.md").read_text(encoding="utf-8")
    assert not [w for w in (*SHELF.reasoning.goes_away, "symptom_relief") if f"`{w}`" not in text]
    assert {o.rung for o in SHELF.options.values() if isinstance(o, Option)} <= set(range(1, 10))


# --- the files around ---------------------------------------------------------------------------------


def test_the_citation_names_this_version():
    cff = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cff["cff-version"] == "1.2.0"
    assert cff["version"] == resorb.__version__
    assert {"title", "message", "authors", "license", "type"} <= set(cff)
    assert resorb.__version__ in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_make_targets_named_in_the_documents_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in WRITTEN:
        named = set(re.findall(r"`make ([a-z]+)`|^make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
        assert {a or b for a, b in named} <= targets, page.name


def test_contributing_stays_short():
    assert (ROOT / "CONTRIBUTING.md").read_text().count("\n") <= 120


def test_documents_name_files_that_exist():
    for page in WRITTEN:
        for named in re.findall(r"`((?:src|tests|docs|bench)/[\w/.-]+)`", page.read_text(encoding="utf-8")):
            inside = named.removeprefix("docs/reference/")
            assert (ROOT / named).exists() or inside in made() or any(m.startswith(inside) for m in made()), f"{page.name}: {named}"
