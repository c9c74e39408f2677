"""Signatures: published and captured examples, what clients do differently, and what must fail.

Vectors A1 and A2 are the worked examples of "Sign Requests" (developer.tuya.com), A3 and A4 use
their parameters with the old version. B* use a pair made up here. C1 was captured from
tuya-connector-python 0.1.2, C2 from tuya-connector-nodejs 2.1.2, C3 from tinytuya 1.20.0.
"""

import hashlib
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fleet.cloud.open.signing import Signed, digest, sign_fits, text_v1, texts_v2
from fleet.cloud.projects import Signing

Headers = dict[str, Any]  # to be handed on by name

A_ID, A_SECRET, A_T = "1KAD46OrT9HafiKdsXeg", "4OHBOnWOqaEC1mWXOpVL3yV50s0qGSRC", "1588925778000"
A_NONCE, A_TOKEN = "5138cc3a9033d69856923fd07b491173", "3f4eda2bdec17232f67c0b188af3eec1"
A_SIGNED: Headers = {
    "signature-headers": "area_id:call_id",
    "area_id": "29a33e8796834b1efa6",
    "call_id": "8afdb70ab2ed11eb85290242ac130003",
}
B_ID, B_SECRET, B_T = "tuyasim0client0id000", "0123456789abcdef0123456789abcdef", "1700000000000"
B_TOKEN = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
SPACED = b'{"commands": [{"code": "switch_1", "value": true}]}'
DENSE = b'{"commands":[{"code":"switch_1","value":true}]}'
TYPED: Headers = {"signature-headers": "Content-type", "content-type": "application/json"}
UNBIND = "/v1.0/cloud/thing/devices/bf01/unbind"


def signed(method: str, target: str, body: bytes = b"", /, **headers: str) -> Signed:
    """Return a request of pair B; a header `token` is what is signed as the token."""
    path, _, query = target.partition("?")
    token = headers.pop("token", "")
    told = {"client_id": B_ID, "t": B_T, "sign_method": "HMAC-SHA256", **headers}
    return Signed(method, path, query, told, body, token)


def of_a(method: str, target: str, **headers: str) -> Signed:
    """Return a request of pair A, with nonce and signed headers."""
    return signed(method, target, client_id=A_ID, t=A_T, nonce=A_NONCE, **A_SIGNED, **headers)


def fits(
    request: Signed, sign: str, secret: str = B_SECRET, signing: str = "v2", **how: Any
) -> bool:
    """Tell whether `sign` is accepted for the request."""
    headers = {**request.headers, "sign": sign}
    return sign_fits(msgspec.structs.replace(request, headers=headers), secret, signing, **how)


def business(method: str, target: str, body: bytes = b"", **headers: str) -> Signed:
    return signed(method, target, body, token=B_TOKEN, **headers)


