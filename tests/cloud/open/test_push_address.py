"""Who may become a consumer of what: paths, headers, queries."""

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.rng import Rng
from fleet.cloud.ledger import Journal, nothing
from fleet.cloud.open.push_address import Doorkeeper, NotAdmitted, Wish, push_centre
from fleet.cloud.open.push_crypto import password
from fleet.cloud.projects import Projects
from fleet.cloud.push_backlog import Topic
from fleet.cloud.push_events import ConsumerOpened
from fleet.cloud.settings import Settings

ACCESS_ID, SECRET = "tuyasim0client0id000", "0123456789abcdef0123456789abcdef"
PASSWORD = password(ACCESS_ID, SECRET)
PATH = f"/ws/v2/consumer/persistent/{ACCESS_ID}/out/event/{ACCESS_ID}-sub"
OFFICIAL = ConsumerOpened(
    conn=1,
    target=f"{PATH}?ackTimeoutMillis=3000&subscriptionType=Failover",
    host="127.0.0.1:8285",
    username=ACCESS_ID,
    password=PASSWORD,
)


def doorkeeper(**choices: Any) -> Doorkeeper:
    projects = Projects(nothing, Journal(), Rng(1).bytes)
    projects.add("owner", "app", access_id=ACCESS_ID, secret=SECRET)
    return Doorkeeper(msgspec.structs.replace(Settings(), **choices), projects)


def refusal(**changes: Any) -> tuple[int, str]:
    with pytest.raises(NotAdmitted) as caught:
        doorkeeper().admit(msgspec.structs.replace(OFFICIAL, **changes))
    return caught.value.status, caught.value.text


def wish(query: str, **choices: Any) -> tuple[int, int]:
    """Return time limit and window that a query gets."""
    given_ = msgspec.structs.replace(OFFICIAL, target=f"{PATH}?{query}")
    admitted = doorkeeper(**choices).admit(given_)
    return admitted.ack_timeout_ms, admitted.window


def test_the_official_client() -> None:
    assert doorkeeper().admit(OFFICIAL) == Wish(Topic(ACCESS_ID, "EU", "event"), 3_000, 1_000)


def test_queries() -> None:
    assert wish("") == (0, 1_000)
    assert wish("", push_ack_timeout_ms=9_000, push_window_max=7) == (9_000, 7)
    assert wish("ackTimeoutMillis=0", push_ack_timeout_ms=9_000) == (0, 1_000)
    assert wish("receiverQueueSize=5&consumerName=x") == (0, 5)
    assert wish("receiverQueueSize=0") == (0, 1)
    assert wish("receiverQueueSize=5000") == (0, 1_000)


@pytest.mark.parametrize(
    "query",
    [
        "ackTimeoutMillis=999",
        "ackTimeoutMillis=-1",
        "ackTimeoutMillis=soon",
        "ackTimeoutMillis=86400001",
        "receiverQueueSize=-1",
        "subscriptionType=Shared",
        "&".join(f"a{n}=1" for n in range(17)),
    ],
)
def test_bad_queries(query: str) -> None:
    status, text = refusal(target=f"{PATH}?{query}")
    assert status == 400
    assert text.startswith("Invalid query params: ")


@pytest.mark.parametrize(
    ("host", "prefix", "centre"),
    [
        ("mqe.tuyacn.com:8285", "", "AY"),
        ("mqe.tuyaus.com:8285", "", "AZ"),
        ("mqe.tuyaeu.com", "", "EU"),
        ("mqe.tuyain.com", "", "IN"),
        ("127.0.0.1:80", "/us-e", "AZ"),
        ("127.0.0.1:80", "/eu-w", "EU"),
        ("127.0.0.1:80", "/sg", "SG"),
        ("", "/", "EU"),
    ],
)
def test_data_centres(host: str, prefix: str, centre: str) -> None:
    asked = msgspec.structs.replace(OFFICIAL, host=host, target=prefix + PATH)
    assert doorkeeper().admit(asked).topic.centre == centre
    assert push_centre(centre) == centre


@pytest.mark.parametrize(
    "changes",
    [
        {"password": ""},
        {"password": PASSWORD.upper()},
        {"password": "\udc80"},
        {"username": ""},
        {"username": "\udc80"},
        {"username": "other0client0id00000"},
        {"target": PATH.replace(ACCESS_ID, "other0client0id00000")},
        {"username": "other0client0id00000", "password": password("", "")},
    ],
)
def test_wrong_names_and_passwords(changes: dict[str, str]) -> None:
    assert refusal(**changes) == (401, "wrong username or password")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1.0/token",
        PATH.replace("consumer", "producer"),
        PATH.replace("-sub", "-own"),
        PATH.replace("/event/", "/events/"),
        PATH + "/",
    ],
)
def test_what_is_not_there(path: str) -> None:
    assert refusal(target=path)[0] == 404


@given(
    st.text(max_size=80) | st.just(PATH),
    st.text(max_size=40),
    st.text(max_size=20),
    st.text(max_size=20) | st.just(ACCESS_ID),
)
def test_anything_is_refused_with_a_status(path: str, query: str, host: str, username: str) -> None:
    status, _ = refusal(target=f"{path}?{query}", host=host, username=username, password="x")
    assert status in (400, 401, 404)


# Bytes that are no ASCII arrive as halves of surrogate pairs.
@given(st.text(st.characters(exclude_categories=()), max_size=40))
def test_who_may_come_in_may_ask_for_anything(query: str) -> None:
    with contextlib.suppress(NotAdmitted):
        doorkeeper().admit(msgspec.structs.replace(OFFICIAL, target=f"{PATH}?{query}"))
