# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The network of an environment: a VPC in tiers, its ways out, and what may cross its borders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.adoption import ADOPTED, Found
from ..engine.aws import Aws
from ..engine.errors import PlanRefused
from ..engine.layer import Context, Layer, View
from ..engine.model import Key, Wanted
from ..engine.values import Ref
from ..resources.ec2_elastic_ip import ElasticIp
from ..resources.ec2_flow_log import FlowLog
from ..resources.ec2_internet_gateway import InternetGateway
from ..resources.ec2_nat_gateway import NatGateway
from ..resources.ec2_network_acl import NetworkAcl
from ..resources.ec2_route_table import Route, RouteTable
from ..resources.ec2_security_group import SecurityGroup
from ..resources.ec2_subnet import Subnet
from ..resources.ec2_vpc import Vpc
from ..resources.ec2_vpc_endpoint import VpcEndpoint
from ..resources.iam_role import IamRole
from ..resources.log_group import RETENTION_DAYS, LogGroup
from ..resources.policies import document, service_trust
from . import _vpc_adoption
from ._vpc_addresses import TIERS, Addresses, addresses, outside_problems
from ._vpc_rules import ANYWHERE, acl_entries, group_rules, port_problems

VPC = Ref("ec2_vpc", "main")
INTERNET = Ref("ec2_internet_gateway", "internet")
FLOW_LOGS = "vpc-flow-logs"
#: By these tags Elastic Load Balancing finds the subnets of its load balancers.
ROLE_TAGS = {
    "public": {"kubernetes.io/role/elb": "1"},
    "private": {"kubernetes.io/role/internal-elb": "1"},
    "database": {},
}
PURPOSES = {
    "alb": "Load balancers: HTTPS from clients",
    "nodes": "Nodes of the cluster, beside the group that EKS makes",
    "database": "Databases: PostgreSQL from the cluster",
    "endpoints": "Interface endpoints: HTTPS from the VPC",
}
#: The only services that have gateway endpoints.
GATEWAY_SERVICES = ("s3", "dynamodb")


def build(params: Mapping[str, Any], context: Context) -> Sequence[Wanted]:
    """Return everything that the options ask for.

    Raises:
        PlanRefused: with every reason why that cannot be.
    """
    reasons = [*port_problems(params), *outside_problems(params), *_option_problems(params)]
    if reasons:
        raise PlanRefused(reasons)
    net = addresses(params, context.region)
    return [
        _vpc(net, context),
        Wanted("ec2_internet_gateway", "internet", {"vpc_id": VPC}, context.tags("internet")),
        *_subnets(net, context),
        *_route_tables(net, context),
        *_acls(params, net, context),
        *_groups(params, net, context),
        *_nat(params, net, context),
        *_endpoints(params, net, context),
        *_flow_logs(params, context),
    ]


def _option_problems(params: Mapping[str, Any]) -> list[str]:
    reasons = [
        f"interface_endpoints has {service!r}: its gateway endpoint is free and needs no address. "
        "Name it in gateway_endpoints."
        for service in params["interface_endpoints"] or ()
        if service in GATEWAY_SERVICES
    ]
    days = params["flow_logs"]["retention_days"]
    if days not in RETENTION_DAYS:
        choices = ", ".join(str(choice) for choice in RETENTION_DAYS)
        reasons.append(
            f"flow_logs.retention_days is {days}: CloudWatch Logs takes {choices}, 0 being for ever. Choose one."
        )
    if (params["state"] == ADOPTED) != bool(params["vpc_id"]):
        reasons.append("vpc_id names the VPC to take over: give it with state=adopted, and with no other state.")
    return reasons


def _vpc(net: Addresses, context: Context) -> Wanted:
    attributes = {
        "cidr": net.vpc[0],
        "secondary_cidrs": list(net.vpc[1:]),
        "dns_support": True,
        "dns_hostnames": True,
        "default_group_rules": [],
    }
    return Wanted(VPC.kind, VPC.name, attributes, context.tags("main"))