TOKEN = "/v1.0/token?grant_type=1"
VECTORS: dict[str, tuple[Signed, str, str]] = {
    "A1": (
        of_a("GET", TOKEN),
        "9E48A3E93B302EEECC803C7241985D0A34EB944F40FB573C7B5C2A82158AF13E",
        A_SECRET,
    ),
    "A2": (
        of_a("GET", "/v2.0/apps/schema/users?page_no=1&page_size=50", token=A_TOKEN),
        "AE4481C692AA80B25F3A7E12C3A5FD9BBF6251539DD78E565A1A72A508A88784",
        A_SECRET,
    ),
    "B1": (
        signed("GET", TOKEN),
        "F8E663B65C03B014F46E19DFBBD627D8EBF404E285955F0DF3A04BCE3279D306",
        B_SECRET,
    ),
    "B2": (
        signed("GET", TOKEN, nonce=A_NONCE),
        "3B6A7197A9DD4BC3E0C3BBB12E47967EF9062253DAA62BB99FE1EBBBD70397B7",
        B_SECRET,
    ),
    "B3": (
        signed("GET", "/v1.0/token/f9e8d7c6b5a4938271605f4e3d2c1b0a"),
        "ACDE9B11EC5471CE79B23B02B6566B48396DD5912D5ECE2972C41E87C1BD8B39",
        B_SECRET,
    ),
    "B4": (
        business("GET", "/v1.0/devices/bf0000000000000001abcd"),
        "FF45488FF940B4D04567B67E0555F3254A846C88799DD0B3AB912687771EF91B",
        B_SECRET,
    ),
    "B5": (
        business("GET", "/v1.0/devices?page_size=20&device_ids=bf01%2Cbf02&page_no=1"),
        "46EF6C7757B860742DAC929CF3F957AC3799AC6E2339D8D976914C01C84B73D6",
        B_SECRET,
    ),
    "B6": (
        business("POST", "/v1.0/devices/bf01/commands", SPACED),
        "84CD2A759951A47E423B092B292484DCFA1778C4A1463CB4D1C257403C12AF68",
        B_SECRET,
    ),
    "B7": (
        business("POST", "/v1.0/devices/bf01/commands", DENSE),
        "EE9C60B37936C20856E2BEE01620D251C42F8F6EADB82E339804D65F95F12739",
        B_SECRET,
    ),
    "B8": (
        business("POST", "/v1.0/iot-03/devices/bf01/commands", SPACED, **TYPED),
        "AC63200F059426DDF0A6BCFBE1993CB8C9C8F7F0B8777FB926D5C46F9341BC87",
        B_SECRET,
    ),
    "B9": (
        business("POST", UNBIND),
        "AF5BDC30AB5FF8DA3DB04875EE939D2C5A378D45AFCBB23775A5437024455AA7",
        B_SECRET,
    ),
    "B9, as the Python connectors send it": (
        business("POST", UNBIND, b"{}"),
        "AF5BDC30AB5FF8DA3DB04875EE939D2C5A378D45AFCBB23775A5437024455AA7",
        B_SECRET,
    ),
    "B10": (
        business("POST", UNBIND, b"{}"),
        "1C0B5C16541543A5395379F9F2B26BE1EFD98AF8FE6DC533C37DA6C31520DD58",
        B_SECRET,
    ),
    "B11": (
        business("DELETE", "/v1.0/devices/bf01"),
        "6938E915C8439DA49463BAA4A44C4CAFC7FC00E1925DA5E92BBC5F1047937DFC",
        B_SECRET,
    ),
    "C1": (
        signed("GET", TOKEN, t="1795258908011"),
        "166636357B254CE3FFE5F58611F559DB2ACD22396F3455B4DF81B803A2E7FFC0",
        B_SECRET,
    ),
    "C2": (
        business("GET", "/v1.0/iot-03/devices/bf01", b"{}", t="1795258909583"),
        "35FC85A2F1AC5C21632853F0EAEBEB6AC945A7DB282C8EECEA4366BCC936029B",
        B_SECRET,
    ),
    "C3": (
        business("POST", "/v1.0/iot-03/devices/bf01/commands", SPACED, t="1795258909322", **TYPED),
        "532A3D7CC496950B3ED6F163F25263EB9338683AF7CC78D1AB9EC144F5E3E471",
        B_SECRET,
    ),
}
OLD_VECTORS = {
    "A3": (
        signed("GET", TOKEN, client_id=A_ID, t=A_T),
        "CEAAFB5CCDC2F723A9FD3E91D3D2238EE0DD9A6D7C3C365DEB50FC2AF277AA83",
        A_SECRET,
    ),
    "A4": (
        signed("GET", "/v1.0/devices/bf01", client_id=A_ID, t=A_T, token=A_TOKEN),
        "36C30E300F226B68ADD014DD1EF56A81EDB7B7A817840485769B9D6C96D0FAA1",
        A_SECRET,
    ),
    "B12 token": (
        signed("GET", TOKEN),
        "94F934EC12CE181CF36225BB6F16E58BCDD697B4D55E6FC0067D5DA9F71698CB",
        B_SECRET,
    ),
    "B12 business": (
        business("GET", "/v1.0/devices/bf01"),
        "0C2C96048391DE6EC90EDA02A6BDD2501135F5F9589C6E9B233BB1CB60ECEB96",
        B_SECRET,
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_vectors_of_version_2(name: str) -> None:
    request, sign, secret = VECTORS[name]
    assert fits(request, sign, secret)
    assert fits(request, sign, secret, "both")
    assert not fits(request, sign, secret, "v1")
    assert not fits(request, sign.lower(), secret)
    assert not fits(request, sign, secret + "0")


@pytest.mark.parametrize("name", OLD_VECTORS)
def test_vectors_of_version_1(name: str) -> None:
    request, sign, secret = OLD_VECTORS[name]
    assert fits(request, sign, secret, "v1")
    assert fits(request, sign, secret, "both")
    assert not fits(request, sign, secret, "v2")
    assert digest(secret, text_v1(request)) == sign


def test_version_1_covers_nothing_else() -> None:
    request, sign, secret = OLD_VECTORS["B12 business"]
    other = msgspec.structs.replace(request, method="DELETE", path="/v1.0/devices/x", body=b"{}")
    assert fits(other, sign, secret, "v1")


# --- what clients do differently ----------------------------------------------------------------


def test_the_java_connector_joins_signed_headers_without_a_last_newline() -> None:
    headers: Headers = {"signature-headers": "area_id:call_id", "area_id": "1", "call_id": "2"}
    request = business("GET", "/v1.0/devices/bf01", **headers)
    text = f"{B_ID}{B_TOKEN}{B_T}GET\n{hashlib.sha256(b'').hexdigest()}\n"
    java = digest(B_SECRET, f"{text}area_id:1\ncall_id:2\n/v1.0/devices/bf01".encode())
    assert fits(request, java)
    assert not fits(request, java, joined_headers=False)
    page = digest(B_SECRET, f"{text}area_id:1\ncall_id:2\n\n/v1.0/devices/bf01".encode())
    assert fits(request, page, joined_headers=False)


def test_names_in_the_text_are_spelled_as_in_signature_headers() -> None:
    headers: Headers = {"signature-headers": "Area-ID", "area-id": "7"}
    request = business("GET", "/v1.0/x", **headers)
    text = next(texts_v2(request))
    assert b"\nArea-ID:7\n\n/v1.0/x" in text


def test_signature_headers_may_be_empty_or_name_what_is_not_there() -> None:
    empty: Headers = {"signature-headers": ""}
    gone: Headers = {"signature-headers": "gone"}
    assert list(texts_v2(business("GET", "/x", **empty))) == list(texts_v2(business("GET", "/x")))
    assert b"\ngone:\n\n/x" in next(texts_v2(business("GET", "/x", **gone)))


def test_the_node_connector_lists_with_brackets() -> None:
    request = business("GET", "/v1.0/iot-03/devices?device_ids%5B0%5D=a&device_ids%5B1%5D=b")
    assert next(texts_v2(request)).endswith(b"?device_ids[0]=a&device_ids[1]=b")


def test_a_form_is_not_signed() -> None:
    form: Headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    (text,) = texts_v2(business("POST", "/x", b"a=b", **form))
    assert hashlib.sha256(b"").hexdigest().encode() in text


def test_only_an_empty_object_may_be_signed_as_no_body() -> None:
    assert len(list(texts_v2(business("POST", "/x", b"{}")))) == 2
    for body in (b"", b"{ }", b"[]", b"null"):
        assert len(list(texts_v2(business("POST", "/x", body)))) == 1


def test_a_path_is_signed_as_written_or_as_sent() -> None:
    texts = list(texts_v2(business("GET", "/v1.0/apps/a%20b/users")))
    assert [text.rpartition(b"\n")[2] for text in texts] == [
        b"/v1.0/apps/a b/users",
        b"/v1.0/apps/a%20b/users",
    ]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", b""),
        ("b=2&a=1", b"?a=1&b=2"),
        ("a=%E4%B8%AD+x%2By", "?a=中 x+y".encode()),
        ("flag&a=", b"?a=&flag"),
        ("a=2&a=1", b"?a=2&a=1"),
        ("B=1&a=2", b"?B=1&a=2"),
        ("a=1=2&&b=3", b"?a=1=2&b=3"),
        ("a=%FF", b"?a=\xff"),
    ],
)
def test_queries_are_sorted_by_key_and_decoded(query: str, text: bytes) -> None:
    assert next(texts_v2(business("GET", f"/x?{query}"))).endswith(b"\n/x" + text)


