"""The admin sees, makes, changes and removes guests of the broker, and each counts at once."""

from firmware_sim.wire import mqtt
from fleet.cloud.messages import StreamOpened, StreamReceived
from tests.cloud.support import ADMIN, OWNER, World

PATH = "/admin/v1/mqtt-clients"
FORM = {"name": "monitor", "password": "secret", "read": ["t/#"], "write": ["t/+"]}
VIEW = {"name": "monitor", "read": ["t/#"], "write": ["t/+"]}


def connect(world: World, *, lasting: bool = False, password: str = "secret") -> tuple[int, int]:
    """Let the guest connect and subscribe; return its connection and the CONNACK code."""
    conn = next(world.conns)
    world.handle(StreamOpened(conn))
    packet = mqtt.Connect("one", "monitor", password, clean_session=not lasting)
    world.handle(StreamReceived(conn, mqtt.encode(packet)))
    answer = mqtt.Decoder().feed(world.streams.pop(conn))[0]
    assert isinstance(answer, mqtt.Connack)
    if answer.return_code == 0:
        subscribe = mqtt.Subscribe(1, (("t/#", 1),))
        world.handle(StreamReceived(conn, mqtt.encode(subscribe)))
        world.streams.pop(conn)
    return conn, answer.return_code


def test_it_is_the_admin_s_page() -> None:
    world = World()
    for method in ("GET", "POST"):
        for session in ("", "wrong", world.account(OWNER)):
            assert world.refusal(method, PATH, FORM, session) == "no_session"
    assert world.refusal("DELETE", f"{PATH}/monitor", None, "") == "no_session"


def test_a_guest_is_made_shown_and_let_in() -> None:
    world = World()
    assert world.get("GET", PATH, None, ADMIN) == []
    assert connect(world)[1] == 5
    assert world.get("POST", PATH, FORM, ADMIN) == VIEW
    assert world.get("GET", PATH, None, ADMIN) == [VIEW]
    assert connect(world)[1] == 0
    assert connect(world, password="guess")[1] == 4


def test_a_change_counts_at_once_and_ends_what_is_no_longer_allowed() -> None:
    world = World()
    world.get("POST", PATH, FORM, ADMIN)
    conn, _ = connect(world, lasting=True)
    assert len(world.state.mqtt_shelf._subscriptions) == 1
    world.get("POST", PATH, {"name": "monitor", "read": ["u"]}, ADMIN)
    assert conn in world.closed
    assert len(world.state.mqtt_shelf._subscriptions) == 0
    assert len(world.state.mqtt_shelf._sessions) == 1
    assert connect(world)[1] == 0, "the password is the one that it had"


def test_a_guest_that_is_removed_is_gone_with_all_that_was_kept() -> None:
    world = World()
    world.get("POST", PATH, FORM, ADMIN)
    conn, _ = connect(world, lasting=True)
    assert world.get("DELETE", f"{PATH}/monitor", None, ADMIN) is None
    assert conn in world.closed
    assert len(world.state.mqtt_shelf._sessions) == 0
    assert connect(world)[1] == 5
    assert world.refusal("DELETE", f"{PATH}/monitor", None, ADMIN) == "not_found"


def test_what_is_typed_in_is_checked() -> None:
    world = World()
    for form in (
        {"name": "x"},
        {"name": "", "password": "pw"},
        {"name": "x", "password": "pw", "read": ["a#"]},
        {"name": "x", "password": "p" * 129},
        {"name": "x", "password": "pw", "read": ["a"] * 101},
    ):
        assert world.refusal("POST", PATH, form, ADMIN) in {"bad_request", "malformed"}
    assert world.get("GET", PATH, None, ADMIN) == []
