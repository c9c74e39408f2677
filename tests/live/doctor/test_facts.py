"""The looks and experiments, on the real machine and against real obstacles."""

import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.doctor import facts, run_checks

IP = "127.241.7.9"
BROADCAST_IP = "127.255.255.255"


@pytest.fixture
def taken() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as holder:
        holder.bind((IP, 0))
        holder.listen(1)
        yield holder


def test_a_look_at_this_machine(tmp_path: Path) -> None:
    seen = facts.look(tmp_path / "not" / "yet")
    assert seen.data_dir == str(tmp_path)
    assert seen.python >= (3, 11)
    assert seen.cores >= 1
    assert seen.memory_mb > 0
    assert seen.disk_free_mb > 0
    assert [name for name, _ in seen.decoders] == ["pyzbar", "zxing"]
    assert not seen.broadcast_problem
    assert seen.lan == facts.LOOPBACK


def test_a_look_from_somewhere_else(tmp_path: Path) -> None:
    lan = facts.Lan("198.51.100.77", "198.51.100.255")
    seen = facts.look(tmp_path, lan)
    assert (seen.lan, seen.udp_problem[:40]) == (lan, "UDP port 7000 cannot be listened on (Can")
    assert "198.51.100.77" in seen.tcp_problem
    assert "198.51.100.77" in seen.broadcast_problem


def test_the_default_folder_is_the_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert facts.look().data_dir == str(tmp_path)


def test_run_checks_looks_at_this_machine(tmp_path: Path) -> None:
    checks = {check.name: check for check in run_checks(10, data_dir=tmp_path)}
    assert str(tmp_path) in checks["disk"].detail


# --- limits -------------------------------------------------------------------------------------


def test_no_limit_of_files_is_a_high_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, resource.RLIM_INFINITY))
    soft, hard = facts.files_limits()
    assert soft == 1024
    assert hard > 1 << 40


def test_the_limit_of_files_is_raised_within_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    wishes: list[tuple[int, tuple[int, int]]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", lambda *wish: wishes.append(wish))
    facts.raise_files_limit()
    limits = (facts.FILES_MAX, resource.RLIM_INFINITY)
    assert wishes == [(resource.RLIMIT_NOFILE, limits)]


def test_source_ports_are_read_from_the_kernel(tmp_path: Path) -> None:
    path = tmp_path / "range"
    path.write_text("40000\t40999\n")
    assert facts.source_ports(path) == (40000, 40999)


@pytest.mark.parametrize(("limit", "expected_mb"), [("max", 2048), (f"{100 << 20}", 100)])
def test_memory_is_within_the_limit_of_the_container(
    tmp_path: Path, limit: str, expected_mb: int
) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 8388608 kB\nMemAvailable: 2097152 kB\n")
    (tmp_path / "memory.max").write_text(limit + "\n")
    limits = (tmp_path / "memory.max", tmp_path / "absent")
    assert facts.memory_mb(tmp_path / "meminfo", limits) == expected_mb


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert facts.disk(file) == (0, f"{file} cannot be written (Not a directory)")
    assert facts.disk(tmp_path)[1] == ""


# --- experiments --------------------------------------------------------------------------------


def test_udp_ports_are_shared_with_listeners_that_share() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("", 0))
        assert facts.udp_problem([other.getsockname()[1]]) == ""


def test_udp_ports_that_somebody_keeps_for_himself() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("", 0))
        port = other.getsockname()[1]
        assert facts.udp_problem([port]) == (
            f"UDP port {port} cannot be listened on (Address already in use)"
        )


def test_a_tcp_port_that_is_taken(taken: socket.socket) -> None:
    port = taken.getsockname()[1]
    assert facts.tcp_problem(IP, port) == (
        f"TCP {IP}:{port} cannot be listened on (Address already in use)"
    )
    assert facts.tcp_problem("127.241.7.10", port) == ""


def test_a_broadcast_arrives_from_the_address_of_the_device() -> None:
    assert facts.broadcast_problem(IP, BROADCAST_IP) == ""


def test_a_broadcast_that_nobody_hears(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "sendto", lambda *_: 1)
    problem = facts.broadcast_problem(IP, BROADCAST_IP, wait_s=0.01)
    assert problem == "a broadcast to 127.255.255.255 did not arrive within 0.01 s"


def test_a_broadcast_from_an_address_that_is_not_here() -> None:
    problem = facts.broadcast_problem("192.0.2.7", BROADCAST_IP)
    assert problem.startswith("a broadcast from 192.0.2.7 to 127.255.255.255 failed (")


def test_a_broadcast_whose_source_was_rewritten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "recvfrom", lambda *_: (b"?", ("127.0.0.1", 9)))
    problem = facts.broadcast_problem(IP, BROADCAST_IP)
    assert problem == f"a broadcast from {IP} arrived from 127.0.0.1"


def test_packages_that_only_tests_need_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "_SERVER_FOLDERS", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    assert facts.missing_packages() == tuple(facts.TEST_PACKAGES)
    for program in facts.TEST_PACKAGES.values():
        (tmp_path / program).touch(0o755)
    assert facts.missing_packages() == ()
    launcher = (Path(__file__).parents[3] / "tools" / "setup.sh").read_text()
    for package, program in facts.TEST_PACKAGES.items():
        assert f"{program}:{package}" in launcher


def test_a_decoder_that_does_not_exist() -> None:
    assert facts.decoder_problem("kaleidoscope").startswith("decoder 'kaleidoscope' is unknown: ")


def test_a_decoder_that_works() -> None:
    assert facts.decoder_problem("zxing") == ""


def test_what_a_lan_of_its_own_takes(tmp_path: Path) -> None:
    assert facts.namespace_problem(tmp_path) == facts.namespace_problem(program="sh") == ""
    assert facts.namespace_problem(program="no-such-ip") == "the program no-such-ip is missing"
    assert facts.namespace_problem(tmp_path / "net") == "this kernel has no network namespaces"
