"""Data centres: by host, by prefix, by default; and who is cut off from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.errors import UsageError
from fleet.cloud.open.regions import (
    CENTRES,
    CODES,
    CutOff,
    Gazetteer,
    Place,
    check_network,
    code_of,
    in_networks,
    is_open_path,
    prefix_of,
    split_prefix,
    within,
)

PLAIN = Gazetteer("EU", ())
TOKEN = "/v1.0/token"


def test_every_centre_has_its_host_and_its_prefixes() -> None:
    assert CODES == ("AY", "AZ", "UE", "EU", "WE", "IN", "SG")
    for centre in CENTRES:
        assert PLAIN.locate(centre.host, TOKEN) == Place(centre.code, TOKEN)
        assert PLAIN.locate(f"{centre.host.upper()}:443", TOKEN).region == centre.code
        for prefix in centre.prefixes:
            assert PLAIN.locate("", f"/{prefix}{TOKEN}") == Place(centre.code, TOKEN)
    prefixes = [prefix for centre in CENTRES for prefix in centre.prefixes]
    assert len(set(prefixes)) == len(prefixes)


def test_any_other_address_is_the_default() -> None:
    for host in ("", "127.0.0.1:8080", "localhost", "[::1]:80", "openapi.tuyaeu.com.evil", ":::"):
        assert Gazetteer("IN", ()).locate(host, TOKEN) == Place("IN", TOKEN)


def test_the_prefix_wins_over_the_host() -> None:
    assert PLAIN.locate("openapi.tuyacn.com", f"/us{TOKEN}") == Place("AZ", TOKEN)


def test_further_hosts_with_and_without_port() -> None:
    own = Gazetteer("EU", ("AZ us.cloud.test", "IN 127.0.0.1:8081"))
    assert own.locate("US.cloud.test:80", TOKEN).region == "AZ"
    assert own.locate("127.0.0.1:8081", TOKEN).region == "IN"
    assert own.locate("127.0.0.1:8082", TOKEN).region == "EU"


@pytest.mark.parametrize("path", ["/v1.0/token", "/v2.0/cloud/thing/x", "/v1.1/", "/eu/v1.0/x"])
def test_paths_of_the_open_api(path: str) -> None:
    assert is_open_path(path)


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v2/url_config", "/console/v1.0", "/xx/v1.0/x"])
def test_paths_of_others(path: str) -> None:
    assert not is_open_path(path)


@given(st.text())
def test_any_path_can_be_split(path: str) -> None:
    prefix, rest = split_prefix(path)
    assert path == (f"/{prefix}{rest}" if prefix else rest)
    is_open_path(path)
    PLAIN.locate(path, path)


@pytest.mark.parametrize(
    ("target", "there"),
    [
        ("/v1.0/token?grant_type=1", "/us/v1.0/token?grant_type=1"),
        ("/ws/v2/consumer/persistent/x", "/us/ws/v2/consumer/persistent/x"),
        ("//ws/v2/consumer/persistent/x", "/us//ws/v2/consumer/persistent/x"),
        ("/eu/v1.0/token", "/eu/v1.0/token"),
        ("/in/ws/v2/consumer", "/in/ws/v2/consumer"),
        ("/console/v1/login", "/console/v1/login"),
        ("/d.json?a=/v1.0/x", "/d.json?a=/v1.0/x"),
        ("*", "*"),
        ("", ""),
    ],
)
def test_what_comes_in_at_the_port_of_a_centre(target: str, there: str) -> None:
    assert within("AZ", target) == there


def test_a_centre_has_several_names() -> None:
    assert {code_of(prefix) for centre in CENTRES for prefix in centre.prefixes} == {*CODES}
    assert [code_of(prefix_of(code)) for code in CODES] == [code_of(code) for code in CODES]
    with pytest.raises(UsageError, match="'moon' is no data centre: choose one of AY, AZ"):
        code_of("moon")


def test_networks_that_are_cut_off() -> None:
    cut = CutOff(("EU 192.0.2.0/24", "EU 2001:db8::/32", "AZ 198.51.100.1"))
    assert cut.applies("EU", "192.0.2.9")
    assert cut.applies("EU", "2001:db8::5")
    assert cut.applies("AZ", "198.51.100.1")
    assert not cut.applies("AZ", "192.0.2.9")
    assert not cut.applies("EU", "198.51.100.1")
    assert not cut.applies("EU", "")
    assert not CutOff(()).applies("EU", "192.0.2.9")


def test_what_is_no_address_is_in_no_network() -> None:
    assert not in_networks("nonsense", ("0.0.0.0/0",))
    assert in_networks("::ffff:10.1.2.3", ("10.0.0.0/8",))
    assert in_networks("10.1.2.3", ("192.0.2.1", "10.0.0.0/8"))


def test_mistakes_of_the_operator_are_named() -> None:
    with pytest.raises(UsageError, match="'XX' is no data centre"):
        Gazetteer("EU", ("XX host",))
    with pytest.raises(UsageError, match="'XX' is no data centre"):
        CutOff(("XX 10.0.0.0/8",))
    with pytest.raises(UsageError, match="neither an address nor a network"):
        CutOff(("EU ten",))
    with pytest.raises(UsageError, match="/99"):
        check_network("10.0.0.0/99")
    check_network("10.0.0.1/8")