def _subnets(net: Addresses, context: Context) -> list[Wanted]:
    result = []
    for tier in TIERS:
        for zone, cidr in zip(net.zones, net.tiers[tier], strict=True):
            # Load balancers and NAT gateways bring their addresses; nothing else in the tier should be reachable.
            attributes = {"vpc_id": VPC, "cidr": cidr, "zone": zone, "public_ips": False}
            name = f"{tier}-{zone}"
            result.append(Wanted("ec2_subnet", name, attributes, context.tags(name, **ROLE_TAGS[tier])))
    return result


def _subnet_refs(tier: str, net: Addresses) -> list[Ref]:
    return [Ref("ec2_subnet", f"{tier}-{zone}") for zone in net.zones]


def _route_tables(net: Addresses, context: Context) -> list[Wanted]:
    tables = [
        Wanted("ec2_route_table", tier, {"vpc_id": VPC, "subnets": _subnet_refs(tier, net)}, context.tags(tier))
        for tier in TIERS
    ]
    return [*tables, _route("public", INTERNET)]


def _route(tier: str, target: Ref) -> Wanted:
    attributes = {"route_table_id": Ref("ec2_route_table", tier), "destination": ANYWHERE, "target": target}
    return Wanted("ec2_route", f"{tier}-{ANYWHERE}", attributes)


def _acls(params: Mapping[str, Any], net: Addresses, context: Context) -> list[Wanted]:
    entries = acl_entries(params, net)
    return [
        Wanted(
            "ec2_network_acl",
            tier,
            {"vpc_id": VPC, "entries": entries[tier], "subnets": _subnet_refs(tier, net)},
            context.tags(tier),
        )
        for tier in TIERS
    ]


def _groups(params: Mapping[str, Any], net: Addresses, context: Context) -> list[Wanted]:
    return [
        Wanted(
            "ec2_security_group",
            name,
            {
                "group_name": context.identity.name(name),
                "description": PURPOSES[name],
                "vpc_id": VPC,
                "rules": rules,
            },
            context.tags(name),
        )
        for name, rules in group_rules(params, net).items()
    ]


def _nat(params: Mapping[str, Any], net: Addresses, context: Context) -> list[Wanted]:
    """Return the gateway of the private tier, the address that it stands on, and the route to it."""
    if params["nat"] == "none":
        return []
    # AWS takes no gateway in a VPC without a way to the internet (Gateway.NotAttached).
    after = ((INTERNET.kind, INTERNET.name),)
    result, name, place = [], "regional", {"mode": "regional", "vpc_id": VPC}
    if params["nat"] == "zonal_single":
        zone = net.zones[0]
        # Named after its zone, so that another zone gets its own before this one goes.
        name, address = f"zonal-{zone}", f"nat-{zone}"
        result.append(Wanted("ec2_elastic_ip", address, {}, context.tags(address)))
        allocation, subnet = Ref("ec2_elastic_ip", address), Ref("ec2_subnet", f"public-{zone}")
        place = {"mode": "zonal", "allocation_id": allocation, "subnet_id": subnet}
    gateway = Wanted("ec2_nat_gateway", name, place, context.tags(name), after)
    return [*result, gateway, _route("private", Ref("ec2_nat_gateway", name))]


def _endpoints(params: Mapping[str, Any], net: Addresses, context: Context) -> list[Wanted]:
    tables = [Ref("ec2_route_table", tier) for tier in ("private", "database")]
    groups = [Ref("ec2_security_group", "endpoints")]
    interface: dict[str, Any] = {
        "subnets": _subnet_refs("private", net),
        "security_groups": groups,
        "private_dns": True,
    }
    gateway: dict[str, Any] = {"route_tables": tables}
    asked = [(service, "Gateway", gateway) for service in params["gateway_endpoints"] or ()]
    asked += [(service, "Interface", interface) for service in params["interface_endpoints"] or ()]
    return [
        Wanted(
            "ec2_vpc_endpoint",
            service,
            {"vpc_id": VPC, "service": f"com.amazonaws.{context.region}.{service}", "type": way, **more},
            context.tags(service),
        )
        for service, way, more in asked
    ]


