"""A cloud that was killed is the same cloud: random days in its life, checked after each step.

The machine below does what operators, consumers, devices and power cuts do, in any order. After
each step a second cloud is loaded from the store and compared with the first, and the books must
balance: quotas against history, tokens against batches, bindings against their level.
"""

from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from fleet.cloud.reasons import Reason

from .support import (
    CAMERA,
    DAY_MS,
    OWNER,
    PARTNER,
    PLUG,
    RECORDER,
    REPAIR,
    SETTINGS,
    STRANGER,
    FakeDevice,
    World,
    assert_reloads,
    seed,
    snapshot,
)

pytestmark = pytest.mark.no_cover

numbers = st.integers(0, 3)
KNOWN = {"", "GATEWAY_NOT_EXISTS", *(reason.value.upper() for reason in Reason)}


class Life(RuleBasedStateMachine):
    """Four devices of one product, six consumers, five accounts."""

    @initialize(
        product_id=st.sampled_from([CAMERA, RECORDER, PLUG]),
        mode=st.sampled_from(["reset", "refuse"]),
    )
    def begin(self, product_id: str, mode: str) -> None:
        choices = msgspec.structs.replace(
            SETTINGS,
            unbind_mode=mode,
            account_quota_per_day=2,
            product_quota_per_day=3,
            unbind_devices_per_token_max=2,
            tokens_per_subject_max=3,
            sessions_per_subject_max=2,
            history_rows_max=400,
            device_log_rows_per_device_max=6,
        )
        self.world = World(choices, seed(4, product_id))
        self.strong = product_id == CAMERA
        self.devices = [FakeDevice(self.world, number, product_id) for number in range(4)]
        self.texts = ["EUnosuch00pr_0"]
        self.owners = self.bindings()

    @rule(
        number=numbers,
        who=st.sampled_from([OWNER, PARTNER, REPAIR, STRANGER]),
        method=st.sampled_from(["qr", "wired"]),
    )
    def unbind(self, number: int, who: str, method: str) -> None:
        form = {"method": method, "life_s": 60}
        session = self.world.account(who)
        self.show(number, self.world.ask("POST", "/console/v1/unbind-tokens", form, session))

    @rule(number=numbers, consumer=numbers)
    def pair(self, number: int, consumer: int) -> None:
        session = self.world.consumer(consumer)
        self.show(number, self.world.ask("POST", "/app/v1/pair-tokens", {}, session))

    def show(self, number: int, envelope: dict[str, Any]) -> None:
        """Bring a fresh token to a device, unless there are too many of them."""
        if envelope["success"]:
            self.texts.append(envelope["result"]["token"])
            self.show_again(number, 0)

    @rule(number=numbers, back=st.integers(0, 8))
    def show_again(self, number: int, back: int) -> None:
        text = self.texts[-1 - back % len(self.texts)]
        assert self.devices[number].activate(text) in KNOWN

    @rule(number=numbers, acknowledges=st.booleans())
    def go_online(self, number: int, *, acknowledges: bool) -> None:
        device = self.devices[number]
        if device.connect() == 0:
            packets = device.subscribe()
            if acknowledges:
                device.acknowledge(packets)
            device.report(b'{"1":%d}' % self.world.now_ms)

    @rule(number=numbers)
    def drop(self, number: int) -> None:
        self.devices[number].drop()

    @rule(number=numbers)
    def sync(self, number: int) -> None:
        self.devices[number].sync()

    @rule(number=numbers, wipe=st.sampled_from("01"))
    def remove(self, number: int, wipe: str) -> None:
        session = self.world.consumer(number)
        for own in self.world.get("GET", "/app/v1/devices", None, session)[:1]:
            target = f"/app/v1/devices/{own['dev_id']}?wipe={wipe}"
            self.world.get("DELETE", target, None, session)

    @rule(limit=st.integers(0, 5))
    def ticket(self, limit: int) -> None:
        form = {"scope": "account", "name": REPAIR, "limit": limit}
        self.world.get("POST", "/console/v1/tickets", form, self.world.account(REPAIR))

    @rule(passed_ms=st.sampled_from([1, 61_000, DAY_MS]))
    def wait(self, passed_ms: int) -> None:
        self.world.now_ms += passed_ms

    @rule()
    def kill(self) -> None:
        before = snapshot(self.world.state)
        self.world.kill_and_restart()
        assert snapshot(self.world.state) == before

    @invariant()
    def the_store_knows_everything(self) -> None:
        assert_reloads(self.world)

    @invariant()
    def quotas_are_what_was_unbound(self) -> None:
        per_account: Counter[tuple[str, str, str]] = Counter()
        for row in self.world.state.history.unbound():
            per_account["account", row.account, row.day] += row.count
            per_account["product", row.product_id, row.day] += row.count
        used = {(q.scope, q.name, q.day): q.used for q in self.world.state.quotas.all()}
        assert used == dict(per_account)

    @invariant()
    def a_token_releases_as_many_as_its_batch_shows(self) -> None:
        rows = self.world.state.history.page(OWNER).rows
        released = Counter(row.batch for row in rows if row.batch and row.status == "ok")
        for text in self.texts:
            token = self.world.state.tokens.unbind_token(text[2:10])
            if token is not None:
                assert token.used == released[token.batch] <= 2

    @invariant()
    def a_device_is_bound_or_pending(self) -> None:
        for device in self.world.state.devices.all():
            assert not (device.bound and device.pending_reset)
            assert device.bound or device.pending_reset
            assert not (device.bound and device.revoked)

    @invariant()
    def strong_bindings_change_hands_only_by_release(self) -> None:
        before, self.owners = self.owners, self.bindings()
        if self.strong:
            for uuid, owner in self.owners.items():
                assert owner == before[uuid] or "" in (owner, before[uuid])

    def bindings(self) -> dict[str, str]:
        return {device.uuid: device.owner for device in self.world.state.devices.all()}


Life.TestCase.settings = settings(max_examples=100, stateful_step_count=40)
test_a_life = Life.TestCase
