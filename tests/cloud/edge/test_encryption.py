"""Where the authority of a cloud is kept, and for how long."""

import ssl
from pathlib import Path

import pytest

from fleet.cloud.edge.authority import CERTIFICATE_FILE
from fleet.cloud.edge.encryption import Encryption
from tests.cloud.edge.test_authority import shake_hands


def test_with_a_folder_it_is_kept(tmp_path: Path) -> None:
    first = Encryption.of(str(tmp_path), ("cloud.example", None, ""))
    first.close()
    again = Encryption.of(str(tmp_path), ("cloud.example",))
    assert again.anchor == first.anchor
    assert again.ca_file == str(tmp_path / CERTIFICATE_FILE)
    assert ssl.PEM_cert_to_DER_cert(Path(again.ca_file).read_text()) == again.anchor


@pytest.mark.parametrize("name", ["cloud.example", "192.0.2.9", "127.0.0.1", "::1", "localhost"])
def test_it_shows_a_certificate_for_each_host(tmp_path: Path, name: str) -> None:
    encryption = Encryption.of(str(tmp_path), ("cloud.example", None, "192.0.2.9", ""))
    trust = ssl.create_default_context(cafile=encryption.ca_file)
    assert shake_hands(encryption.context, trust, name).getpeercert()


def test_without_a_folder_it_goes_with_the_process() -> None:
    encryption = Encryption.of("", ())
    folder = Path(encryption.ca_file).parent
    assert folder.is_dir()
    encryption.close()
    assert not folder.exists()


def test_nobody_can_hold_a_server_up_for_long(tmp_path: Path) -> None:
    options = Encryption.of(str(tmp_path), ()).options
    assert isinstance(options.pop("ssl"), ssl.SSLContext)
    assert all(0 < seconds <= 10 for seconds in options.values())
    assert set(options) == {"ssl_handshake_timeout", "ssl_shutdown_timeout"}
