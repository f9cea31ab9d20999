"""Accounts named by a claim of a verified token, behind Envoy's own JWT filter."""

import base64
import hashlib
import hmac
import json
import re
import time

import client
import envoy
import pytest
import yaml

SECRET = b"a symmetric key that only this test knows"
JWT_AUTHN = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"
PLUGIN = {"accounts": [{"jwt_claim": ["jwt_payload", "sub"]}]}


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(subject, serial, key=SECRET):
    """A token of a subject; `serial` makes each one different, as refreshed tokens are."""
    claims = {"iss": "test", "sub": subject, "jti": str(serial), "exp": int(time.time()) + 600}
    signed = ".".join(base64url(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{signed}.{base64url(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"


@pytest.fixture
def proxy(start, tmp_path):
    """The static deployment with the JWT filter before the module."""
    config = yaml.safe_load(envoy.TEMPLATES["static"].read_text())
    keys = {"keys": [{"kty": "oct", "alg": "HS256", "k": base64url(SECRET)}]}
    provider = {"issuer": "test", "payload_in_metadata": "jwt_payload", "forward": True,
                "local_jwks": {"inline_string": json.dumps(keys)}}
    rules = [{"match": {"prefix": "/"}, "requires": {"provider_name": "test"}}]
    jwt = {"name": "envoy.filters.http.jwt_authn",
           "typed_config": {"@type": JWT_AUTHN, "providers": {"test": provider}, "rules": rules}}
    (listener,) = config["static_resources"]["listeners"]
    listener["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"].insert(0, jwt)
    template = tmp_path / "envoy.yaml"
    template.write_text(yaml.safe_dump(config))
    return start(str(template), plugin=PLUGIN)


def case(proxy, bearer):
    """The account's digest, as the verdict in the access log tells it."""
    before = len(proxy.access_log())
    response = client.post(proxy.port, body=client.chat(), headers=[("authorization", f"Bearer {bearer}")])
    label = proxy.access_log(before + 1)[-1]["azeotrope"]
    return response.status, re.search(r"case=[^,]+", label or "")


def test_refreshed_tokens_of_one_subject_are_one_account(proxy):
    answers = [case(proxy, token(subject, serial)) for serial, subject in enumerate(["ann", "ann", "bob", "ann"])]
    assert [status for status, _ in answers] == [200] * 4
    first, second, other, third = [found[0] for _, found in answers]
    assert first == second == third != other


def test_a_token_that_is_not_verified_names_nobody(proxy):
    status, found = case(proxy, token("ann", 1, key=b"another key"))
    assert (status, found) == (401, None)
