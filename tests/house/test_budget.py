"""The house: sizes, rooms, and what a bare import costs."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src" / "resorb"
FILES = sorted(SRC.rglob("*.py"))
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "service", "base"}
IMAGING = ("pydicom", "nibabel", "SimpleITK", "scipy", "numpy", "highdicom", "gdcm")
DOORS = ("mcp", "pydantic", "fastapi", "uvicorn", "sqlalchemy", "pynetdicom", "dicomweb_client")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SRC)))
def test_files_and_functions_stay_small(path):
    text = path.read_text()
    assert text.count("\n") <= 500
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno - node.lineno <= 60, f"{node.name} is {node.end_lineno - node.lineno} lines"


def test_most_functions_are_short():
    lengths = sorted(
        node.end_lineno - node.lineno
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    )
    assert lengths[int(len(lengths) * 0.9)] <= 30
    assert lengths[len(lengths) // 2] <= 12


def test_no_room_is_named_for_a_pattern():
    assert not [p for p in SRC.rglob("*") if p.stem in FORBIDDEN_NAMES]


@pytest.mark.parametrize("room", sorted(p.parent.name for p in SRC.glob("*/__init__.py")))
def test_a_room_hands_out_at_most_seven_names(room):
    module = importlib.import_module(f"resorb.{room}")
    assert module.__doc__
    assert len(getattr(module, "__all__", ())) <= 7


def test_the_room_contract_is_kept():
    done = subprocess.run([sys.executable, "-c", "from importlinter.cli import lint_imports; import sys; sys.exit(lint_imports())"],
                          cwd=SRC.parents[1], capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout


def loaded_after(code):
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sorted(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
        cwd=SRC.parents[1],
    )
    return set(done.stdout.splitlines()[-1].split())


def test_a_bare_import_costs_nothing():
    assert not loaded_after("import resorb").intersection((*IMAGING, *DOORS, "yaml", "msgspec", "jinja2", "typer"))


def test_an_assessment_loads_no_imaging_library():
    code = "import resorb; resorb.assess(resorb.read_case({'site': 'shoulder', 'findings': ['fluffy_margin']}))"
    assert not loaded_after(code).intersection((*IMAGING, *DOORS))


@pytest.mark.parametrize("arguments", [["--help"], ["assess", "--help"], ["--version"]])
def test_help_loads_no_numerics(arguments):
    code = f"sys.argv = ['resorb', *{arguments!r}]\nfrom resorb.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass"
    assert not loaded_after(code).intersection((*IMAGING, *DOORS))


def test_no_medical_number_is_typed_in_the_consulting_room():
    """Thresholds, weights and coefficients live on cards: no float other than 0, 0.5, 1, 95 % and the like in `consult`."""
    allowed = {0.0, 0.5, 1.0, 1.5, 2.0, 20.0, 60.0, 100.0, 0.95, 0.975, 1e-10}
    found = {
        (path.name, node.value)
        for path in (SRC / "consult").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, float) and node.value not in allowed
    }
    assert not found