def test_the_method_of_signing_must_be_named() -> None:
    request, sign, _ = VECTORS["B4"]
    for name in ("", "hmac-sha256", "MD5"):
        assert not fits(
            msgspec.structs.replace(request, headers={**request.headers, "sign_method": name}), sign
        )


def test_requests_do_not_show_what_they_carry() -> None:
    assert repr(business("GET", "/x?secret=1")) == "Signed(GET /x)"


def test_signings_are_those_of_projects() -> None:
    assert {signing.value for signing in Signing} == {"v1", "v2", "both"}


# --- properties ---------------------------------------------------------------------------------

LATIN = st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f")
names = st.text("abcxyz_", min_size=1, max_size=6)
values = st.text("abc019,~ %25é", max_size=8)


def one(request: Signed) -> str:
    return digest(B_SECRET, next(texts_v2(request)))


@given(st.lists(st.tuples(names, values), unique_by=lambda pair: pair[0], max_size=5), st.randoms())
def test_the_order_of_the_query_does_not_matter(pairs: list[tuple[str, str]], shuffle: Any) -> None:
    shuffled = list(pairs)
    shuffle.shuffle(shuffled)
    first, second = (
        business("GET", "/x?" + "&".join(f"{k}={v.replace('%', '%25')}" for k, v in some))
        for some in (pairs, shuffled)
    )
    assert fits(second, one(first))


