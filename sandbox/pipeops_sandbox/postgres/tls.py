"""TLS as RDS has it: a certificate authority of the sandbox, and a certificate for the endpoints of each Region."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from pipeops_sandbox.state import write_atomically

BUNDLE = "rds-ca.pem"
VALID = timedelta(days=3650)


class Authority:
    """Makes certificates below a directory, each once."""

    def __init__(self, place: Path) -> None:
        place.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._place = place
        self.bundle = place / BUNDLE
        if not self.bundle.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            name = _name("Sandbox RDS CA")
            made = _builder(name, name, key.public_key())
            made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            self._write(place / "ca.key", _private(key))
            self._write(self.bundle, made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))

    @staticmethod
    def _write(path: Path, data: bytes) -> None:
        write_atomically(path, data)

    def certificate(self, endpoint: str) -> str:
        """Return the file with key and certificate for an endpoint's name and its neighbours' in the Region."""
        domain = endpoint.partition(".")[2]
        path = self._place / f"{hashlib.sha256(domain.encode()).hexdigest()[:16]}.pem"
        if not path.exists():
            signer = load_pem_private_key((self._place / "ca.key").read_bytes(), None)
            issuer = x509.load_pem_x509_certificate(self.bundle.read_bytes())
            key = ec.generate_private_key(ec.SECP256R1())
            made = _builder(_name(domain[:64]), issuer.subject, key.public_key())
            made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(f"*.{domain}")]), critical=False)
            signed = made.sign(signer, hashes.SHA256())  # type: ignore[arg-type]  # an EC key, as made above
            self._write(path, _private(key) + signed.public_bytes(Encoding.PEM))
        return str(path)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(tz=UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + VALID)
    )
