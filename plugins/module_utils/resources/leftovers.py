# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cluster and AWS's services make in an account by themselves, and leave there when they are gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..engine.aws import Aws, error_code, error_message, tag_dict
from ..engine.model import TAG_ENVIRONMENT, Key, Observed, ResourceType, Scope, Traits
from ._ec2 import unless_gone

#: What the types below look for is wanted under this key, although nothing of the kind is made.
ANCHOR: Key = ("leftovers", "environment")
#: Load balancers whose tags are asked for in one call, as ELB's reference has it.
TAGGED_AT_A_TIME = 20
#: States of an instance that is gone or on its way.
ENDED = frozenset({"shutting-down", "terminated"})
#: Tags whose value names the cluster that made a thing.
NAMING_TAGS = frozenset(
    {
        "eks:eks-cluster-name",
        "eks:cluster-name",
        "aws:eks:cluster-name",
        "elbv2.k8s.aws/cluster",
        "cluster.k8s.amazonaws.com/name",
        "KubernetesCluster",
    }
)


@dataclass(frozen=True)
class Maker:
    """Who may have left something.

    Attributes:
        cluster: the name of the cluster.
        vpc_id: the VPC of the environment; empty once it is gone.
        log_groups: how the names of log groups begin that services make for the environment.
    """

    cluster: str
    vpc_id: str = ""
    log_groups: tuple[str, ...] = ()

    @classmethod
    def of(cls, scope: Scope) -> Maker:
        """Return what the layer is about."""
        wanted = scope.layer_wanted[ANCHOR].attributes
        return cls(wanted["cluster_name"], wanted["vpc_id"] or "", tuple(wanted["log_groups"]))

    def made(self, tags: Mapping[str, str]) -> bool:
        """Tell whether tags say that the cluster made a thing for itself, rather than that it may use it."""
        named = any(tags.get(name) == self.cluster for name in NAMING_TAGS)
        return named or tags.get(f"kubernetes.io/cluster/{self.cluster}") == "owned"


class Leftover(ResourceType):
    """Something that is only ever found and removed."""

    deletion = Traits(seconds=5, reversible=False)

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        return list(self.found(aws, Maker.of(scope)))

    def found(self, aws: Aws, maker: Maker) -> Iterator[Observed]:
        """Yield what stands of it."""
        raise NotImplementedError

    def transient(self, error: Exception) -> str:
        busy = ("DependencyViolation", "ResourceInUse", "VolumeInUse", "OperationNotPermitted", "IncorrectState")
        return f"something still uses it: {error_message(error)}" if error_code(error) in busy else ""


class LoadBalancer(Leftover):
    """A load balancer of an Ingress or a Service."""

    kind = "cluster_load_balancer"
    label = "load balancer"
    service = "elbv2"
    deletion = Traits(seconds=60, interrupts="whoever comes in by it", reversible=False)

    def found(self, aws: Aws, maker: Maker) -> Iterator[Observed]:
        items = aws.pages("elbv2", "describe_load_balancers", "LoadBalancers")
        arns = {item["LoadBalancerArn"]: item for item in items}
        for arn, tags in _elb_tags(aws, arns):
            if maker.made(tags):
                item = arns[arn]
                yield Observed(self.kind, item["LoadBalancerName"], arn, {"arn": arn}, tags, item["State"]["Code"])

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("elbv2")
        try:
            # Whoever runs applications may have protected it; the destroy is what that protection waited for.
            client.modify_load_balancer_attributes(
                LoadBalancerArn=observed.id, Attributes=[{"Key": "deletion_protection.enabled", "Value": "false"}]
            )
            client.delete_load_balancer(LoadBalancerArn=observed.id)
        except client.exceptions.LoadBalancerNotFoundException:
            return


