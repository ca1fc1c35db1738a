"""A typed case through Python and the command line: equal answers, clear refusals, whole files."""

import json
import subprocess
import sys

import jsonschema
import pytest

import resorb
from resorb import examples
from resorb.report import schema, to_dict, to_html, to_json

CASE = "age: 48\nsite: shoulder.supraspinatus\nfindings: [fluffy_margin]\nsymptoms: [pain]\n"


def run(*arguments, stdin="", **more):
    return subprocess.run(
        [sys.executable, "-m", "resorb", *map(str, arguments)], input=stdin, capture_output=True, text=True, check=False, **more
    )


@pytest.fixture
def case_file(tmp_path):
    path = tmp_path / "case.yaml"
    path.write_text(CASE)
    return path


def test_python_and_command_line_give_the_same_bytes(case_file):
    done = run("assess", case_file, "--json")
    assert done.returncode == 0
    assert done.stdout == to_json(resorb.assess(resorb.read_case(case_file))) + "\n"


def test_a_case_on_stdin_is_the_same_case(case_file):
    assert run("assess", "-", "--json", stdin=CASE).stdout == run("assess", case_file, "--json").stdout


def test_the_answer_keeps_the_published_schema(case_file):
    said = json.loads(run("assess", case_file, "--json").stdout)
    jsonschema.validate(said, json.loads(run("schema").stdout))
    wanted = ("kinds", "red_flags", "outlook", "options", "claims", "ask_next", "cannot_say", "follow_up", "plain", "sources", "versions")
    assert not [key for key in wanted if key not in said]
    assert {"id", "name", "family", "why", "against"} <= set(said["kinds"][0])
    assert {"kind", "outcome", "course", "by_months", "estimate", "low", "high", "studies"} <= set(said["outlook"][0])


@pytest.mark.parametrize("name", examples.names())
def test_every_example_keeps_the_schema(name):
    jsonschema.validate(json.loads(to_json(resorb.assess(resorb.read_case(examples.path(name))))), schema())


def test_text_says_once_that_it_is_not_a_medical_device(case_file):
    said = run("assess", case_file).stdout
    assert said.count("Not a medical device") == 1
    assert "calcific tendinopathy" in said


def test_why_gives_every_source(case_file):
    said = resorb.assess(resorb.read_case(case_file))
    text = run("assess", case_file, "--why").stdout
    assert all(s.id in text for s in said.sources)


def test_a_page_is_whole_and_self_contained(case_file, tmp_path):
    page = tmp_path / "page.html"
    done = run("assess", case_file, "--html", page)
    assert done.returncode == 0
    text = page.read_text()
    assert text == to_html(resorb.assess(resorb.read_case(case_file)))
    for outside in ("<script", "<link", 'src="http', "@import", "url("):
        assert outside not in text
    assert list(tmp_path.glob("*.part")) == []


def test_the_page_escapes_what_it_is_given():
    said = resorb.assess(
        resorb.read_case({"site": "kidney", "labs": {"calcium": "high"}, "done": [{"option": "watch", "when": "<script>x</script>"}]})
    )
    assert "<script>" not in to_html(said)


@pytest.mark.parametrize(
    ("text", "says"),
    [("siet: x\nage: -2", "siet"), ("", "nothing"), ("a: [", "not valid YAML"), ("labs: {calcium: 95 mmol/L}", "is the unit right")],
)
def test_bad_input_is_one_message_and_exit_3(text, says):
    done = run("assess", "-", stdin=text)
    assert done.returncode == 3
    assert done.stdout == ""
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_file_a_folder_and_binary(tmp_path):
    (tmp_path / "b.yaml").write_bytes(b"\x89PNG\r\n\xff\xfe\x00")
    for target, says in ((tmp_path / "none.yaml", "cannot be read"), (tmp_path, "folder"), (tmp_path / "b.yaml", "UTF-8")):
        done = run("assess", target)
        assert done.returncode == 3
        assert says in done.stderr


def test_a_page_that_cannot_be_written_leaves_nothing(case_file, tmp_path):
    done = run("assess", case_file, "--html", tmp_path / "no" / "page.html")
    assert done.returncode == 3
    assert "cannot be written" in done.stderr
    assert run("assess", case_file, "--html", tmp_path / "page.docx").returncode == 3


def test_nothing_fits_is_exit_4():
    done = run("assess", "-", stdin="site: nerve\nage: 40\n")
    assert done.returncode == 4
    assert "none fits" in done.stdout


def test_usage_is_exit_2():
    assert run("assess").returncode == 2
    assert run("nonsense").returncode == 2


def test_to_dict_is_plain(case_file):
    assert json.loads(json.dumps(to_dict(resorb.assess(resorb.read_case(case_file)))))["versions"]["schema"] == 1
