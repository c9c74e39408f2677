"""What survives: images, resets, and images that are none."""

import msgspec
import pytest

from firmware_sim.device.flash import Flash, Kept, ResetKind, Tie, read_image
from firmware_sim.errors import UsageError
from tests.device.stage import BOUND


def test_an_image_reads_back() -> None:
    assert read_image(BOUND.image()) == BOUND
    assert read_image(b"") == Flash()


def test_an_image_from_before_firmware_could_be_updated_reads_back() -> None:
    assert read_image(msgspec.msgpack.encode(("6cemu", "key"))) == Flash("6cemu", "key")


def test_a_reset_keeps_the_device_id_and_the_versions() -> None:
    flash = read_image(BOUND.image())
    flash.versions = "[1]"
    flash.begin_reset(ResetKind.REMOTE_FACTORY)
    assert flash.activated, "nothing is erased before the marker is kept"
    flash.finish_reset()
    kept = Flash(dev_id=BOUND.dev_id, versions="[1]", last_reset=ResetKind.REMOTE_FACTORY)
    assert flash == kept


@pytest.mark.parametrize("kind", list(ResetKind))
def test_only_a_factory_reset_erases_the_settings(kind: ResetKind) -> None:
    flash = read_image(Flash(values={101: False, 105: True}, software="2.0.0").image())
    flash.begin_reset(kind)
    flash.finish_reset()
    assert flash.software == "2.0.0", "no reset takes firmware back"
    assert flash.values == (None if kind.name.endswith("FACTORY") else {101: False, 105: True})


@pytest.mark.parametrize("image", [b"\x00", b"\x80", BOUND.image()[:-3], b"\xff" * 40])
def test_what_is_no_image_is_refused(image: bytes) -> None:
    with pytest.raises(UsageError, match="not a flash image"):
        read_image(image)


def test_only_the_cloud_resets_remotely() -> None:
    remote = [kind.name for kind in ResetKind if kind.remote]
    assert remote == ["REMOTE_UNBIND", "REMOTE_FACTORY"]


@pytest.mark.parametrize("kind", [kind for kind in ResetKind if kind is not ResetKind.DATA_FACTORY])
def test_a_factory_reset_forgets_who_is_behind_and_any_other_does_not(kind: ResetKind) -> None:
    flash = Flash(children={0: Kept(Tie.BOUND, "bf0"), 1: Kept(Tie.GONE)})
    flash.begin_reset(kind)
    flash.finish_reset()
    assert (flash.children is None) is kind.factory
    assert read_image(flash.image()) == flash


def test_ties_of_sub_devices() -> None:
    flash = Flash()
    assert flash.kept(2) == Kept(Tie.NEW, "")
    flash.keep(2, Tie.BOUND, "bf2")
    flash.keep(2, Tie.LEAVING)
    assert flash.kept(2) == Kept(Tie.LEAVING, "bf2")
    flash.rebind_children()
    assert flash.kept(2).tie is Tie.LEAVING
    flash.forget_values(2)
    flash.child_values = {1: {1: True}, 2: {1: False}}
    flash.forget_values(2)
    assert flash.child_values == {1: {1: True}}
    flash.forget_values(1)
    assert flash.child_values is None
