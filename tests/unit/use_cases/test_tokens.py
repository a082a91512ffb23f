"""Only a token that the CRM's back end signed for Baton, HS256 and for ten minutes at most,
names an agent.
"""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from shared.browser.tokens import agent_of
from shared.errors import DoorClosed, Unauthenticated
from shared.schemas.http import Request

KEY, OTHER, OLD = "k" * 32, "o" * 32, "p" * 32
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
CLAIMS: dict[str, Any] = {"sub": "jane", "aud": "baton", "exp": SECONDS + 300}


def agent(token: str, scheme: str = "Bearer", keys: tuple[str, ...] = (KEY, OLD)) -> str:
    return agent_of(Request("POST", "/", headers={"authorization": f"{scheme} {token}"}), keys, NOW)


def signed(
    key: str = KEY, algorithm: str = "HS256", headers: dict[str, Any] | None = None, **claims: Any
) -> str:
    given = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not ...}
    return jwt.encode(given, key, algorithm=algorithm, headers=headers)


def unsigned(algorithm: str, signature: str = "") -> str:
    header, payload = {"typ": "JWT", "alg": algorithm}, CLAIMS
    parts = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in (header, payload)
    )
    return ".".join((*parts, signature))


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(signed(), id="plain"),
        pytest.param(signed(OLD), id="by a key that is being replaced"),
        pytest.param(signed(exp=SECONDS + 600), id="for ten minutes"),
        pytest.param(signed(exp=SECONDS - 20), id="just expired, by a clock that differs"),
        pytest.param(signed(aud=["crm", "baton"]), id="for Baton among others"),
        pytest.param(signed(iat=SECONDS + 20, nbf=SECONDS + 20), id="from a clock that is ahead"),
        pytest.param(signed(exp=SECONDS + 0.5), id="until half a second"),
    ],
)
def test_a_token_names_its_agent(token: str) -> None:
    assert agent(token) == "jane"
    assert agent(token, "bearer") == "jane"


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(signed(OTHER), id="forged"),
        pytest.param(signed()[:-2] + "xx", id="altered"),
        pytest.param(signed(exp=SECONDS - 31), id="expired"),
        pytest.param(signed(exp=SECONDS + 631), id="valid for too long"),
        pytest.param(signed(exp=2**70), id="valid for ever"),
        pytest.param(signed(exp=...), id="valid without end"),
        pytest.param(signed(exp="soon"), id="valid until a word"),
        pytest.param(signed(exp=True), id="valid until a truth"),
        pytest.param(signed(nbf=SECONDS + 60), id="not valid yet"),
        pytest.param(signed(nbf="soon"), id="valid from a word"),
        pytest.param(signed(aud="elsewhere"), id="for another audience"),
        pytest.param(signed(aud=...), id="for no audience"),
        pytest.param(signed(aud=["elsewhere"]), id="for other audiences"),
        pytest.param(signed(sub=...), id="of nobody"),
        pytest.param(signed(sub=""), id="of an empty name"),
        pytest.param(signed(sub="j" * 129), id="of a name without end"),
        pytest.param(signed(sub="jane\nsam"), id="of a name of two lines"),
        pytest.param(signed(KEY * 2, "HS512"), id="HS512 by another key"),
        pytest.param(unsigned("none"), id="alg none"),
        pytest.param(unsigned("None", "x"), id="alg None"),
        pytest.param(unsigned("nOnE"), id="alg nOnE"),
        pytest.param(unsigned("HS256"), id="no signature"),
        pytest.param(signed(headers={"crit": ["exp"]}), id="a critical header that nobody knows"),
        pytest.param("", id="nothing"),
        pytest.param("..", id="dots"),
        pytest.param(
            base64.urlsafe_b64encode(b"[" * 40_000).decode() + ".e30.e30", id="nested without end"
        ),
        pytest.param("\ud800.a.b", id="half a character"),
    ],
)  # fmt: skip
def test_any_other_credential_is_unauthenticated(token: str) -> None:
    with pytest.raises(Unauthenticated):
        agent(token)


def test_a_signature_of_a_key_pair_is_no_proof() -> None:
    pair: Any = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(Unauthenticated):
        agent(signed(pair, "RS256"))


@pytest.mark.filterwarnings("ignore:The HMAC key")
def test_the_same_key_under_a_longer_hash_is_no_token() -> None:
    with pytest.raises(Unauthenticated):
        agent(signed(KEY, "HS512"))


def test_a_public_key_among_the_keys_signs_nothing() -> None:
    pem = "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----"
    assert agent(signed(), keys=(pem, KEY)) == "jane"
    with pytest.raises(Unauthenticated):
        agent(signed(), keys=(pem,))


@pytest.mark.parametrize("scheme", ["Basic", "", "JWT", "Bearer Bearer"])
def test_only_a_bearer_is_heard(scheme: str) -> None:
    with pytest.raises(Unauthenticated):
        agent(signed(), scheme)


def test_without_keys_the_door_is_closed() -> None:
    with pytest.raises(DoorClosed):
        agent(signed(), keys=())


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*", fullmatch=True))
def test_rubbish_is_unauthenticated_and_nothing_else(token: str) -> None:
    with pytest.raises(Unauthenticated):
        agent(token)


@given(
    st.dictionaries(
        st.sampled_from(["sub", "aud", "exp", "nbf", "iat", "jti"]),
        st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.lists(st.text()),
    )
)
def test_signed_rubbish_names_no_other_conversation(claims: dict[str, Any]) -> None:
    try:
        token = jwt.encode(claims, KEY, algorithm="HS256")
    except (TypeError, ValueError):
        return
    with pytest.raises(Unauthenticated):
        agent(token)


def test_a_header_nested_without_end_is_no_token() -> None:
    header = base64.urlsafe_b64encode(
        b'{"alg": "HS256", "x": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    ).decode()
    request = Request("POST", "/", headers={"authorization": f"Bearer {header.rstrip('=')}.e30.eA"})
    with pytest.raises(Unauthenticated):
        agent_of(request, (KEY,), NOW)
