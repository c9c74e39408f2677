"""Whatever happens to a gateway and to what is behind it: in the end everybody says the same.

Sets of bound sub-devices, who of them is online, and what runs on them, by the gateway's flash, the
cloud's books and the Open API, after random sequences of what users, programs, hands, networks and
crashes do.
"""

from collections.abc import Callable

import pytest

from firmware_sim import events as ev
from firmware_sim.device import child_update
from firmware_sim.device.flash import Tie
from firmware_sim.rng import Rng
from fleet.cloud.products import Binding
from tests.cloud.support import OWNER, assert_reloads
from tests.stories.children_story import THERMOMETER, ChildrenStory
from tests.stories.harness import choose

pytestmark = pytest.mark.no_cover

STEPS = 40
PEACE_MS = 400_000
BINDINGS = tuple(Binding)
PROFILES = ("gateway", "nvr")


class Walk(ChildrenStory):
    """One gateway, its owners of now and then, and a seed."""

    def __init__(self, seed: int) -> None:
        wipes = bool(seed % 4)
        super().__init__(
            PROFILES[seed % 5 == 4],
            binding=BINDINGS[seed % 3],
            settings=choose(wipe_on_new_owner=wipes),
        )
        self.rng = Rng(seed)
        self.done: list[str] = []
        self.started()
        self.powered = True

    def pick(self, count: int) -> int:
        return self.rng.below(count)

    def step(self) -> None:
        act = ACTS[self.pick(len(ACTS))]
        self.done.append(act.__name__)
        act(self)
        self.check()
        if self.pick(3):
            self.wait(self.pick(20_000))
            self.check()

    def check(self) -> None:
        """Check what holds at any time."""
        gateway = self.unit.known
        for child in self.state.devices.behind(gateway.dev_id):
            assert child.owner in ("", gateway.owner), self.done
            assert child.dev_id not in self.state.reach or (child.bound and self.unit.conn)
            assert gateway.bound or not child.bound
        assert set(self.shown()) == set(self.booked())
        assert len(self.state.devices.behind(gateway.dev_id)) <= len(self.profile.children)

    def number(self) -> int:
        return self.pick(len(self.profile.children))

    # --- what may happen ------------------------------------------------------------------------

    def switch(self) -> None:
        if self.powered:
            self.unit.pull_the_plug()
        else:
            self.unit.power()
        self.powered = not self.powered

    def network(self) -> None:
        if self.out:
            self.come_back()
        else:
            self.cut_off()

    def crash(self) -> None:
        self.kill_and_restart()

    def break_one_line(self) -> None:
        if self.unit.conn:
            self.break_line(self.unit.conn)

    def press_button(self) -> None:
        if self.powered:
            self.unit.press()

    def pair_it(self) -> None:
        """Let one of two people pair the gateway, who may be its owner or not."""
        if self.powered and self.unit.state == "WAITING":
            self.unit.offer(self.pair_token(self.consumer(self.pick(2))))

    def owner(self) -> int:
        return int(self.unit.known.owner.removeprefix("uid"))

    def remove_gateway(self) -> None:
        if self.unit.known.bound:
            self.remove(self.unit, wipe=bool(self.pick(2)), owner=self.owner())

    def unbind_in_a_batch(self) -> None:
        if self.powered and self.unit.state == "WAITING":
            self.unit.offer(self.unbind_code())

    def hand_on(self) -> None:
        """Reset it by its button behind the cloud's back; somebody pairs it, or releases it."""
        if self.powered and not self.out:
            self.cut_off()
            self.press_button()
            self.wait(10_000)
            self.come_back()
            (self.pair_it, self.pair_it, self.unbind_in_a_batch)[self.pick(3)]()

    def remove_one(self) -> None:
        number = self.number()
        if number in self.bound_numbers():
            self.remove_child(number, wipe=bool(self.pick(2)), owner=self.owner())

    def delete_one(self) -> None:
        number = self.number()
        if number in self.bound_numbers():
            self.program("DELETE", f"/v1.0/devices/{self.child(number).dev_id}")

    def delete_several(self) -> None:
        gateway, some = self.unit.known, self.bound_numbers()[: self.pick(3)]
        if gateway.bound:
            ids = ",".join([gateway.dev_id, *(self.child(number).dev_id for number in some)])
            envelope = self.maker.call("DELETE", "/v1.0/iot-03/devices", {"device_ids": ids})
            assert envelope["success"]
            self.settle()

    def order_one(self) -> None:
        """Order it onto one of two versions, which its gateway loads when it is in reach."""
        number = self.number()
        if number in self.bound_numbers():
            child, maker = self.child(number), self.account(OWNER)
            version = ("2.0.0", "3.0.0")[self.pick(2)]
            form = {"version": version, "size": 9}
            if not self.state.upgrades.find(child.product_id, 0, version):
                self.get("POST", f"/console/v1/products/{child.product_id}/firmware", form, maker)
            self.get("POST", f"/console/v1/devices/{child.uuid}/upgrades", form, maker)
            self.settle()

    def move_one(self) -> None:
        kinds = (ev.ChildReached, ev.ChildLost, ev.ChildJoined, ev.ChildLeft)
        self.unit.tell(kinds[self.pick(len(kinds))](self.number()))
        self.settle()

    def set_one(self) -> None:
        """Wish for a value, which is sent at once or when it is there."""
        number = self.number()
        if number in self.bound_numbers() and number != THERMOMETER and self.profile.name == "nvr":
            path = f"/v2.0/cloud/thing/{self.child(number).dev_id}/shadow/properties/desired"
            form = {"properties": '{"basic_flip":true}', "duration": 600}
            self.program("POST", path, form)

    def bound_numbers(self) -> list[int]:
        """Return the numbers of what is bound by the cloud's books."""
        behind = self.state.devices.behind(self.unit.known.dev_id)
        there = [child.node_id for child in behind if child.bound]
        return [n for n in range(len(self.profile.children)) if self.node(n) in there]

    # --- peace ----------------------------------------------------------------------------------

    def make_peace(self) -> None:
        """Let everything work, pair the gateway if it waits, and give it time."""
        self.come_back()
        if not self.powered:
            self.switch()
        self.wait(PEACE_MS)
        while self.unit.state == "WAITING":
            self.unit.pair(self.pair_token(self.consumer(0)))
            if self.unit.state == "WAITING":  # strongly bound to the other one
                self.unit.pair(self.pair_token(self.consumer(1)))
        self.wait(PEACE_MS)
        assert (self.unit.state, self.unit.session) == ("ONLINE", "UP"), self.done


