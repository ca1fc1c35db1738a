"""Addresses are taken apart, and those that could not work or would give a secret away are refused."""

from __future__ import annotations

import pytest

from resorb.pacs.address import DimsePeer, WebAddress, is_address, target, web_address
from resorb.terms.errors import UserError

ROOT = "https://pacs.example:8443/dicom-web"


@pytest.mark.parametrize(
    ("text", "study", "series", "becomes"),
    [
        (ROOT, "1.2", "1.2.3", WebAddress(ROOT, "1.2", "1.2.3")),
        (ROOT + "/", "1.2", None, WebAddress(ROOT, "1.2", None)),
        (ROOT + "/studies/1.2/series/1.2.3", None, None, WebAddress(ROOT, "1.2", "1.2.3")),
        (ROOT + "/studies/1.2", None, "9.8", WebAddress(ROOT, "1.2", "9.8")),
        (ROOT + "/studies/1.2/", None, None, WebAddress(ROOT, "1.2", None)),
        (ROOT + "/studies", None, None, WebAddress(ROOT, None, None)),
        ("http://localhost/a/studies/b/rs/studies/1.2", None, None, WebAddress("http://localhost/a/studies/b/rs", "1.2", None)),
    ],
)
def test_a_web_address_in_its_parts(text: str, study: str | None, series: str | None, becomes: WebAddress) -> None:
    assert is_address(text)
    assert web_address(text, study, series) == becomes


@pytest.mark.parametrize(
    ("text", "study", "said"),
    [
        ("https://who:secret@pacs/dicom-web", "1.2", "password"),
        (ROOT + "?token=secret", "1.2", "query"),
        ("https:///dicom-web", "1.2", "no address"),
        (ROOT, "../../etc", "UID"),
        (ROOT, "1." * 40 + "1", "UID"),
        (ROOT + "/studies/%2e%2e", None, "UID"),
    ],
)
def test_an_address_that_could_not_be_asked_is_refused(text: str, study: str | None, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        web_address(text, study)
    assert "secret" not in str(caught.value)


def test_a_peer_and_a_server_are_targets() -> None:
    assert target("PACS@10.0.0.7:104") == DimsePeer("PACS", "10.0.0.7", 104)
    assert target("MY PACS@[::1]:104") == DimsePeer("MY PACS", "::1", 104)
    assert target(ROOT) == WebAddress(ROOT)


@pytest.mark.parametrize(
    "text", ["PACS", "PACS@host", "PACS@host:0", "PACS@host:99999", "@host:104", "A" * 17 + "@host:104", "A\\B@h:1", " @h:104"]
)
def test_a_target_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="AET@host:port"):
        target(text)


def test_a_path_is_no_address() -> None:
    assert not is_address("scans/one")
    assert not is_address("C:/scans")