AREA: Headers = {"nonce": "n0nce", "signature-headers": "area_id", "area_id": "7"}
REQUEST = business("POST", "/v1.0/devices/bf01/commands?a=1&b=2", SPACED, **AREA)
SIGN = one(REQUEST)
COVERED = ("client_id", "t", "nonce", "area_id", "signature-headers")


def changed(text: str, place: int, letter: str) -> str:
    place %= len(text)
    assume(text[place] != letter)
    return text[:place] + letter + text[place + 1 :]


@given(st.sampled_from(["method", "path", "query", "token", *COVERED]), st.integers(0), LATIN)
def test_a_changed_character_anywhere_is_refused(field: str, place: int, letter: str) -> None:
    assert fits(REQUEST, SIGN)
    if field in COVERED:
        headers = dict(REQUEST.headers)
        headers[field] = changed(headers[field], place, letter)
        other = msgspec.structs.replace(REQUEST, headers=headers)
        # A colon more or less among the names of signed headers names the same headers.
        assume(list(texts_v2(other)) != list(texts_v2(REQUEST)))
    else:
        other = msgspec.structs.replace(
            REQUEST, **{field: changed(getattr(REQUEST, field), place, letter)}
        )
    assert not fits(other, SIGN)


@given(st.integers(0, len(SPACED) - 1), st.integers(0, 255))
def test_a_changed_byte_of_the_body_is_refused(place: int, byte: int) -> None:
    assume(SPACED[place] != byte)
    body = SPACED[:place] + bytes([byte]) + SPACED[place + 1 :]
    assert not fits(msgspec.structs.replace(REQUEST, body=body), SIGN)


@given(st.integers(0), st.sampled_from("0123456789ABCDEFabcdef \u0130\udc80"))
def test_a_changed_character_of_the_signature_is_refused(place: int, letter: str) -> None:
    assert not fits(REQUEST, changed(SIGN, place, letter))


@given(st.text(), st.text(), st.dictionaries(st.sampled_from([*COVERED, "sign"]), st.text()))
def test_nothing_that_arrives_breaks_it(path: str, query: str, headers: dict[str, str]) -> None:
    told = {**REQUEST.headers, **headers}
    request = Signed("GET", path, query, told, b"", "")
    assert not sign_fits(request, B_SECRET, "both")


def test_the_comparison_takes_the_same_time_wherever_texts_differ(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every form is compared, by the function that does not stop at the first difference."""
    compared: list[tuple[str, str]] = []

    def note(given: str, wanted: str) -> bool:
        compared.append((given, wanted))
        return given == wanted

    monkeypatch.setattr("fleet.cloud.open.signing.secret_fits", note)
    request, sign, _ = VECTORS["B9, as the Python connectors send it"]
    assert fits(request, sign, signing="both")
    assert len(compared) == 3
    assert {given for given, _ in compared} == {sign}
