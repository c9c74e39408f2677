"""Credentials of programs: how long they live, whose they are, and how many there can be."""

import re

import msgspec
import pytest

from firmware_sim.rng import Rng
from fleet.cloud.app_links import AppLink, AppLinks
from fleet.cloud.projects import Project
from fleet.cloud.reasons import Reason, Refused
from fleet.cloud.settings import Settings
from tests.cloud.support import START_MS as NOW

PROJECT = Project("key", "s" * 32, "maker", "own")
LIFE_MS = 7_200_000


def made(**choices: int) -> AppLinks:
    return AppLinks(msgspec.structs.replace(Settings(), **choices), Rng(1).bytes)


def opened(links: AppLinks, uid: str = "uid0", link_id: str = "one", now_ms: int = NOW) -> AppLink:
    return links.open(PROJECT, "EU", uid, link_id, "1.0", now_ms)


def test_names_have_the_form_of_the_vendors() -> None:
    link = opened(made())
    for text, begin in ((link.client_id, "cloud_"), (link.username, "cloud_")):
        assert re.fullmatch(f"{begin}[0-9a-f]{{32}}", text)
    assert re.fullmatch("cloud/token/in/[0-9a-f]{32}", link.topic)
    assert re.fullmatch("[0-9a-f]{32}", link.password)
    assert link.remaining_s(NOW) == 7_200


def test_the_user_name_is_the_users_and_the_rest_the_programs() -> None:
    links = made()
    one, two, other = opened(links), opened(links, link_id="two"), opened(links, "uid1")
    assert one.username == two.username != other.username
    for name in ("client_id", "topic", "password"):
        assert len({getattr(link, name) for link in (one, two, other)}) == 3
    again = opened(made())
    assert (again.client_id, again.username) == (one.client_id, one.username)
    elsewhere = msgspec.structs.replace(PROJECT, secret="t" * 32)
    assert made().open(elsewhere, "EU", "uid0", "one", "1.0", NOW).client_id != one.client_id


def test_a_broker_may_want_a_user_name_for_each_program() -> None:
    links = made()
    links.own_names = True
    one, two = opened(links), opened(links, link_id="two")
    assert (one.username, two.username) == (one.client_id, two.client_id)
    assert links.by_client(two.client_id) == two
    assert links.by_client("cloud_nobody") is None


def test_the_password_stays_while_it_lives_and_life_is_prolonged_in_its_second_half() -> None:
    links = made()
    first = opened(links)
    half = NOW + LIFE_MS // 2
    assert opened(links, now_ms=half).remaining_s(half) == 3_600
    later = opened(links, now_ms=half + 1)
    assert (later.password, later.expires_ms) == (first.password, half + 1 + LIFE_MS)
    assert later.remaining_s(later.expires_ms + 5) == 0
    new = opened(links, now_ms=later.expires_ms)
    assert new.password != first.password
    assert new.client_id == first.client_id


def test_another_encryption_is_a_wish_at_any_time() -> None:
    links = made()
    first = opened(links)
    second = links.open(PROJECT, "EU", "uid0", "one", "2.0", NOW + 1)
    assert second == msgspec.structs.replace(first, version="2.0")
    assert links.of_user("uid0") == [second]


def test_who_is_let_in() -> None:
    links = made()
    link = opened(links)
    good = (link.client_id, link.username, link.password.encode())
    assert links.admit(*good, NOW) == 0
    assert links.admit(*good, link.expires_ms) == 5
    for client_id, username, password in (
        ("cloud_nobody", *good[1:]),
        (good[0], "cloud_other", good[2]),
        (good[0], good[1], b"wrong"),
        (good[0], good[1], b"\xff\xfe"),
        (good[0], good[1], b""),
    ):
        assert links.admit(client_id, username, password, NOW) == 5
    links.forget(link)
    assert links.admit(*good, NOW) == 5


def test_a_program_hears_its_own_topic_only() -> None:
    links = made()
    link, other = opened(links), opened(links, link_id="two")
    assert links.may_subscribe(link.client_id, link.username, link.topic)
    assert not links.may_subscribe(link.client_id, link.username, other.topic)
    assert not links.may_subscribe("cloud_nobody", "", link.topic)


def test_those_that_are_over_are_told_in_order() -> None:
    assert made().next_end_ms is None
    links = made()
    first, second = opened(links), opened(links, link_id="two", now_ms=NOW + 5)
    assert links.next_end_ms == first.expires_ms
    assert links.over(first.expires_ms - 1) == []
    prolonged = opened(links, now_ms=NOW + LIFE_MS // 2 + 1)
    assert links.next_end_ms == second.expires_ms
    assert links.over(prolonged.expires_ms) == [second, prolonged]
    for link in (second, prolonged):
        links.forget(link)
    assert (len(links), links.of_user("uid0")) == (0, [])
    ended = links.next_end_ms
    assert ended is None


def test_of_one_user_the_oldest_are_too_many() -> None:
    links = made(open_mqtt_links_per_user_max=2)
    found = [opened(links, link_id=f"{number}", now_ms=NOW + number) for number in range(3)]
    opened(links, "uid1")
    assert links.surplus("uid0") == found[:1]
    links.forget(found[0])
    assert links.surplus("uid0") == links.surplus("uid1") == links.surplus("uid2") == []


def test_all_together_have_a_bound() -> None:
    links = made(open_mqtt_links_max=2)
    opened(links)
    opened(links, "uid1")
    with pytest.raises(Refused, match=Reason.TOO_MANY):
        opened(links, "uid2")
    assert opened(links, now_ms=NOW + LIFE_MS)
    assert len(links) == 2


def test_the_password_is_not_shown() -> None:
    link = opened(made())
    assert link.password not in repr(link)
