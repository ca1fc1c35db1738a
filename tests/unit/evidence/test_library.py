"""Compiled cards: fresh, whole, indexed."""

import shutil

from resorb.evidence.cite import main as cite
from resorb.evidence.compile import CARDS_DIR
from resorb.evidence.library import open_library


def test_a_changed_card_is_compiled_anew(tmp_path):
    cards, compiled = tmp_path / "cards", tmp_path / "compiled.json"
    shutil.copytree(CARDS_DIR, cards)
    first = open_library(cards, compiled)
    assert compiled.exists()
    assert open_library(cards, compiled).version == first.version
    words = cards / "words" / "sites.yaml"
    words.write_text(words.read_text() + '- {id: moon, group: site, name: "the moon"}\n')
    second = open_library(cards, compiled)
    assert "moon" in second.words
    assert second.version != first.version


def test_wider_and_narrower(shelf):
    assert {"tendon", "shoulder"} <= shelf.wider["shoulder.supraspinatus"]
    assert "shoulder.supraspinatus" in shelf.narrower["tendon"]


def test_every_word_is_found_by_its_id_and_name(shelf):
    for word in shelf.decks.words:
        assert shelf.spellings[word.group][word.id] == word.id


def test_a_source_is_written_once(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("resorb.evidence.cite.cite.__kwdefaults__", {"by": "someone", "folder": tmp_path})
    options = ["--id", "x_2020", "--citation", "X. A title. J 2020", "--year", "2020", "--read", "abstract", "--date", "2026-01-01"]
    assert cite(options) == 0
    assert "form: abstract" in (tmp_path / "x_2020.yaml").read_text()
    assert cite(options) == 3
    assert "exists already" in capsys.readouterr().err
