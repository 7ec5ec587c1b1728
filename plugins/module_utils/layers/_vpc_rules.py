# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may cross the borders of a network: the entries of its network ACLs, the rules of its security groups.

A network ACL has no memory, so each allowed connection needs an entry for its replies too. Clients take their ports
from 1024-65535 at the widest ("Ephemeral ports", Amazon VPC user guide: NAT gateways and load balancers use all of
them), the machines under RDS, being Linux, from 32768 on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..engine.errors import PlanRefused
from ..engine.values import Ref
from ..resources.ec2_security_group import ITSELF
from ._vpc_addresses import Addresses, summary

ANYWHERE = "0.0.0.0/0"
EPHEMERAL = "1024-65535"
LINUX_EPHEMERAL = "32768-65535"
#: Ports that RDS for PostgreSQL takes start here, and Linux's ephemeral ports end them.
LOWEST_DATABASE_PORT, HIGHEST_DATABASE_PORT = 1150, 32767
#: Entries of one direction: AWS's default quota of 20 counts its own last denial ("Amazon VPC quotas").
MOST_ENTRIES = 19
#: Rules of one direction of a security group, AWS's default quota.
MOST_RULES = 60

Row = tuple[str, str, str]


def port_problems(params: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the database's port."""
    port = params["database_port"]
    if LOWEST_DATABASE_PORT <= port <= HIGHEST_DATABASE_PORT:
        return []
    return [
        f"database_port is {port}: RDS takes {LOWEST_DATABASE_PORT} and up, and above {HIGHEST_DATABASE_PORT} the "
        "database tier's network ACL lets in replies from anywhere. Choose a port between them, e.g. 5432."
    ]


def acl_entries(params: Mapping[str, Any], net: Addresses) -> dict[str, list[dict[str, Any]]]:
    """Return the entries of each tier's network ACL.

    Raises:
        PlanRefused: if a tier needs more than AWS takes.
    """
    tables = {"public": _public(net), "private": _private(net), "database": _database(params, net)}
    result = {
        tier: [*_numbered("ingress", inward), *_numbered("egress", outward)]
        for tier, (inward, outward) in tables.items()
    }
    reasons = []
    for tier, entries in result.items():
        most = max(sum(one["direction"] == way for one in entries) for way in ("ingress", "egress"))
        if most > MOST_ENTRIES:
            reasons.append(
                f"The network ACL of the {tier} tier would need {most} entries in one direction, and AWS takes "
                f"{MOST_ENTRIES}. Give peer_database_cidrs as fewer, wider ranges."
            )
    if reasons:
        raise PlanRefused(reasons)
    return result


Blocks = Sequence[Sequence[Row]]


def _numbered(direction: str, blocks: Blocks) -> Iterable[dict[str, Any]]:
    """Number the entries: each purpose has a hundred of its own, so that a longer list moves no other purpose."""
    for hundred, block in enumerate(blocks, start=1):
        for position, (protocol, ports, cidr) in enumerate(block):
            yield {
                "direction": direction,
                "rule": hundred * 100 + position,
                "action": "allow",
                "protocol": protocol,
                "ports": ports,
                "cidr": cidr,
            }


def _each(protocol: str, ports: str, cidrs: Iterable[str]) -> list[Row]:
    return [(protocol, ports, cidr) for cidr in cidrs]


def _public(net: Addresses) -> tuple[Blocks, Blocks]:
    web = [("tcp", "80-80", ANYWHERE), ("tcp", "443-443", ANYWHERE)]
    return [_each("all", "all", net.vpc), web, _replies()], [_each("all", "all", [ANYWHERE])]


def _private(net: Addresses) -> tuple[Blocks, Blocks]:
    # Replies keep the address of the internet host behind a NAT gateway too, hence from anywhere.
    return [_each("all", "all", net.vpc), _replies()], [_each("all", "all", [ANYWHERE])]


def _replies() -> list[Row]:
    return [("tcp", EPHEMERAL, ANYWHERE), ("udp", EPHEMERAL, ANYWHERE)]


def _database(params: Mapping[str, Any], net: Addresses) -> tuple[Blocks, Blocks]:
    """Return the tier's table: its port from the nodes' subnets and peers, all among itself, HTTPS to AWS.

    A gateway endpoint is reached at public addresses, which no entry can name but as anywhere; the tier has no route
    to any other. An interface endpoint is inside the VPC.
    """
    private, own = summary(net.tiers["private"]), summary(net.tiers["database"])
    port = f"{params['database_port']}-{params['database_port']}"
    peers = list(dict.fromkeys(params["peer_database_cidrs"] or ()))
    services = [ANYWHERE] if params["gateway_endpoints"] else net.vpc
    inward = [
        _each("tcp", port, private),
        _each("all", "all", own),
        _each("tcp", port, peers),
        _each("tcp", LINUX_EPHEMERAL, peers),
        _each("tcp", LINUX_EPHEMERAL, services),
    ]
    outward = [
        _each("tcp", EPHEMERAL, private),
        _each("all", "all", own),
        _each("tcp", port, peers),
        _each("tcp", EPHEMERAL, peers),
        _each("tcp", "443-443", services),
    ]
    return inward, outward


def group_rules(params: Mapping[str, Any], net: Addresses) -> dict[str, list[dict[str, Any]]]:
    """Return the rules of each security group.

    ``nodes`` is for nodes beside the group that EKS makes for the cluster, which carries the control plane's
    traffic; it admits what load balancers of the group ``alb`` send to pods, since EKS adds such rules only to groups
    of its own.

    Raises:
        PlanRefused: if a group needs more than AWS takes.
    """
    alb = Ref("ec2_security_group", "alb")
    rules = {
        "alb": _alb_rules(params, net),
        "nodes": [
            _rule("ingress", "all", "all", ITSELF, "nodes and pods among each other"),
            _rule("ingress", "tcp", EPHEMERAL, alb, "load balancers to pods"),
            _rule("egress", "all", "all", ANYWHERE, "anything, by way of NAT and endpoints"),
        ],
        "database": _database_rules(params),
    }
    if params["interface_endpoints"]:
        rules["endpoints"] = [_rule("ingress", "tcp", "443-443", cidr, "HTTPS from the VPC") for cidr in net.vpc]
    reasons = [reason for name, its in rules.items() for reason in _quota_problems(name, its)]
    if reasons:
        raise PlanRefused(reasons)
    return rules


def _alb_rules(params: Mapping[str, Any], net: Addresses) -> list[dict[str, Any]]:
    clients = dict.fromkeys(params["alb_ingress_cidrs"] or ())
    return [
        *(_rule("ingress", "tcp", "443-443", cidr, "HTTPS from clients") for cidr in clients),
        *(_rule("egress", "tcp", EPHEMERAL, cidr, "to pods and nodes") for cidr in net.vpc),
    ]


def _database_rules(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    port = f"{params['database_port']}-{params['database_port']}"
    peers = dict.fromkeys(params["peer_database_cidrs"] or ())
    return [
        _rule("ingress", "tcp", port, Ref("ec2_security_group", "nodes"), "PostgreSQL from the cluster"),
        *(_rule("ingress", "tcp", port, cidr, "PostgreSQL from a peer") for cidr in peers),
    ]


def _quota_problems(group: str, rules: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    count = sum(rule["direction"] == "ingress" for rule in rules)
    if count > MOST_RULES:
        yield (
            f"The security group {group} would need {count} rules for what comes in, and AWS takes {MOST_RULES}. "
            "Give alb_ingress_cidrs or peer_database_cidrs as fewer, wider ranges."
        )


def _rule(direction: str, protocol: str, ports: str, peer: str | Ref, description: str) -> dict[str, Any]:
    return {"direction": direction, "protocol": protocol, "ports": ports, "peer": peer, "description": description}