ACTS: tuple[Callable[[Walk], None], ...] = (
    *(Walk.switch, Walk.network, Walk.crash, Walk.break_one_line),
    *(Walk.press_button, Walk.pair_it, Walk.pair_it, Walk.pair_it, Walk.pair_it),
    *(Walk.remove_gateway, Walk.unbind_in_a_batch, Walk.delete_several, Walk.hand_on, Walk.hand_on),
    *(Walk.remove_one, Walk.remove_one, Walk.delete_one, Walk.set_one),
    *(Walk.order_one, Walk.order_one),
    *(Walk.move_one, Walk.move_one, Walk.move_one, Walk.move_one),
)


@pytest.mark.parametrize("seed", range(40))
def test_in_the_end_all_say_the_same(seed: int) -> None:
    walk = Walk(seed)
    for _ in range(STEPS):
        walk.step()
    walk.make_peace()
    walk.all_agree()
    walk.check()
    ties = walk.ties()
    assert set(ties) <= {Tie.BOUND, Tie.GONE}, walk.done
    assert walk.unit.device.children is not None
    online = {
        walk.child(number).dev_id: child.online
        for number, child in enumerate(walk.unit.device.children.each)
        if ties[number] is Tie.BOUND
    }
    assert walk.shown() == online, walk.done
    for number in (number for number, tie in enumerate(ties) if tie is Tie.BOUND):
        child = walk.child(number)
        assert child.software == child_update.version(walk.unit.device, number), walk.done
        orders = walk.state.upgrades.orders(child.uuid)
        assert not (online[child.dev_id] and [order for order in orders if order.open]), walk.done
    assert_reloads(walk)


def test_walks_leave_all_kinds_of_traces() -> None:
    """A walk in which nothing happens proves nothing."""
    found: set[tuple[Tie, ...]] = set()
    for seed in range(0, 40, 5):
        walk = Walk(seed)
        for _ in range(STEPS):
            walk.step()
        walk.make_peace()
        found.add(tuple(sorted(walk.ties())))
    assert len(found) > 1
