"""A sandbox with API servers for the tests: a program of its own, as people run it, with prod in the west."""

from __future__ import annotations

import base64
import functools
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
import urllib3
from pipeops_sandbox.kubernetes import programs
from pipeops_sandbox.kubernetes.command import presigned

PACKAGE_HOME = str(Path(__file__).resolve().parents[2])
WEST, EAST = "us-west-2", "us-east-1"
ASSUME = ["sts:AssumeRole", "sts:TagSession"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Stand:
    """A sandbox on the command line, and clients for it and its clusters."""

    admin = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    anybody = "arn:aws:iam::123456789012:user/moto"

    def __init__(self, directory: Path) -> None:
        self.port = _free_port()
        self.directory = directory

    @staticmethod
    def until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
        """Return what a condition gives once it is true."""
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, "it did not come about"
            time.sleep(0.1)
        return found

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the sandbox to its end."""
        command = [sys.executable, "-m", "pipeops_sandbox", *words, "--port", str(self.port)]
        environment = {**os.environ, "PYTHONPATH": PACKAGE_HOME, **variables}
        return subprocess.run(
            command, cwd=self.directory, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    def control(self, method: str, path: str, **body: Any) -> Any:
        """Call the control interface."""
        data = json.dumps(body).encode() if body else None
        with urlopen(Request(f"http://127.0.0.1:{self.port}/_sandbox/{path}", data, method=method), timeout=90) as got:
            return json.load(got)

    @functools.cache  # noqa: B019 - a stand lives as long as its tests
    def client(self, service: str, region: str = WEST) -> Any:
        """Return a boto3 client of the operator."""
        return self.client_of(service, region, "AKIASANDBOX000000001", "sandbox")

    def client_of(self, service: str, region: str, key: str, secret: str, session: str | None = None) -> Any:
        """Return a boto3 client of somebody."""
        return boto3.client(
            service, region, endpoint_url=f"http://127.0.0.1:{self.port}", aws_access_key_id=key,
            aws_secret_access_key=secret, aws_session_token=session,
        )  # fmt: skip

    def role(self, name: str, service: str) -> str:
        """Make a role that a service may assume."""
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": ASSUME}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam = self.client("iam")
        try:
            return str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"])
        except iam.exceptions.EntityAlreadyExistsException:
            return str(iam.get_role(RoleName=name)["Role"]["Arn"])

    def create(self, name: str, region: str = WEST, **changes: Any) -> None:
        """Begin an Auto Mode cluster without built-in pools, with the operator as its administrator."""
        ec2, eks = self.client("ec2", region), self.client("eks", region)
        vpc = ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
        ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
        zones = sorted(one["ZoneName"] for one in ec2.describe_availability_zones()["AvailabilityZones"])[:3]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.30.{n}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
            for n, zone in enumerate(zones)
        ]
        eks.create_cluster(
            **{
                "name": name, "version": "1.36", "roleArn": self.role("cluster", "eks.amazonaws.com"),
                "resourcesVpcConfig": {"subnetIds": subnets, "endpointPrivateAccess": True},
                "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": True},
                "bootstrapSelfManagedAddons": False, "computeConfig": {"enabled": True, "nodePools": []},
                "kubernetesNetworkConfig": {"elasticLoadBalancing": {"enabled": True}},
                "storageConfig": {"blockStorage": {"enabled": True}},
            } | changes
        )  # fmt: skip

    def active(self, name: str, region: str = WEST) -> dict[str, Any]:
        """Wait until a cluster is ACTIVE, and return it."""
        eks = self.client("eks", region)

        def look() -> dict[str, Any] | None:
            shown = eks.describe_cluster(name=name)["cluster"]
            assert shown["status"] in ("CREATING", "ACTIVE", "UPDATING"), shown
            return shown if shown["status"] == "ACTIVE" else None

        return dict(self.until(look, 120))

    def token(self, name: str, region: str = WEST, sts: Any = None) -> str:
        """Return a token for a cluster, of the operator unless another client of STS is given."""
        return presigned(sts or self.client_of("sts", region, "AKIASANDBOX000000001", "sandbox"), name)

    def cluster(self, name: str = "prod", region: str = WEST, token: str = "") -> Kube:
        """Return a client of a cluster's API."""
        shown = self.client("eks", region).describe_cluster(name=name)["cluster"]
        return Kube(shown, token or self.token(name, region))


class Kube:
    """A client of one API server, as kubernetes.core is: endpoint, CA and token."""

    def __init__(self, cluster: dict[str, Any], token: str) -> None:
        authority = base64.b64decode(cluster["certificateAuthority"]["data"]).decode()
        self.endpoint = cluster["endpoint"]
        self._pool = urllib3.PoolManager(ca_cert_data=authority, retries=False)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(
        self, method: str, path: str, body: Any = None, seconds: float = 15, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        """Make a call; return its status and what came."""
        data = json.dumps(body).encode() if body is not None else None
        answer = self._pool.request(
            method, self.endpoint + path, body=data, headers={**self._headers, **headers}, timeout=seconds
        )
        return answer.status, json.loads(answer.data) if answer.data[:1] == b"{" else {"text": answer.data.decode()}

    def get(self, path: str) -> dict[str, Any]:
        """Return an object or a list, which is there."""
        status, found = self.ask("GET", path)
        assert status == 200, found
        return found

    def items(self, path: str) -> list[dict[str, Any]]:
        """Return the items of a list."""
        return list(self.get(path)["items"])

    def create(self, path: str, body: Any) -> dict[str, Any]:
        """Create an object."""
        status, found = self.ask("POST", path, body)
        assert status == 201, found
        return found

    def merge(self, path: str, body: Any) -> None:
        """Change an object."""
        status, found = self.ask("PATCH", path, body, **{"Content-Type": "application/merge-patch+json"})
        assert status == 200, found


@contextmanager
def _standing() -> Iterator[Stand]:
    """Run a sandbox with API servers only, as long as the block runs."""
    if programs.found() is None:
        pytest.skip("no Kubernetes programs: python -m pipeops_sandbox kubernetes build")
    directory = Path(tempfile.mkdtemp(prefix="sandbox-kube-"))
    made = Stand(directory)
    try:
        started = made.run("up", "--data-plane", "kubernetes")
        assert started.returncode == 0, started.stderr
        yield made
        made.run("down")
    finally:
        shutil.rmtree(directory)


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[Stand]:
    """A sandbox that is not started yet."""
    made = Stand(tmp_path)
    yield made
    made.run("down")


@pytest.fixture(scope="module")
def standing() -> AbstractContextManager[Stand]:
    """A sandbox of one's own, once it is entered."""
    return _standing()


@pytest.fixture(scope="session")
def stand() -> Iterator[Stand]:
    """A sandbox with an ACTIVE cluster ``prod`` in the west, for all files that leave it as it was."""
    with _standing() as made:
        made.create("prod")
        made.active("prod")
        yield made


@pytest.fixture
def kube(stand: Stand) -> Kube:
    """The operator's way into ``prod``."""
    return stand.cluster()
