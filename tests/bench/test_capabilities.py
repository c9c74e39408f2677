import pytest

from firmware_sim.bench.capabilities import Code, Missing, NotSeen, Reading
from firmware_sim.errors import SimulatorError, UsageError


def test_a_code_does_not_show_what_is_in_it() -> None:
    code = Code('{"s":"Warehouse","p":"secret","t":"AY0123456789ab"}')
    assert "secret" not in repr(code)
    assert "AY0123" not in f"{code!r} {code}"


@pytest.mark.parametrize(("kind", "base"), [(Missing, UsageError), (NotSeen, SimulatorError)])
def test_blame_is_in_the_type(kind: type[Exception], base: type[Exception]) -> None:
    assert issubclass(kind, base)


def test_a_missing_light_is_not_the_callers_mistake() -> None:
    assert not issubclass(NotSeen, UsageError)


def test_readings_are_values() -> None:
    one = Reading("blink", ("red",), 2.0, 0.5, 0.98)
    assert one == Reading("blink", ("red",), 2.0, 0.5, 0.98)
    with pytest.raises(AttributeError):
        one.hz = 3.0  # type: ignore[misc]
