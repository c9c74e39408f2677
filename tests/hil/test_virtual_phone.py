"""The phones beside the stand: their codes, and the wired way, for those who can take them."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from firmware_sim.bench.capabilities import Missing, NotSeen
from firmware_sim.wire.provisioning import decode_qr
from fleet.hil.virtual_phone import Phone
from fleet.hil.virtual_stand import VirtualStand
from fleet.run.virtual.desk.scene import WAREHOUSE


@pytest.fixture
def camera() -> Iterator[VirtualStand]:
    with closing(VirtualStand("ipc-new", 1)) as stand:
        yield stand


@pytest.fixture
def recorder() -> Iterator[VirtualStand]:
    with closing(VirtualStand("nvr", 1)) as stand:
        yield stand


def reset(stand: VirtualStand) -> None:
    stand.power(on=True)
    stand.pass_s(10)
    stand.do(stand.desk.press)
    stand.pass_s(4)
    stand.do(stand.desk.release)
    stand.pass_s(5)


def test_codes_carry_the_network_of_the_stand(camera: VirtualStand) -> None:
    phone = Phone(camera)
    network = camera.desk.network(WAREHOUSE)

    unbinding = decode_qr(phone.unbinding_code().text.encode())
    pairing = decode_qr(phone.pairing_code().text.encode())

    assert (unbinding.ssid, unbinding.password) == (network.ssid, network.password)
    assert (pairing.ssid, pairing.password) == (network.ssid, network.password)
    assert unbinding.token != pairing.token


@pytest.mark.parametrize("password", ["mistyped", ""])
def test_another_password_can_stand_in(camera: VirtualStand, password: str) -> None:
    code = decode_qr(Phone(camera).pairing_code(wifi_password=password).text.encode())

    assert code.ssid == camera.desk.network(WAREHOUSE).ssid
    assert code.password == password


def test_a_code_does_not_show_what_is_in_it(camera: VirtualStand) -> None:
    code = Phone(camera).unbinding_code()

    assert decode_qr(code.text.encode()).token not in repr(code)


def test_by_wire_it_is_unbound_and_paired(recorder: VirtualStand) -> None:
    phone = Phone(recorder)
    reset(recorder)

    phone.unbind_by_wire()
    recorder.pass_s(8)
    assert recorder.desk.last.light == "unbound"

    phone.pair_by_wire()
    recorder.pass_s(5)
    assert recorder.desk.last.light == "online"


def test_who_does_not_wait_for_a_token_is_not_found(recorder: VirtualStand) -> None:
    with pytest.raises(NotSeen, match=r"found on the LAN within 30 s"):
        Phone(recorder).unbind_by_wire()
    assert recorder.now_s == 30.0


def test_a_device_that_goes_away_meanwhile_is_not_waited_for_for_ever(
    recorder: VirtualStand,
) -> None:
    reset(recorder)
    recorder.desk.agenda.after(6_000, lambda: recorder.desk.plug(connected=False))

    Phone(recorder).unbind_by_wire()
    recorder.pass_s(8)
    started_s = recorder.now_s
    with pytest.raises(NotSeen, match=r"within 5 s|is not taken"):
        Phone(recorder).pair_by_wire(timeout_s=5)
    assert recorder.now_s <= started_s + 5


def test_each_device_has_one_way_in(camera: VirtualStand, recorder: VirtualStand) -> None:
    with pytest.raises(Missing, match="no socket for a cable"):
        Phone(camera).pair_by_wire()
    with pytest.raises(Missing, match="no lens"):
        Phone(recorder).pairing_code()
