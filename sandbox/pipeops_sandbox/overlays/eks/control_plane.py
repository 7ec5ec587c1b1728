"""The seam to the Kubernetes API: what a cluster's endpoint and CA are, and whether its pods can run.

Nothing listens at the endpoint that ``NoDataPlane`` hands out. ``pipeops_sandbox.kubernetes`` puts API servers
in its place with ``use``.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
from dataclasses import dataclass
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .state import Cluster, ControlPlane

CA_VALID_FOR = datetime.timedelta(days=3650)
"""AWS's cluster CAs live ten years (seen in kubeconfigs of EKS; not documented)."""


@dataclass(frozen=True)
class Identity:
    """What makes a cluster distinct."""

    account: str
    region: str
    name: str
    id: str

    @property
    def hex_id(self) -> str:
        """The 32 hexadecimal digits that AWS puts into endpoint and issuer; new for each cluster made."""
        return (
            hashlib.md5(f"{self.account}/{self.region}/{self.id}".encode(), usedforsecurity=False).hexdigest().upper()
        )


class DataPlane(Protocol):
    """What runs behind the EKS API. Every method is called under the sandbox's lock, so none may block."""

    def launch(self, identity: Identity, created_at: float, service_cidr: str) -> ControlPlane:
        """Start a control plane and say where it will be; called once, when the cluster is created."""

    def ready(self, cluster: Cluster) -> bool:
        """Tell whether everything begun for the cluster is done; until then it stays CREATING or UPDATING."""

    def upgraded(self, cluster: Cluster) -> None:
        """Take over the cluster's version."""

    def trouble(self, cluster: Cluster) -> str:
        """Return what is wrong with the control plane, or nothing."""

    def terminate(self, cluster: Cluster) -> None:
        """Take a control plane down; called when the cluster is gone."""

    def can_run_pods(self, cluster: Cluster) -> bool:
        """Tell whether any node could run an add-on's pods; without one, add-ons turn DEGRADED."""


class NoDataPlane:
    """An endpoint in AWS's form, with a CA of its own, and nothing behind it."""

    def launch(self, identity: Identity, created_at: float, service_cidr: str) -> ControlPlane:
        """Invent the endpoint and the OIDC issuer, and sign a CA."""
        host = f"{identity.hex_id}.gr7.{identity.region}.eks.amazonaws.com"
        return ControlPlane(
            endpoint=f"https://{host}",
            certificate_authority=base64.b64encode(self_signed_ca(created_at)).decode(),
            oidc_issuer=oidc_issuer(identity),
        )

    def ready(self, cluster: Cluster) -> bool:
        """There is nothing to wait for."""
        return True

    def upgraded(self, cluster: Cluster) -> None:
        """Do nothing: nothing runs."""

    def trouble(self, cluster: Cluster) -> str:
        """Nothing runs that could fail."""
        return ""

    def terminate(self, cluster: Cluster) -> None:
        """Do nothing: nothing runs."""

    def can_run_pods(self, cluster: Cluster) -> bool:
        """Take it that somebody has provided the nodes."""
        return True


def oidc_issuer(identity: Identity) -> str:
    """Return the issuer of a cluster's service account tokens; a recreated cluster has another one."""
    return f"https://oidc.eks.{identity.region}.amazonaws.com/id/{identity.hex_id}"


def self_signed_ca(created_at: float) -> bytes:
    """Return a CA certificate in PEM, valid from a model time (seconds since 1970)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")])
    start = datetime.datetime.fromtimestamp(created_at, datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + CA_VALID_FOR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


class _Seam:
    """The one data plane of the process: wiring, not state, so it is not in the store."""

    behind: DataPlane = NoDataPlane()


def use(chosen: DataPlane) -> None:
    """Put a data plane behind the API, once, before the first request."""
    _Seam.behind = chosen


def data_plane() -> DataPlane:
    """Return what runs behind the API."""
    return _Seam.behind