def _flow_logs(params: Mapping[str, Any], context: Context) -> list[Wanted]:
    """Return the log of the VPC, the group that it is written to, and the role that writes it."""
    options = params["flow_logs"]
    if not options["enabled"]:
        return []
    group = f"/{context.identity.platform}/{context.identity.environment}/{FLOW_LOGS}"
    role = {
        "name": context.identity.name(FLOW_LOGS),
        "description": f"Writes the VPC flow logs of {context.identity.prefix}",
        "trust": service_trust(
            "vpc-flow-logs.amazonaws.com", StringEquals={"aws:SourceAccount": context.aws.account_id}
        ),
        "managed_policies": [],
        "inline_policies": {"write": _write_policy(context, group)},
    }
    log = {
        "vpc_id": VPC,
        "traffic_type": options["traffic_type"],
        "log_group": Ref("log_group", FLOW_LOGS, "name"),
        "role_arn": Ref("iam_role", FLOW_LOGS, "arn"),
        "aggregation_seconds": options["aggregation_seconds"],
    }
    retention = {"name": group, "retention_days": options["retention_days"]}
    return [
        Wanted("iam_role", FLOW_LOGS, role, context.tags(FLOW_LOGS)),
        Wanted("log_group", FLOW_LOGS, retention, context.tags(FLOW_LOGS)),
        Wanted("ec2_flow_log", "vpc", log, context.tags("vpc")),
    ]


def _write_policy(context: Context, group: str) -> dict[str, Any]:
    return document(
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
            "Resource": context.arn("logs", f"log-group:{group}:*"),
        },
        # Lists the groups of the account; IAM knows no narrower resource for it.
        {"Effect": "Allow", "Action": "logs:DescribeLogGroups", "Resource": "*"},
    )


def outputs(view: View, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what other roles need; lists are in the order of the zones."""
    zones = list(params["zones"])
    gateway = next(iter(view.names("ec2_nat_gateway")), None)
    return {
        "vpc_id": view.get(*_key(VPC)),
        "vpc_cidr": view.get(*_key(VPC), "cidr"),
        "zones": zones,
        "subnet_ids": {tier: [view.get("ec2_subnet", f"{tier}-{zone}") for zone in zones] for tier in TIERS},
        "security_group_ids": {name: view.get("ec2_security_group", name) for name in PURPOSES},
        "route_table_ids": {tier: view.get("ec2_route_table", tier) for tier in TIERS},
        "nat_gateway_id": view.get("ec2_nat_gateway", gateway) if gateway else None,
        "nat_public_ips": _public_ips(view, gateway),
        "flow_log_group": view.get("log_group", FLOW_LOGS, "name"),
    }


def _public_ips(view: View, gateway: str | None) -> list[str]:
    if gateway is None:
        return []
    addresses_of = [view.get("ec2_elastic_ip", name, "public_ip") for name in view.names("ec2_elastic_ip")]
    if addresses_of:
        return addresses_of
    # A regional gateway's addresses are AWS's choice, and known once it is there.
    known = view.get("ec2_nat_gateway", gateway, "public_ips")
    return list(known) if isinstance(known, (list, tuple)) else [known]


def find(aws: Aws, params: Mapping[str, Any], wanted: Mapping[Key, Wanted]) -> Found:
    """Return what in the VPC to take over is meant by what is wanted."""
    vpc_id = params["vpc_id"]
    return _vpc_adoption.match(vpc_id, _vpc_adoption.read(aws, vpc_id), wanted)


def _key(ref: Ref) -> tuple[str, str]:
    return ref.kind, ref.name


LAYER = Layer(
    "network",
    (
        IamRole(),
        LogGroup(),
        Vpc(),
        InternetGateway(),
        Subnet(),
        RouteTable(),
        NetworkAcl(),
        SecurityGroup(),
        ElasticIp(),
        NatGateway(),
        Route(),
        VpcEndpoint(),
        FlowLog(),
    ),
    build,
    outputs,
    find=find,
)