class TargetGroup(Leftover):
    """Where a load balancer sent requests."""

    kind = "cluster_target_group"
    label = "target group"
    service = "elbv2"

    def found(self, aws: Aws, maker: Maker) -> Iterator[Observed]:
        items = aws.pages("elbv2", "describe_target_groups", "TargetGroups")
        arns = {item["TargetGroupArn"]: item for item in items}
        for arn, tags in _elb_tags(aws, arns):
            if maker.made(tags):
                yield Observed(self.kind, arns[arn]["TargetGroupName"], arn, {"arn": arn}, tags)

    def delete(self, aws: Aws, observed: Observed) -> None:
        aws.client("elbv2").delete_target_group(TargetGroupArn=observed.id)


def _elb_tags(aws: Aws, arns: Iterable[str]) -> Iterator[tuple[str, dict[str, str]]]:
    wanted = list(arns)
    for start in range(0, len(wanted), TAGGED_AT_A_TIME):
        some = wanted[start : start + TAGGED_AT_A_TIME]
        for one in aws.client("elbv2").describe_tags(ResourceArns=some)["TagDescriptions"]:
            yield one["ResourceArn"], tag_dict(one["Tags"])


class ClassicLoadBalancer(Leftover):
    """A load balancer of the former generation, which Kubernetes itself makes for a Service."""

    kind = "cluster_classic_load_balancer"
    label = "classic load balancer"
    service = "elb"
    deletion = Traits(seconds=30, interrupts="whoever comes in by it", reversible=False)

    def found(self, aws: Aws, maker: Maker) -> Iterator[Observed]:
        items = aws.pages("elb", "describe_load_balancers", "LoadBalancerDescriptions")
        names = [item["LoadBalancerName"] for item in items]
        for start in range(0, len(names), TAGGED_AT_A_TIME):
            some = names[start : start + TAGGED_AT_A_TIME]
            for one in aws.client("elb").describe_tags(LoadBalancerNames=some)["TagDescriptions"]:
                tags = tag_dict(one["Tags"])
                if maker.made(tags):
                    yield Observed(self.kind, one["LoadBalancerName"], one["LoadBalancerName"], {}, tags)

    def delete(self, aws: Aws, observed: Observed) -> None:
        aws.client("elb").delete_load_balancer(LoadBalancerName=observed.id)


class Instance(Leftover):
    """A node."""

    kind = "cluster_instance"
    label = "node"
    service = "ec2"
    deletion = Traits(seconds=90, interrupts="what runs on the node", reversible=False)

    def found(self, aws: Aws, maker: Maker) -> Iterator[Observed]:
        for reservation in aws.pages("ec2", "describe_instances", "Reservations"):
            for item in reservation["Instances"]:
                tags, state = tag_dict(item.get("Tags")), item["State"]["Name"]
                # Its interfaces stand until it is terminated.
                if maker.made(tags) and state != "terminated":
                    yield Observed(self.kind, item["InstanceId"], item["InstanceId"], {}, tags, state)

    def delete(self, aws: Aws, observed: Observed) -> None:
        if observed.status not in ENDED:
            with unless_gone():
                aws.client("ec2").terminate_instances(InstanceIds=[observed.id])


class Interface(Leftover):
    """A network interface that its maker has let go of."""

    kind = "cluster_interface"
    label = "network interface"
    service = "ec2"
    #: How descriptions of interfaces begin that the network plug-in makes, and does not always tag.
    unnamed: ClassVar[str] = "aws-K8S-"

    def found(self, aws: Aws, maker: Maker) -> Iterator[Observed]:
        free = [{"Name": "status", "Values": ["available"]}]
        for item in aws.pages("ec2", "describe_network_interfaces", "NetworkInterfaces", Filters=free):
            tags, text = tag_dict(item.get("TagSet")), str(item.get("Description", ""))
            of_plane = text == f"Amazon EKS {maker.cluster}"
            of_node = text.startswith(self.unnamed) and item.get("VpcId") == maker.vpc_id
            if maker.made(tags) or of_plane or of_node:
                identifier = item["NetworkInterfaceId"]
                yield Observed(self.kind, identifier, identifier, {}, tags, item["Status"])

    def delete(self, aws: Aws, observed: Observed) -> None:
        with unless_gone():
            aws.client("ec2").delete_network_interface(NetworkInterfaceId=observed.id)


