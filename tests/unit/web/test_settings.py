"""Who may be let in is settled before the service starts."""

import socket

import pytest

from resorb.cli.serve import _free
from resorb.terms.errors import ResorbError, UserError
from resorb.web.app import prepare
from resorb.web.guard import known_hosts
from resorb.web.settings import Access, Hooks, Settings, checked, is_loopback

SECRET = "a-long-secret-of-the-test"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "scans.example"])
def test_other_addresses_need_a_token(host):
    with pytest.raises(UserError, match="token"):
        checked(Settings("data", host=host))
    assert checked(Settings("data", host=host, access=Access(token=SECRET))).host == host
    assert checked(Settings("data", host=host, access=Access(issuer="https://id.example", audience="resorb"))).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_this_machine_needs_none(host):
    assert is_loopback(host)
    assert checked(Settings("data", host=host)).folder.is_absolute()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (Settings("data", access=Access(token="short")), "--token"),
        (Settings("data", access=Access(issuer="https://id.example")), "--oidc-audience"),
        (Settings("data", access=Access(audience="resorb")), "--oidc-issuer"),
        (Settings("data", access=Access(issuer="id.example", audience="resorb")), "--oidc-issuer"),
        (Settings("data", access=Access(issuer="https://id.example", audience="r", jwks="nowhere.json")), "--oidc-jwks"),
        (Settings("data", hooks=Hooks(clients={"https://ehr.example": "nowhere.json"})), "--cds-client"),
        (Settings("data", jobs=0), "--jobs"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, says):
    with pytest.raises(UserError, match=says):
        checked(settings)


def test_a_database_that_is_not_there_is_told_with_its_reason_and_without_its_password(tmp_path):
    pytest.importorskip("psycopg")
    with pytest.raises(ResorbError, match="--database: cannot be reached") as caught:
        prepare(Settings(str(tmp_path), database="postgresql://somebody:geheim@127.0.0.1:1/nothing"))
    assert "refused" in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_a_taken_port_is_told():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ResorbError, match="cannot be listened on"):
            _free("127.0.0.1", port)
    _free("127.0.0.1", port)


def test_the_names_a_service_answers_to():
    assert known_hosts(Settings("data")) == {"localhost", "127.0.0.1", "::1"}
    assert known_hosts(Settings("data", host="0.0.0.0", access=Access(token=SECRET))) == frozenset()
    named = Settings("data", url="https://scans.example/", access=Access(token=SECRET, hosts=("Other.example",)))
    assert {"scans.example", "other.example"} <= known_hosts(named)


def test_a_postgres_address_names_its_driver():
    assert Settings("d", database="postgresql://u@h/n").database_url == "postgresql+psycopg://u@h/n"
    assert Settings("d", database="postgres://u@h/n").database_url == "postgresql+psycopg://u@h/n"
    assert Settings("d").database_url.startswith("sqlite:///d")
