"""As many worlds as there may be: one for each browser, and who has to go when there are too many."""

import msgspec
import pytest

from firmware_sim.errors import UsageError
from fleet.web.demo.engine import Engine
from fleet.web.demo.engines import Engines
from fleet.web.demo.shapes import Start
from fleet.web.routes import NotFound

pytestmark = pytest.mark.anyio
START_MS = 1_767_225_600_000
ORDER = Start("ipc-red-green")


def some(engines_max: int = 2) -> Engines:
    return Engines(engines_max, lambda: START_MS)


async def test_a_browser_has_one_world() -> None:
    engines = some()
    first = await engines.start("anna", ORDER)
    assert engines.of("anna") is first
    second = await engines.start("anna", msgspec.structs.replace(ORDER, profile="nvr"))
    assert engines.of("anna") is second
    assert len(engines) == 1
    with pytest.raises(UsageError, match="has ended"):
        await first.do(lambda _: None)
    with pytest.raises(NotFound, match="start one"):
        engines.of("ben")
    await engines.close()
    with pytest.raises(NotFound):
        engines.of("anna")
    with pytest.raises(UsageError, match="server has ended"):
        await engines.start("anna", ORDER)


async def test_who_has_not_been_touched_for_longest_has_to_go() -> None:
    engines = some()
    anna = await engines.start("anna", ORDER)
    await engines.start("ben", ORDER)
    engines.of("anna")
    await engines.start("carl", ORDER)
    with pytest.raises(NotFound):
        engines.of("ben")
    assert engines.of("anna") is anna
    await engines.close()


async def test_a_world_that_somebody_looks_at_stays_and_is_told_when_it_does_not() -> None:
    engines = some()

    async def look(engine: Engine) -> tuple[object, list[bytes]]:
        told: list[bytes] = []
        reading = engine.feed.read(b"first")
        told.append(await anext(reading))
        return reading, told

    anna = await engines.start("anna", ORDER)
    reading, told = await look(anna)
    ben = await engines.start("ben", ORDER)
    await engines.start("carl", ORDER)  # nobody looks at ben's
    assert len(engines) == 2
    assert engines.of("anna") is anna
    with pytest.raises(NotFound):
        engines.of("ben")
    assert ben.feed is not anna.feed
    await look(engines.of("carl"))
    engines.of("carl")
    await engines.start("dora", ORDER)  # now the one that was touched least lately goes
    rest = [content async for content in reading]  # type: ignore[attr-defined]
    assert b"event: ended" in b"".join([*told, *rest])
    await engines.close()


async def test_a_world_that_cannot_be_made_changes_nothing() -> None:
    engines = some()
    anna = await engines.start("anna", ORDER)
    for name in ("toaster", "/etc/passwd", "./mine.toml"):
        with pytest.raises(UsageError, match="no model"):
            await engines.start("anna", Start(name))
    assert engines.of("anna") is anna
    await engines.close()
