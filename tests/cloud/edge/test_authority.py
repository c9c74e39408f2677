"""The cloud's own certificate authority: kept once, private, and believed for the right names."""

import ssl
import stat
from pathlib import Path

import pytest

from firmware_sim.errors import UsageError
from fleet.cloud.edge.authority import CERTIFICATE_FILE, KEY_FILE, Authority

NAMES = ("127.0.0.1", "::1", "localhost", "eu.cloud.example", "localhost")
RSA_ONLY = "ECDHE-RSA-AES128-GCM-SHA256"  # the suite that the vendor's open SDK was seen to use
EC_ONLY = "ECDHE-ECDSA-AES128-GCM-SHA256"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.make()


@pytest.fixture(scope="module")
def server(authority: Authority) -> ssl.SSLContext:
    return authority.server_context(NAMES)


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> ssl.SSLObject:
    """Let both ends talk in memory until they agree; return the client's end."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(down, up, server_hostname=name),
        server.wrap_bio(up, down, server_side=True),
    )
    done = [False, False]
    for _ in range(10):
        for number, end in enumerate(ends):
            if not done[number]:
                try:
                    end.do_handshake()
                    done[number] = True
                except ssl.SSLWantReadError:
                    pass
    assert all(done)
    return ends[0]


def test_another_server_gets_a_certificate_of_it(authority: Authority, tmp_path: Path) -> None:
    def files() -> tuple[bytes, bytes]:
        return (tmp_path / "broker.pem").read_bytes(), (tmp_path / "broker.key").read_bytes()

    authority.issue_to(tmp_path, "broker", NAMES)
    first = files()
    assert stat.S_IMODE((tmp_path / "broker.key").stat().st_mode) == 0o600
    authority.issue_to(tmp_path, "broker", NAMES)
    assert files() == first
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "broker.pem", tmp_path / "broker.key")
    assert shake_hands(server, client_of(authority), "eu.cloud.example")
    authority.issue_to(tmp_path, "broker", ("another.example",))
    second = files()
    assert second != first
    (tmp_path / "broker.pem").write_text("damaged")
    authority.issue_to(tmp_path, "broker", ("another.example",))
    assert files()[1] != second[1]
    with pytest.raises(UsageError, match="cannot keep broker"):
        authority.issue_to(tmp_path / "nowhere", "broker", NAMES)


def client_of(authority: Authority, suite: str = "") -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority.der)
    if suite:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(suite)
    return context


@pytest.mark.parametrize("name", NAMES)
def test_it_is_believed_for_each_name(
    authority: Authority, server: ssl.SSLContext, name: str
) -> None:
    end = shake_hands(server, client_of(authority), name)
    assert end.version() == "TLSv1.3"


def test_it_is_not_believed_for_another_name(authority: Authority, server: ssl.SSLContext) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        shake_hands(server, client_of(authority), "us.cloud.example")


def test_another_authority_is_not_believed(server: ssl.SSLContext) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(server, client_of(Authority.make()), "localhost")


@pytest.mark.parametrize("suite", [RSA_ONLY, EC_ONLY])
def test_clients_that_know_one_kind_of_key_are_served(
    authority: Authority, server: ssl.SSLContext, suite: str
) -> None:
    cipher = shake_hands(server, client_of(authority, suite), "localhost").cipher()
    assert cipher is not None
    assert cipher[0] == suite


def test_versions_before_1_2_are_refused(server: ssl.SSLContext) -> None:
    assert server.minimum_version is ssl.TLSVersion.TLSv1_2


def test_it_is_made_once_and_kept_private(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "tls"
    first = Authority.kept_in(folder)
    assert Authority.kept_in(folder).der == first.der
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / KEY_FILE).stat().st_mode) == 0o600
    assert (folder / CERTIFICATE_FILE).read_text() == first.pem
    assert sorted(path.name for path in folder.iterdir()) == [KEY_FILE, CERTIFICATE_FILE]


def test_a_start_that_was_cut_short_is_made_good(tmp_path: Path) -> None:
    (tmp_path / CERTIFICATE_FILE).write_text("half a cert")
    for name in (KEY_FILE, CERTIFICATE_FILE):
        (tmp_path / f"{name}.new").write_text("half of it")
    made = Authority.kept_in(tmp_path)
    assert (tmp_path / CERTIFICATE_FILE).read_text() == made.pem


def test_the_key_never_comes_before_a_whole_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(UsageError, match="No space left"):
        Authority.kept_in(tmp_path)
    assert not (tmp_path / KEY_FILE).exists()
    assert not (tmp_path / CERTIFICATE_FILE).exists()


def test_a_damaged_one_is_the_operators_business(tmp_path: Path) -> None:
    Authority.kept_in(tmp_path)
    (tmp_path / CERTIFICATE_FILE).write_text("no certificate")
    with pytest.raises(UsageError, match=r"damaged.*move both away"):
        Authority.kept_in(tmp_path)


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    Authority.kept_in(tmp_path)
    (tmp_path / CERTIFICATE_FILE).write_text(Authority.make().pem)
    with pytest.raises(UsageError, match="is not the key of"):
        Authority.kept_in(tmp_path)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(UsageError, match="cannot keep the TLS authority"):
        Authority.kept_in(blocked / "tls")


def test_no_key_of_the_server_is_left_open(authority: Authority) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    authority.server_context(["localhost"])
    assert len(list(Path("/proc/self/fd").iterdir())) == before
