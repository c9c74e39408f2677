"""Pairs and codes as they are kept; the story of a token is told in tests of its calls."""

import msgspec
import pytest

from firmware_sim.rng import Rng
from fleet.cloud.ledger import Journal, nothing
from fleet.cloud.open.codes import OpenRefused
from fleet.cloud.open_tokens import OpenCode, OpenToken, OpenTokens
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.settings import Settings
from tests.cloud.support import START_MS as NOW

LIFE_MS = 7_200_000


def tokens(**choices: int) -> OpenTokens:
    settings = msgspec.structs.replace(Settings(), **choices)
    return OpenTokens(settings, nothing, Journal(), Rng(1).bytes)


def test_remaining_seconds_are_rounded_up_and_never_negative() -> None:
    pair = tokens().simple("a", "EU", NOW)
    assert [
        pair.remaining_s(NOW + ms) for ms in (0, 1, 1_000, LIFE_MS - 1, LIFE_MS, LIFE_MS + 1)
    ] == [
        7200,
        7200,
        7199,
        1,
        0,
        0,
    ]


def test_pairs_differ_by_project_and_centre() -> None:
    kept = tokens()
    pairs = [kept.simple(a, region, NOW) for a in ("a", "b") for region in ("EU", "AZ")]
    assert len({pair.access_token for pair in pairs}) == 4
    assert kept.holder("a", "EU", pairs[0].access_token, NOW) == ""
    for access_id, region in (("b", "EU"), ("a", "AZ")):
        with pytest.raises(OpenRefused, match="1010"):
            kept.holder(access_id, region, pairs[0].access_token, NOW)


def test_a_refresh_token_is_no_access_token() -> None:
    kept = tokens()
    pair = kept.simple("a", "EU", NOW)
    with pytest.raises(OpenRefused, match="1010"):
        kept.holder("a", "EU", pair.refresh_token, NOW)
    with pytest.raises(OpenRefused, match="1002"):
        kept.holder("a", "EU", "", NOW)


def test_who_let_whom_act() -> None:
    kept = tokens()
    for access_id in ("b", "a"):
        code = kept.consent(access_id, "uid0", NOW)
        assert kept.granted_by("uid0", NOW) == (["b"] if access_id == "a" else [])
        kept.redeem(access_id, "EU", code.code, NOW)
    again = kept.consent("a", "uid0", NOW)
    kept.redeem("a", "AZ", again.code, NOW)
    kept.simple("c", "EU", NOW)
    assert kept.granted_by("uid0", NOW + LIFE_MS - 1) == ["a", "b"]
    assert kept.granted_by("uid0", NOW + LIFE_MS) == []
    assert kept.granted_by("uid1", NOW) == []
    assert kept.granted_by("", NOW) == []


def test_consents_have_a_bound_and_what_has_ended_makes_room() -> None:
    kept = tokens(open_grants_max=2)
    kept.redeem("a", "EU", kept.consent("a", "uid0", NOW).code, NOW)
    kept.consent("a", "uid1", NOW)
    with pytest.raises(Refused, match=Reason.TOO_MANY):
        kept.consent("a", "uid2", NOW)
    late = NOW + 600_000  # the code has expired, the consent lasts
    assert kept.consent("a", "uid2", late).uid == "uid2"
    with pytest.raises(Refused, match=Reason.TOO_MANY):
        kept.consent("a", "uid3", late)
    assert kept.consent("a", "uid2", late).uid == "uid2"
    later = NOW + LIFE_MS
    kept.consent("a", "uid3", later)
    kept.consent("a", "uid4", later)
    with pytest.raises(Refused, match=Reason.TOO_MANY):
        kept.consent("a", "uid5", later)


def test_a_login_gives_the_pair_that_is_alive() -> None:
    kept = tokens()
    first = kept.log_in("a", "EU", "uid0", NOW)
    assert kept.holder("a", "EU", first.access_token, NOW) == "uid0"
    assert kept.granted_by("uid0", NOW) == []
    assert kept.log_in("a", "EU", "uid0", NOW + LIFE_MS - 1) == first
    later = NOW + 10 * LIFE_MS
    second = kept.refresh("a", "EU", first.refresh_token, later)
    assert second.expires_ms == later + LIFE_MS
    assert kept.log_in("a", "EU", "uid0", later) == second
    assert kept.log_in("a", "AZ", "uid0", later) != second
    with pytest.raises(OpenRefused, match="1107"):
        kept.associated("a", "EU", "uid0", later)  # it is no consent


def test_a_login_can_give_a_new_pair_each_time() -> None:
    kept = OpenTokens(Settings(open_token_same=False), nothing, Journal(), Rng(1).bytes)
    first = kept.log_in("a", "EU", "uid0", NOW)
    second = kept.log_in("a", "EU", "uid0", NOW)
    assert first.access_token != second.access_token
    with pytest.raises(OpenRefused, match="1010"):
        kept.holder("a", "EU", first.access_token, NOW)


def test_logins_that_are_over_make_room() -> None:
    kept = tokens(open_grants_max=2)
    gone = kept.log_in("a", "EU", "uid0", NOW)
    kept.log_in("a", "EU", "uid1", NOW + 1)
    with pytest.raises(Refused, match=Reason.TOO_MANY):
        kept.log_in("a", "EU", "uid2", NOW + LIFE_MS - 1)
    assert kept.log_in("a", "EU", "uid1", NOW + LIFE_MS - 1)
    assert kept.log_in("a", "EU", "uid2", NOW + LIFE_MS)
    with pytest.raises(OpenRefused, match="1010"):
        kept.refresh("a", "EU", gone.refresh_token, NOW + LIFE_MS)


def test_the_pairs_of_simple_mode_stay() -> None:
    kept = tokens(open_grants_max=2)
    pair = kept.simple("a", "EU", NOW)
    later = NOW + 10 * LIFE_MS
    kept.consent("a", "uid0", later)
    with pytest.raises(Refused, match=Reason.TOO_MANY):
        kept.consent("a", "uid1", later)
    assert kept.refresh("a", "EU", pair.refresh_token, later).uid == ""


def test_nothing_secret_is_shown() -> None:
    pair = OpenToken("a", "EU", "uid0", "hush", "hush", 1)
    assert repr(pair) == "OpenToken('a', 'EU', uid='uid0')"
    assert repr(OpenCode("a", "uid0", "hush", 1)) == "OpenCode('a', uid='uid0')"
