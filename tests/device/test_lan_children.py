"""Node ids of sub-devices, and which of them are in reach."""

from firmware_sim.device.lan_children import cid, find, status_of_children
from tests.device.stage import UUID, Stage, online


def test_node_ids_look_like_radio_addresses_and_differ() -> None:
    ids = {cid(uuid, number) for uuid in ("one", "two") for number in range(3)}
    assert len(ids) == 6
    assert all(len(each) == 16 and int(each, 16) >= 0 for each in ids)


def test_only_a_child_in_reach_is_found() -> None:
    device = online("gateway").device
    for number, child in enumerate(device.profile.children):
        assert find(device, cid(UUID, number)) == (number if child.online else None)
    assert find(device, cid("another", 0)) is None


def test_a_device_without_children_has_none_in_reach() -> None:
    status = status_of_children(Stage("base-station").device, ())
    assert (status.online, status.offline) == ((), ())


def test_all_children_are_told_unless_some_are_named() -> None:
    device = online("gateway").device
    status = status_of_children(device, ())
    assert len(status.online) + len(status.offline) == len(device.profile.children)
    named = status_of_children(device, status.offline[:1])
    assert (named.online, named.offline) == ((), status.offline[:1])
