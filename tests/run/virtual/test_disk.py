"""What was written survives, what was not is lost, and a crash may come between disk and word."""

from firmware_sim.runtime.virtual.agenda import Agenda
from fleet.cloud.accounts import Account
from fleet.cloud.store.records import Change, Put
from fleet.run.virtual.disk import Disk

WRITE_MS = 3


def put(name: str) -> tuple[Change, ...]:
    return (Put(Account(name=name, password_hash="")),)


def desk() -> tuple[Agenda, Disk, list[str]]:
    agenda = Agenda(0)
    return agenda, Disk(agenda, WRITE_MS), []


def names(disk: Disk) -> list[str]:
    return [account.name for account in disk.load(Account)]


def test_a_transaction_takes_its_time_and_is_reported_when_it_is_there() -> None:
    agenda, disk, heard = desk()
    disk.submit(put("a"), lambda error: heard.append(f"done {error} {names(disk)}"))
    agenda.run_until(WRITE_MS - 1)
    assert (heard, names(disk)) == ([], [])
    agenda.run_until(WRITE_MS)
    assert heard == ["done None ['a']"]


def test_a_crash_loses_what_was_not_written_and_nothing_else() -> None:
    agenda, disk, heard = desk()
    disk.submit(put("a"), lambda _: heard.append("a"))
    agenda.run_until(2)
    disk.submit(put("b"), lambda _: heard.append("b"))
    agenda.run_until(WRITE_MS)
    disk.crash()
    disk.submit(put("c"), lambda _: heard.append("c"))
    agenda.run_until(100)
    assert (heard, names(disk), disk.lost) == (["a", "c"], ["a", "c"], 1)


def test_a_crash_may_come_when_it_is_written_and_nobody_was_told() -> None:
    agenda, disk, heard = desk()
    seen: list[tuple[Change, ...]] = []
    disk.written.append(seen.append)
    disk.before_reply = lambda: False
    disk.submit(put("a"), lambda _: heard.append("a"))
    agenda.run_until(100)
    assert (heard, names(disk), seen) == ([], ["a"], [put("a")])


def test_what_a_cloud_starts_with_is_there_at_once() -> None:
    _, disk, _ = desk()
    disk.write_now(put("a"))
    disk.close()
    assert names(disk) == ["a"]


def test_a_crash_may_come_just_before_it_is_written() -> None:
    agenda, disk, heard = desk()
    disk.before_write = lambda: False
    disk.submit(put("a"), lambda _: heard.append("a"))
    agenda.run_until(100)
    assert (heard, names(disk), disk.lost) == ([], [], 1)


def test_a_slow_disk_keeps_the_order_of_what_it_writes() -> None:
    agenda, disk, heard = desk()
    disk.late_ms = 500
    disk.submit(put("a"), lambda _: heard.append(f"a {agenda.now_ms}"))
    disk.late_ms = 0
    agenda.run_until(100)
    disk.submit(put("b"), lambda _: heard.append(f"b {agenda.now_ms}"))
    agenda.run_until(1_000)
    disk.submit(put("c"), lambda _: heard.append(f"c {agenda.now_ms}"))
    agenda.run_until(2_000)
    assert heard == ["a 503", "b 503", "c 1003"]


def test_a_disk_that_crashed_does_not_wait_for_what_it_has_lost() -> None:
    agenda, disk, heard = desk()
    disk.late_ms = 60_000
    disk.submit(put("a"), lambda _: heard.append("a"))
    disk.late_ms = 0
    disk.crash()
    disk.submit(put("b"), lambda _: heard.append("b"))
    agenda.run_until(WRITE_MS)
    assert heard == ["b"]