class SecurityGroup(Leftover):
    """A group that the cluster made, with the rules of other groups that refer to it."""

    kind = "cluster_security_group"
    label = "security group of the cluster"
    service = "ec2"
    #: Interfaces of a load balancer may outlive it by minutes.
    clears_within = 600

    def found(self, aws: Aws, maker: Maker) -> Iterator[Observed]:
        standing = _group_of(aws, maker.cluster)
        for item in aws.pages("ec2", "describe_security_groups", "SecurityGroups"):
            tags = tag_dict(item.get("Tags"))
            # EKS takes its own group along, while it has a cluster.
            if maker.made(tags) and item["GroupId"] != standing:
                # Its name is unique in its VPC only.
                name = f"{item['GroupName']} ({item['GroupId']})"
                yield Observed(self.kind, name, item["GroupId"], {}, tags)

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("ec2")
        for own, directions in _referring(aws, observed.id).items():
            for direction, permissions in directions.items():
                with unless_gone():
                    getattr(client, f"revoke_security_group_{direction}")(GroupId=own, IpPermissions=permissions)
        with unless_gone():
            client.delete_security_group(GroupId=observed.id)


def _group_of(aws: Aws, cluster: str) -> str:
    """Return the security group of a cluster that stands; empty if it does not."""
    client = aws.client("eks")
    try:
        found = client.describe_cluster(name=cluster)["cluster"]
    except client.exceptions.ResourceNotFoundException:
        return ""
    return str(found["resourcesVpcConfig"].get("clusterSecurityGroupId", ""))


def _referring(aws: Aws, group_id: str) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return the rules of other groups that refer to one, by group and direction, without what else they allow."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for group in aws.pages("ec2", "describe_security_groups", "SecurityGroups"):
        if group["GroupId"] == group_id:
            continue
        for direction, member in (("ingress", "IpPermissions"), ("egress", "IpPermissionsEgress")):
            for rule in group[member]:
                pairs = [pair for pair in rule.get("UserIdGroupPairs", []) if pair["GroupId"] == group_id]
                if pairs:
                    ports = {name: rule[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in rule}
                    alone = {**ports, "UserIdGroupPairs": [{"GroupId": group_id}]}
                    found.setdefault(group["GroupId"], {}).setdefault(direction, []).append(alone)
    return found


class Volume(Leftover):
    """The disk of a PersistentVolume, or of a node that did not take it along."""

    kind = "cluster_volume"
    label = "volume"
    service = "ec2"
    deletion = Traits(seconds=10, interrupts="", reversible=False)

    def found(self, aws: Aws, maker: Maker) -> Iterator[Observed]:
        for item in aws.pages("ec2", "describe_volumes", "Volumes"):
            tags = tag_dict(item.get("Tags"))
            if maker.made(tags) and item["State"] not in ("deleting", "deleted"):
                attributes = {"size_gib": item.get("Size")}
                yield Observed(self.kind, item["VolumeId"], item["VolumeId"], attributes, tags, item["State"])

    def delete(self, aws: Aws, observed: Observed) -> None:
        with unless_gone():
            aws.client("ec2").delete_volume(VolumeId=observed.id)


class ServiceLogGroup(Leftover):
    """A log group that a service made for what it ran: EKS, RDS, the agents in a cluster."""

    kind = "service_log_group"
    label = "log group of a service"
    service = "logs"

    def found(self, aws: Aws, maker: Maker) -> Iterator[Observed]:
        for prefix in maker.log_groups:
            for item in aws.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=prefix):
                name, arn = item["logGroupName"], str(item["arn"]).removesuffix(":*")
                # One with owner tags is removed by the layer that made it.
                if TAG_ENVIRONMENT in aws.client("logs").list_tags_for_resource(resourceArn=arn)["tags"]:
                    continue
                yield Observed(self.kind, name, name, {"arn": arn, "stored_bytes": item.get("storedBytes")})

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("logs")
        try:
            client.delete_log_group(logGroupName=observed.id)
        except client.exceptions.ResourceNotFoundException:
            return
