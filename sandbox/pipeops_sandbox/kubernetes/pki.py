"""Keys and certificates of one cluster: its authority, its server, the sandbox's own access, service account tokens."""

from __future__ import annotations

import base64
import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pipeops_sandbox.state import write_atomically

VALID = timedelta(days=3650)
MASTERS = "system:masters"
SERVER_NAMES = (
    "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
)  # fmt: skip


class Pki:
    """The files below ``pki`` of a cluster's directory. Each private key is readable by its owner only."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.ca = directory / "ca.crt"
        self.ca_key = directory / "ca.key"
        self.account_key = directory / "service-accounts.key"
        self.account_public = directory / "service-accounts.pub"

    def certificate(self, name: str) -> Path:
        """Return a certificate's file: ``server``, ``admin``, ``controllers`` or ``scheduler``."""
        return self.directory / f"{name}.crt"

    def key(self, name: str) -> Path:
        """Return a certificate's private key."""
        return self.directory / f"{name}.key"

    def make(self, names: list[str], addresses: list[str]) -> str:
        """Make all of it, and return the authority's certificate as EKS hands it out: base64 of PEM.

        Args:
            names: host names of the endpoint, beside those that every cluster has.
            addresses: of the endpoint and of the Service ``kubernetes``.
        """
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name("kubernetes")
        made = _builder(subject, subject, key.public_key())
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        authority = made.sign(key, hashes.SHA256())
        self._write(self.ca_key, _private(key))
        self._write(self.ca, authority.public_bytes(Encoding.PEM))
        self._sign("server", _name("kube-apiserver"), key, [*SERVER_NAMES, *names], ["127.0.0.1", *addresses])
        for name, user in (
            ("admin", "pipeops-sandbox"),
            ("controllers", "system:kube-controller-manager"),
            ("scheduler", "system:kube-scheduler"),
        ):
            self._sign(name, _name(user, MASTERS), key)
        accounts = ec.generate_private_key(ec.SECP256R1())
        self._write(self.account_key, _private(accounts))
        public = accounts.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self._write(self.account_public, public)
        return base64.b64encode(self.ca.read_bytes()).decode()

    def _sign(
        self,
        name: str,
        subject: x509.Name,
        signer: ec.EllipticCurvePrivateKey,
        hosts: list[str] | None = None,
        addresses: list[str] | None = None,
    ) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        made = _builder(subject, _name("kubernetes"), key.public_key())
        usage = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
        made = made.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if hosts:
            names: list[x509.GeneralName] = [x509.DNSName(host) for host in hosts]
            names += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses or []]
            made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
        self._write(self.key(name), _private(key))
        self._write(self.certificate(name), made.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM))

    @staticmethod
    def _write(path: Path, data: bytes) -> None:
        write_atomically(path, data)


def _name(common: str, organization: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organization:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(parts)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


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
