"""The throw-away certificate is one that a TLS library accepts as a CA of that name."""

import base64
from datetime import UTC, datetime

from cryptography import x509
from cryptography.x509.oid import NameOID

from fleet.cloud.edge.certificate import self_signed

NOW_MS = 1_700_000_000_000


def test_it_is_a_self_signed_ca_that_is_valid_now() -> None:
    certificate = x509.load_der_x509_certificate(base64.b64decode(self_signed("127.0.0.1", NOW_MS)))
    certificate.verify_directly_issued_by(certificate)
    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == "127.0.0.1"
    now = datetime.fromtimestamp(NOW_MS / 1000, UTC)
    assert certificate.not_valid_before_utc < now < certificate.not_valid_after_utc
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_it_is_small_enough_for_firmware_and_never_the_same() -> None:
    first, second = self_signed("localhost", NOW_MS), self_signed("localhost", NOW_MS)
    assert first != second
    assert len(first) < 1_000
