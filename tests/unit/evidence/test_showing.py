"""What a source is called in one line."""

import pytest

from resorb.evidence import library
from resorb.evidence.showing import short_name


@pytest.mark.parametrize(
    ("citation", "said"),
    [
        ("Cho NS, et al. Radiologic course of the calcific deposits", "Cho 2010"),
        ("van Huijgevoort NCM, et al. Success of extracorporeal shock waves", "van Huijgevoort 2010"),
        ("Fernandez Cuadros ME, et al. Calcifying tendonitis", "Fernandez Cuadros 2010"),
        ("O'Keefe RJ, et al. Calcific myonecrosis", "O'Keefe 2010"),
        ("Kim, Park, Park, et al. Intracranial cortical calcifications", "Kim 2010"),
        ("Hyun JS. Clinical significance of prostatic calculi", "Hyun 2010"),
        ("EVOLVED trial: early valve intervention", "EVOLVED trial 2010"),
        ("Radiopaedia. Normal intracranial calcifications", "Radiopaedia 2010"),
        ("Vitamin K-dependent carboxylation of matrix Gla protein influences the risk", "“Vitamin K-dependent carboxylation …” 2010"),
        ("Extracorporeal shock wave therapy in calcific tendinitis of the shoulder", "“Extracorporeal shock wave therapy …” 2010"),
        ("X", "X 2010"),
        ("Eine sehr lange Überschrift ohne jeden Punkt und ohne Namen", "“Eine sehr lange Überschrift …” 2010"),
    ],
)
def test_a_study_is_named_by_its_author_or_the_head_of_its_title(citation: str, said: str) -> None:
    assert short_name(citation, 2010) == said


def test_every_source_has_a_name_that_fits_a_line() -> None:
    for source in library().sources.values():
        said = short_name(source.citation, source.year)
        assert said.endswith(f" {source.year}"), source.id
        assert 6 <= len(said) <= 48, said
