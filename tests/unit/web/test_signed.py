"""Signed tokens: of hooks (CDS Hooks 2.0, chapter on trust) and of people (OpenID Connect)."""

import base64
import hmac
import json
import time
import uuid

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from resorb.web.settings import Access, Hooks

from . import hooks
from .serving import serving

VIEW = "/cds-services/resorb-patient-view"
ISSUER = "https://ehr.example"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """A key pair of each kind, and the file of the public halves."""
    made = {"ES384": ECKey.generate_key("P-384", {"kid": "ec"}), "RS384": RSAKey.generate_key(2048, {"kid": "rsa"})}
    path = tmp_path_factory.mktemp("keys") / "jwks.json"
    path.write_text(json.dumps({"keys": [k.as_dict(private=False) for k in made.values()]}))
    return made, path


@pytest.fixture(scope="module")
def signed(keys, tmp_path_factory):
    with serving(tmp_path_factory.mktemp("signed"), hooks=Hooks(clients={ISSUER: str(keys[1])})) as running:
        yield running


def token(running, keys, alg="ES384", path=VIEW, headers=None, **claims):
    now = int(time.time())
    told = {"iss": ISSUER, "aud": running.url + path, "exp": now + 300, "iat": now, "jti": str(uuid.uuid4())} | claims
    header = {"alg": alg, "typ": "JWT", "kid": {"ES384": "ec", "RS384": "rsa"}.get(alg, "ec")} | (headers or {})
    return jwt.encode(header, {k: v for k, v in told.items() if v is not None}, keys[0][alg], algorithms=[alg])


def plain(told):
    return base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()


def ask(running, shown):
    return running.client.post(VIEW, json=hooks.call(*hooks.CPPD), headers={"Authorization": f"Bearer {shown}"})


@pytest.mark.parametrize("alg", ["ES384", "RS384"])
def test_a_signed_call_is_answered(signed, keys, alg):
    assert ask(signed, token(signed, keys, alg)).json()["cards"]


def test_discovery_takes_the_token_too(signed, keys):
    assert signed.client.get("/cds-services").status_code == 401
    shown = token(signed, keys, path="/cds-services")
    assert signed.client.get("/cds-services", headers={"Authorization": f"Bearer {shown}"}).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example"},
        {"iss": None},
        {"aud": "https://elsewhere.example/cds-services/resorb-patient-view"},
        {"aud": None},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"iat": None},
        {"jti": None},
        {"nbf": 4_000_000_000},
    ],
)
def test_a_claim_that_does_not_fit_is_refused(signed, keys, claims):
    answered = ask(signed, token(signed, keys, **claims))
    assert answered.status_code == 401
    assert answered.json()["resourceType"] == "OperationOutcome"
    (name,) = claims
    expected = {"exp": "expired" if claims[name] else "claim exp", "iss": "unknown issuer", "nbf": "not valid yet"}
    assert expected.get(name, f"claim {name}") in answered.json()["issue"][0]["diagnostics"]


def test_a_token_works_once(signed, keys):
    shown = token(signed, keys)
    assert ask(signed, shown).status_code == 200
    assert ask(signed, shown).status_code == 401


def test_another_key_hmac_and_none_are_refused(signed, keys):
    other = {"ES384": ECKey.generate_key("P-384", {"kid": "ec"})}
    assert ask(signed, token(signed, (other, None))).status_code == 401
    now = int(time.time())
    told = {"iss": ISSUER, "aud": signed.url + VIEW, "exp": now + 300, "iat": now, "jti": "1"}
    public = keys[0]["RS384"].as_pem(private=False)
    unsigned = f"{plain({'alg': 'HS256', 'kid': 'rsa'})}.{plain(told)}"
    forged = base64.urlsafe_b64encode(hmac.digest(public, unsigned.encode(), "sha256")).rstrip(b"=").decode()
    assert ask(signed, f"{unsigned}.{forged}").status_code == 401, "a public key is no secret"
    head, body, _ = token(signed, keys).split(".")
    none = "eyJhbGciOiJub25lIn0"
    assert ask(signed, f"{none}.{body}.").status_code == 401
    assert ask(signed, f"{head}.{body}.AAAA").status_code == 401
    for nonsense in ("-", "x", "a.b.c", "." * 20_000):
        assert ask(signed, nonsense).status_code == 401


def test_people_sign_in_with_openid(keys, tmp_path):
    access = Access(issuer="https://id.example", audience="resorb", jwks=str(keys[1]))
    with serving(tmp_path, access=access) as running:
        path = "/api/v1/evidence/kinds"
        assert running.client.get(path).status_code == 401
        for claims, status in (({}, 200), ({"aud": "other"}, 401), ({"iss": "https://evil.example"}, 401), ({"exp": 1}, 401)):
            told = {"iss": "https://id.example", "aud": "resorb", "sub": "dr-who"} | claims
            shown = token(running, keys, "RS384", **told)
            assert running.client.get(path, headers={"Authorization": f"Bearer {shown}"}).status_code == status, claims
        assert '"who": "oidc:dr-who"' in running.log.getvalue()
