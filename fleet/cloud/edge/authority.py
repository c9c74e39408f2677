"""The cloud's own certificate authority: made once, kept with the data, trusted by its devices.

The authority signs by RSA, and the server shows a certificate of each kind of key, so that clients
which know only one kind are served too: the vendor's open SDK was seen to use
ECDHE-RSA-AES128-GCM-SHA256 (tuya/tuya-connect-kit-for-mqtt-embedded-c). The server's keys are
made anew with every start and are never on a disk.
"""

import ipaddress
import os
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from firmware_sim.errors import UsageError

CERTIFICATE_FILE = "ca.pem"
KEY_FILE = "ca.key"
NAME = "Fleet test authority"

_RSA_BITS = 2048
_VALID = timedelta(days=3650)
_BEFORE = timedelta(days=1)  # clocks of devices are a little late

_ServerKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class Authority:
    """A key and the certificate by which devices know it."""

    def __init__(
        self, key: CertificateIssuerPrivateKeyTypes, certificate: x509.Certificate
    ) -> None:
        """Take what was made or read."""
        self._key = key
        self._certificate = certificate

    @classmethod
    def make(cls) -> "Authority":
        """Make a new one, which is nowhere yet."""
        key = _rsa_key()
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        certificate = (
            _builder(subject, subject, key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .sign(key, hashes.SHA256())
        )
        return cls(key, certificate)

    @classmethod
    def kept_in(cls, folder: Path) -> "Authority":
        """Return the one in `folder`; make it there, readable by its owner only, if there is none.

        Raises UsageError when it cannot be read or kept.
        """
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not (folder / KEY_FILE).exists():
                cls.make().keep_in(folder)
            return cls._read(folder)
        except OSError as error:
            raise UsageError(
                f"{folder}: cannot keep the TLS authority: {error.strerror}"
            ) from error

    def keep_in(self, folder: Path) -> None:
        """Write it to `folder`, the certificate first: with the key there, both are."""
        _write(folder / CERTIFICATE_FILE, self.pem.encode(), 0o644)
        _write(folder / KEY_FILE, _key_pem(self._key), 0o600)

    @classmethod
    def _read(cls, folder: Path) -> "Authority":
        try:
            key = load_pem_private_key((folder / KEY_FILE).read_bytes(), None)
            certificate = x509.load_pem_x509_certificate((folder / CERTIFICATE_FILE).read_bytes())
        except (ValueError, TypeError) as error:
            raise UsageError(
                f"{folder}: {KEY_FILE} or {CERTIFICATE_FILE} is damaged ({error}); move both away "
                "and a new authority is made, which devices and clients have to be told of"
            ) from error
        if not isinstance(key, rsa.RSAPrivateKey) or key.public_key() != certificate.public_key():
            raise UsageError(f"{folder}: {KEY_FILE} is not the key of {CERTIFICATE_FILE}")
        return cls(key, certificate)

    @property
    def der(self) -> bytes:
        """Return the certificate as firmware wants it."""
        return self._certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> str:
        """Return the certificate as most programs want it."""
        return self._certificate.public_bytes(Encoding.PEM).decode()

    def server_context(self, names: Iterable[str]) -> ssl.SSLContext:
        """Return the TLS side of a server that is called by any of `names` (hosts, addresses)."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        wanted = x509.SubjectAlternativeName(list(map(_general_name, dict.fromkeys(names))))
        for key in (ec.generate_private_key(ec.SECP256R1()), _rsa_key()):
            _load(context, self._issue(key, wanted) + _key_pem(key))
        return context

    def issue_to(self, folder: Path, stem: str, names: Iterable[str]) -> None:
        """Keep a certificate for another server, called `names`, in a folder: `stem`.pem and .key.

        One that is there for these names stays. Raises UsageError when it cannot be kept.
        """
        wanted = x509.SubjectAlternativeName(list(map(_general_name, dict.fromkeys(names))))
        certificate, key_file = folder / f"{stem}.pem", folder / f"{stem}.key"
        try:
            if key_file.exists() and _names_in(certificate) == wanted:
                return
            key = _rsa_key()
            _write(certificate, self._issue(key, wanted), 0o644)
            _write(key_file, _key_pem(key), 0o600)
        except OSError as error:
            raise UsageError(f"{folder}: cannot keep {stem}.pem: {error.strerror}") from error

    def _issue(self, key: _ServerKey, names: x509.SubjectAlternativeName) -> bytes:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Fleet cloud")])
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        certificate = (
            _builder(subject, self._certificate.subject, key)
            .add_extension(names, critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(purpose, critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._certificate.public_key()),  # type: ignore[arg-type]
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(Encoding.PEM)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Let a file be there as a whole or not at all, whatever happens meanwhile."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)


def _names_in(file: Path) -> x509.SubjectAlternativeName | None:
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return None


def _builder(subject: x509.Name, issuer: x509.Name, key: _ServerKey) -> x509.CertificateBuilder:
    begin = datetime.now(UTC) - _BEFORE
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + _VALID)
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)


def _key_pem(key: CertificateIssuerPrivateKeyTypes) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _load(context: ssl.SSLContext, chain: bytes) -> None:
    """Give a context its certificate and key, which it takes from nothing but a file."""
    handle = os.memfd_create("server-certificate")
    try:
        with os.fdopen(os.dup(handle), "wb") as file:
            file.write(chain)
        context.load_cert_chain(f"/proc/self/fd/{handle}")
    finally:
        os.close(handle)
