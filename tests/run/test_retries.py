from fleet.run.messages import Heard
from fleet.run.retries import REASONS_MAX, Retries, Retry


def test_reasons_are_counted_and_the_hardest_device_is_found() -> None:
    retries = Retries()
    for second in range(90):  # one device, once a second
        retries.take(Heard(1, 1000 * second, "activation_refused", "TOKEN_DEAD"))
    for index in range(5):
        retries.take(Heard(index, 0, "mqtt_lost", "ConnectionRefusedError"))
    retries.take(Heard(2, 0, "tone", "1"))
    storm, lost = retries.result(requests=405)
    assert storm == Retry("activation_refused: TOKEN_DEAD", 90, 1, 60, cloud_cpu_pct=45.0)
    assert (lost.attempts, lost.devices, lost.per_device_min, lost.cloud_cpu_pct) == (5, 5, 1, 0)


def test_what_never_reached_the_cloud_has_cost_it_nothing() -> None:
    retries = Retries()
    for _ in range(99):
        retries.take(Heard(0, 0, "call_failed", "dns"))
    retries.take(Heard(0, 0, "mqtt_refused", "code 2"))
    for kind in ("join_refused", "mqtt_silent"):  # these are no requests at all
        retries.take(Heard(0, 0, kind, "x"))
    by_reason = {retry.reason: retry for retry in retries.result(requests=101)}
    assert by_reason["call_failed: dns"].cloud_cpu_pct == 0
    assert by_reason["mqtt_refused: code 2"].cloud_cpu_pct == 50
    assert next(iter(retries.result(requests=0))).cloud_cpu_pct == 0


def test_reasons_without_end_are_put_together() -> None:
    retries = Retries()
    for number in range(REASONS_MAX + 10):
        retries.take(Heard(0, 0, "call_failed", f"text {number}"))
    result = retries.result(requests=1)
    assert len(result) == REASONS_MAX + 1
    assert result[0] == Retry("call_failed: other", 10, 1, 10, 0.0)


def test_nothing_was_tried_again() -> None:
    assert Retries().result(requests=7) == ()


def test_the_end_of_the_run_is_no_reason_to_try_again() -> None:
    retries = Retries()
    retries.take(Heard(0, 0, "mqtt_lost", "reset"))
    retries.end()
    retries.take(Heard(1, 0, "mqtt_lost", "closed"))
    assert [(one.reason, one.attempts) for one in retries.result(1)] == [("mqtt_lost: reset", 1)]


def test_what_has_failed_until_now_is_told_by_kind() -> None:
    retries = Retries()
    assert retries.so_far() == {}
    for detail in ("TOKEN_DEAD", "TOKEN_FULL", "TOKEN_DEAD"):
        retries.take(Heard(1, 0, "activation_refused", detail))
    retries.take(Heard(2, 0, "mqtt_lost", "x"))
    assert retries.so_far() == {"activation_refused": 3, "mqtt_lost": 1}
