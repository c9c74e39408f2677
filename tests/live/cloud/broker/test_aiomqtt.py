"""aiomqtt at our broker: a monitor of the whole cloud, as another program would write it."""

import asyncio
from collections.abc import Coroutine

import aiomqtt

from fleet.cloud.edge.local import LocalCloud

PATIENCE_S = 20.0


def client(cloud: LocalCloud, name: str, identifier: str | None = None) -> aiomqtt.Client:
    return aiomqtt.Client(
        "127.0.0.1",
        cloud.ready.mqtt_port,
        username=name,
        password="demo-password",
        identifier=identifier,
        clean_session=identifier is None,
    )


def run(story: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(story, PATIENCE_S))


async def heard(listener: aiomqtt.Client, count: int) -> list[tuple[str, object, int]]:
    """Return topic, payload and QoS of the next messages."""
    found: list[tuple[str, object, int]] = []
    async for message in listener.messages:
        found.append((message.topic.value, message.payload, message.qos))
        if len(found) == count:
            break
    return found


def test_a_monitor_hears_another_guest_and_the_counters(tuya_cloud: LocalCloud) -> None:
    async def story() -> None:
        async with client(tuya_cloud, "monitor") as monitor, client(tuya_cloud, "tester") as tester:
            await monitor.subscribe([("#", 2), ("$SYS/broker/clients/connected", 0)])
            assert await heard(monitor, 1) == [("$SYS/broker/clients/connected", b"2", 0)]
            for qos in (0, 1, 2):
                await tester.publish(f"test/{qos}", b"x" * qos, qos)
            assert await heard(monitor, 3) == [(f"test/{q}", b"x" * q, q) for q in (0, 1, 2)]

    run(story())


def test_a_session_is_kept_for_its_client(tuya_cloud: LocalCloud) -> None:
    async def story() -> None:
        async with client(tuya_cloud, "tester", "desk") as keeper:
            await keeper.subscribe("test/+", 1)
        async with client(tuya_cloud, "tester") as tester:
            await tester.publish("test/a", b"missed", 2)
        async with client(tuya_cloud, "tester", "desk") as keeper:
            assert await heard(keeper, 1) == [("test/a", b"missed", 1)]

    run(story())
