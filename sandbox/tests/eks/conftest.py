"""What a cluster needs before it can be created: a VPC, subnets in three zones, roles, a key."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from pipeops_sandbox.overlays.eks import response, tokens
from pipeops_sandbox.runtime import runtime

_TYPES = {"string": str, "integer": int, "boolean": bool, "timestamp": (int, float)}

ASSUME = ["sts:AssumeRole"]
ASSUME_AND_TAG = ["sts:AssumeRole", "sts:TagSession"]
AUTO_MODE_OFF = {
    "computeConfig": {"enabled": False},
    "kubernetesNetworkConfig": {"elasticLoadBalancing": {"enabled": False}},
    "storageConfig": {"blockStorage": {"enabled": False}},
}


@dataclass
class World:
    """The clients of a region and the ids of what was made there."""

    client: Callable[..., Any]
    region: str
    ec2: Any = field(init=False)
    iam: Any = field(init=False)
    eks: Any = field(init=False)
    vpc_id: str = field(init=False)
    subnet_ids: list[str] = field(init=False)
    cluster_role: str = field(init=False)
    node_role: str = field(init=False)

    def __post_init__(self) -> None:
        self.ec2, self.iam, self.eks = (self.client(service, self.region) for service in ("ec2", "iam", "eks"))
        self.vpc_id = self.vpc("10.30.0.0/16")
        self.subnet_ids = [self.subnet(self.vpc_id, f"10.30.{index}.0/24", zone) for index, zone in enumerate("abc")]
        self.cluster_role = self.role(f"cluster-{self.region}", "eks.amazonaws.com", ASSUME_AND_TAG)
        self.node_role = self.role(f"node-{self.region}", "ec2.amazonaws.com", ASSUME)
        worker = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"
        self.iam.attach_role_policy(RoleName=f"node-{self.region}", PolicyArn=worker)

    def vpc(self, cidr: str, dns_hostnames: bool = True) -> str:
        """Make a VPC."""
        vpc_id = str(self.ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"])
        self.ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": dns_hostnames})
        return vpc_id

    def subnet(self, vpc_id: str, cidr: str, zone: str) -> str:
        """Make a subnet in the zone of that letter."""
        made = self.ec2.create_subnet(VpcId=vpc_id, CidrBlock=cidr, AvailabilityZone=f"{self.region}{zone}")
        return str(made["Subnet"]["SubnetId"])

    def role(self, name: str, service: str, actions: list[str]) -> str:
        """Make a role that a service may assume."""
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": actions}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        return str(self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"])

    def request(self, name: str = "prod", **changes: Any) -> dict[str, Any]:
        """Return a CreateCluster request for Auto Mode, with top-level members exchanged."""
        return {
            "name": name,
            "version": "1.36",
            "roleArn": self.cluster_role,
            "resourcesVpcConfig": {"subnetIds": self.subnet_ids, "endpointPrivateAccess": True},
            "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
            "bootstrapSelfManagedAddons": False,
            "computeConfig": {"enabled": True, "nodePools": ["system"], "nodeRoleArn": self.node_role},
            "kubernetesNetworkConfig": {"elasticLoadBalancing": {"enabled": True}},
            "storageConfig": {"blockStorage": {"enabled": True}},
        } | changes

    def plain(self, name: str = "plain", **changes: Any) -> dict[str, Any]:
        """Return a CreateCluster request without Auto Mode."""
        return self.request(name, **(AUTO_MODE_OFF | {"bootstrapSelfManagedAddons": True} | changes))

    def create(self, name: str = "prod", **changes: Any) -> dict[str, Any]:
        """Create a cluster and return it as DescribeCluster shows it."""
        self.eks.create_cluster(**self.request(name, **changes))
        return self.describe(name)

    def describe(self, name: str = "prod") -> dict[str, Any]:
        """Return a cluster."""
        cluster: dict[str, Any] = self.eks.describe_cluster(name=name)["cluster"]
        return cluster


def _strays(shape: Any, value: Any, path: str) -> Iterator[str]:
    """Yield where an answer has members or types that the model of the API does not know."""
    if shape.type_name == "structure":
        for name, member in value.items():
            if name in shape.members:
                yield from _strays(shape.members[name], member, f"{path}.{name}")
            else:
                yield f"{path}.{name} is not in the model"
    elif shape.type_name == "list":
        for item in value:
            yield from _strays(shape.member, item, f"{path}[]")
    elif shape.type_name == "map":
        for item in value.values():
            yield from _strays(shape.value, item, path)
    elif not isinstance(value, _TYPES[shape.type_name]):
        yield f"{path} is {value!r}, not of type {shape.type_name}"
    elif shape.metadata.get("enum") and value not in shape.metadata["enum"]:
        yield f"{path} is {value!r}, not one of {shape.metadata['enum']}"


@pytest.fixture(scope="session")
def model() -> Any:
    """The model of the EKS API."""
    return botocore.session.get_session().get_service_model("eks")


@pytest.fixture(autouse=True)
def contract(monkeypatch: pytest.MonkeyPatch, model: Any) -> Iterator[None]:
    """Hold every answer of every test against the model: the serialiser drops unknown members in silence."""
    strays: list[str] = []

    def answer_once(state: Any, name: str, call: Any, handler: Any) -> Any:
        answer = tokens.answer_once(state, name, call, handler)
        strays.extend(_strays(model.operation_model(name).output_shape, answer, name))
        return answer

    monkeypatch.setattr(response, "answer_once", answer_once)
    yield
    assert strays == []


@pytest.fixture
def world(client: Callable[..., Any]) -> World:
    """The prerequisites in us-west-2."""
    return World(client, "us-west-2")


@pytest.fixture
def in_region(client: Callable[..., Any]) -> Callable[[str], World]:
    """A factory of the prerequisites in another region."""
    return lambda region: World(client, region)


@pytest.fixture
def passing(world: World) -> Callable[[float], None]:
    """The ``aws`` profile from here on, and a way to let model seconds pass at once."""
    runtime.clock.set("aws", 1.0)

    def advance(seconds: float) -> None:
        runtime.clock.restore(runtime.clock.now() + seconds)

    return advance


@pytest.fixture
def refused() -> Callable[..., str]:
    """Call something that must be refused with a code; returns the message."""

    def call(code: str, operation: Callable[..., Any], **request: Any) -> str:
        with pytest.raises(ClientError) as caught:
            operation(**request)
        error = caught.value.response["Error"]
        assert error["Code"] == code, error
        return str(error["Message"])

    return call
