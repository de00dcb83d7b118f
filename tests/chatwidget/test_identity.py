"""Identities that the host signed."""

from __future__ import annotations

import base64
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from chatwidget.identity import Identity, InvalidIdentity, read_identity

SECRET = "an-identity-secret-of-the-tests-0123456789"
AUDIENCE = "demo"


def claims(**changes):
    wanted = {"sub": "vera-7", "aud": AUDIENCE, "exp": int(time.time()) + 600, **changes}
    return {name: value for name, value in wanted.items() if value is not ...}


def signed(*, secret=SECRET, algorithm="HS256", headers=None, **changes):
    return jwt.encode(claims(**changes), secret, algorithm=algorithm, headers=headers)


def by_hand(header, payload, secret=SECRET):
    """A token that PyJWT would not write: HS256 over any header and any bytes."""

    def part(data):
        raw = data if isinstance(data, bytes) else json.dumps(data).encode()
        return base64.urlsafe_b64encode(raw).rstrip(b"=")

    message = part(header) + b"." + part(payload)
    signature = jwt.get_algorithm_by_name("HS256").sign(message, secret.encode())
    return (message + b"." + part(signature)).decode()


def read(text, *, secret=SECRET, audience=AUDIENCE):
    return read_identity(text, secret=secret, audience=audience)


def test_a_signed_identity_names_its_person():
    text = signed(name="Vera\n Visitor", email="vera@shop.example", admin=True)
    assert read(text) == Identity(
        external_id="jwt:vera-7", name="Vera Visitor", email="vera@shop.example"
    )


def test_claims_of_a_wrong_type_are_left_out():
    assert read(signed(name=["Vera"], email=7)) == Identity(external_id="jwt:vera-7")


@pytest.mark.parametrize("offset", [3600, 3650])
def test_an_hour_with_a_minute_of_leeway_is_the_longest_life(offset):
    assert read(signed(exp=int(time.time()) + offset))


def test_clocks_may_differ_by_a_minute():
    now = int(time.time())
    assert read(signed(exp=now - 50))
    assert read(signed(iat=now + 50, nbf=now + 50))


class Later:
    """A time that counts from when the test runs, not from when it was collected."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __repr__(self):
        return f"now{self.seconds:+}"


def resolved(value):
    if isinstance(value, Later):
        return int(time.time()) + value.seconds
    return [resolved(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": ...},
        {"aud": ...},
        {"sub": ...},
        {"exp": None},
        {"exp": "soon"},
        {"exp": 1},
        {"exp": Later(-70)},
        {"exp": Later(3600 * 2)},
        {"exp": Later(3600 * 24 * 3650)},
        {"exp": 10**400},
        {"exp": [Later(600)]},
        {"aud": "another"},
        {"aud": ["demo"]},
        {"aud": ["another", "demo"]},
        {"aud": ""},
        {"aud": 7},
        {"sub": ""},
        {"sub": "  "},
        {"sub": 7},
        {"sub": None},
        {"sub": ["vera-7"]},
        {"sub": {"id": 7}},
        {"sub": True},
        {"sub": "x" * 251},
        {"sub": "a\x00b"},
        {"iat": Later(600)},
        {"nbf": Later(600)},
        {"iat": "yesterday"},
    ],
    ids=str,
)
def test_wrong_claims_are_refused(changes):
    # sub and aud of a wrong type are what PyJWT itself would not sign.
    with pytest.raises(InvalidIdentity):
        wrong = {name: resolved(value) for name, value in changes.items()}
        read(by_hand({"alg": "HS256", "typ": "JWT"}, claims(**wrong)))


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_is_refused_though_the_secret_is_right(algorithm):
    with pytest.raises(InvalidIdentity):
        read(signed(secret=SECRET * 2, algorithm=algorithm), secret=SECRET * 2)


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", "", None, 5, ["HS256"]])
def test_an_unsigned_identity_is_refused(name):
    text = by_hand({"alg": name, "typ": "JWT"}, claims())
    unsigned = text.rpartition(".")[0] + "."
    for wanted in (text, unsigned):
        with pytest.raises(InvalidIdentity):
            read(wanted)


def test_a_key_pair_is_no_secret():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(InvalidIdentity):
        read(signed(secret=key, algorithm="RS256"))


@pytest.mark.parametrize(
    "headers",
    [
        {"kid": "../../../../dev/null"},
        {"kid": "' UNION SELECT 'secret' --"},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"jwk": {"kty": "oct", "k": "c2VjcmV0"}},
    ],
)
def test_a_header_never_chooses_the_key(headers):
    with pytest.raises(InvalidIdentity):
        read(signed(secret="the-key-that-the-attacker-chose-0123456789", headers=headers))
    assert read(signed(headers=headers)).external_id == "jwt:vera-7"


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c",
        "ä.b.c",
        "\ud800",
        "x" * 8193,
        by_hand({"alg": "HS256"}, b"{"),
        by_hand({"alg": "HS256"}, b"[]"),
        by_hand({"alg": "HS256"}, b'"text"'),
        by_hand({"alg": "HS256"}, b"[" * 5000),
        by_hand(b"[]", claims()),
        by_hand(b"\xff", claims()),
    ],
    ids=lambda text: text[:12],
)
def test_rubbish_is_no_identity(text):
    with pytest.raises(InvalidIdentity):
        read(text)


def test_absurd_numbers_are_no_identity():
    with pytest.raises(InvalidIdentity):
        read(by_hand({"alg": "HS256"}, b'{"sub":"v","aud":"demo","exp":1e999}'))
    with pytest.raises(InvalidIdentity):
        read(by_hand({"alg": "HS256"}, b'{"sub":"v","aud":"demo","exp":NaN}'))
    with pytest.raises(InvalidIdentity):
        read(
            by_hand(
                {"alg": "HS256"}, b'{"sub":"\\ud800","aud":"demo","exp":%d}' % resolved(Later(60))
            )
        )


def test_a_widget_without_a_good_secret_knows_nobody():
    for weak in ("", "short", "x" * 31):
        with pytest.raises(InvalidIdentity):
            read(by_hand({"alg": "HS256"}, claims(), weak), secret=weak)


def test_the_secret_of_another_widget_opens_nothing():
    with pytest.raises(InvalidIdentity):
        read(signed(secret="the-secret-of-the-other-widget-0123456789"))


def test_no_flipped_bit_of_an_identity_goes_unnoticed():
    original = signed()
    for index, character in enumerate(original):
        changed = chr(ord(character) ^ 1)
        text = original[:index] + changed + original[index + 1 :]
        # The last character of a base64 part has bits that mean nothing; the claims stay whole.
        try:
            assert read(text).external_id == "jwt:vera-7"
        except InvalidIdentity:
            continue
        assert original[index + 1 : index + 2] in (".", "")
