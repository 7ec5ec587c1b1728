# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Version, endpoint, addresses, nodes and access of a cluster."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from ipaddress import IPv4Network

from ..layers._eks_addons import addon_problems
from ..layers._eks_rules import LONGEST_ROLE_NAME, role_name
from .inventory import Inventory, range_fault, repeated
from .log_retention import retention_problem
from .network_rules import RFC_1918, tier_ranges
from .problems import Problem

VERSION = re.compile(r"1\.[0-9]{2}")
#: The first version that Auto Mode runs ("Create an EKS Auto Mode cluster").
FIRST_MINOR = 29
#: Ranges that the public endpoint can be opened for; a service quota of EKS.
MOST_PUBLIC_CIDRS = 40
#: Prefix lengths of the range of services, after ``serviceIpv4Cidr`` in the EKS API.
SERVICES_FROM, SERVICES_TO = 12, 24
TYPE = re.compile(r"[a-z][a-z0-9-]*\.(?P<size>nano|micro|small|medium|large|[0-9]*xlarge|metal(-[0-9]+xl)?)")
#: Sizes that Auto Mode leaves out; a medium has one vCPU, which is too few as well, except in the T families.
TOO_SMALL = ("nano", "micro", "small")
#: Addresses that Auto Mode gives a node at a time (a /28), and those that AWS keeps of a subnet.
ADDRESSES_OF_NODE, ADDRESSES_OF_AWS = 16, 5
REVISION = re.compile(r"[A-Za-z0-9]{1,10}")
PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[\w+=,.@/-]+")


def version(inventory: Inventory) -> Iterable[Problem]:
    """A Kubernetes version is 1 and two more digits, and one that Auto Mode runs."""
    text = inventory.text("eks_version")
    if text and not VERSION.fullmatch(text):
        mend = 'Write the minor version in quotes, without patch or v, e.g. "1.36".'
        yield inventory.problem("eks_version", "EKS names its versions by major and minor number", mend)
    elif text and int(text[2:]) < FIRST_MINOR:
        mend = f'Write "1.{FIRST_MINOR}" or a later one.'
        yield inventory.problem("eks_version", f"Auto Mode begins with 1.{FIRST_MINOR}", mend)


def public_endpoint(inventory: Inventory) -> Iterable[Problem]:
    """A public endpoint is open for named public ranges, never for everybody."""
    cidrs = inventory.texts("eks_public_access_cidrs")
    if inventory.flag("eks_endpoint_public_access") and not cidrs:
        mend = "Name them in eks_public_access_cidrs, or write false."
        reason = "without ranges that may use it the API server would be open to everybody"
        yield inventory.problem("eks_endpoint_public_access", reason, mend)
    if len(cidrs) > MOST_PUBLIC_CIDRS:
        reason = f"EKS takes {MOST_PUBLIC_CIDRS} ranges, these are {len(cidrs)}"
        yield inventory.problem("eks_public_access_cidrs", reason, "Join some into wider ones.")
    for cidr in repeated(cidrs):
        yield inventory.problem("eks_public_access_cidrs", f"{cidr} is there twice", "Name each range once.")
    for cidr in cidrs:
        yield from _public_range(inventory, cidr)


def _public_range(inventory: Inventory, text: str) -> Iterable[Problem]:
    variable, fault = "eks_public_access_cidrs", range_fault(text)
    if fault:
        yield inventory.problem(variable, *fault, value=text)
    elif IPv4Network(text).prefixlen == 0:
        mend = "Name the ranges of your offices and of your CI."
        yield inventory.problem(variable, "it opens the API server to everybody", mend, value=text)
    elif not IPv4Network(text).is_global:
        # Answered with InvalidParameterException "The following CIDRs are not allowed in publicAccessCidrs".
        reason = "EKS takes no private, reserved or documentation range for its public endpoint"
        mend = "Name the public addresses that your people come from; from inside, the private endpoint is there."
        yield inventory.problem(variable, reason, mend, value=text)


def services_range(inventory: Inventory) -> Iterable[Problem]:
    """The range of services is private, of a size that EKS takes, and apart from the VPC."""
    variable, text = "eks_service_ipv4_cidr", inventory.text("eks_service_ipv4_cidr")
    fault = range_fault(text) if text else None
    if fault:
        yield inventory.problem(variable, *fault)
    network = inventory.network(variable)
    if network is None:
        return
    if not SERVICES_FROM <= network.prefixlen <= SERVICES_TO:
        reason = f"EKS takes /{SERVICES_FROM} to /{SERVICES_TO}"
        yield inventory.problem(variable, reason, "Write another prefix length, e.g. 172.20.0.0/16.")
    if not any(network.subnet_of(one) for one in RFC_1918):
        mend = "Write a range of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16."
        yield inventory.problem(variable, "EKS takes private ranges of RFC 1918 only", mend)
    first = inventory.network("vpc_cidr")
    for own in [*([first] if first else []), *inventory.networks("vpc_secondary_cidrs")]:
        if network.overlaps(own):
            reason = f"it overlaps {own} of the VPC, so services would hide hosts"
            yield inventory.problem(variable, reason, "Choose a range outside of the VPC, e.g. 172.20.0.0/16.")


def node_bounds(inventory: Inventory) -> Iterable[Problem]:
    """The bounds of nodes are in order, and there are addresses for the most of them."""
    least, most = inventory.number("eks_node_minimum"), inventory.number("eks_node_maximum")
    if least is not None and least < 1:
        mend = "Write 1 or more; to stop an environment for the night, hibernate it."
        yield inventory.problem("eks_node_minimum", "a cluster without nodes runs nothing", mend)
    if least is not None and most is not None and least > most:
        mend = f"Raise eks_node_maximum to {least} or more, or lower eks_node_minimum."
        yield inventory.problem("eks_node_minimum", f"it is more than eks_node_maximum, {most}", mend)
    private = tier_ranges(inventory)["private"]
    room = sum(network.num_addresses - ADDRESSES_OF_AWS for network in private) // ADDRESSES_OF_NODE
    if private and most is not None and most > room:
        reason = f"the private subnets have addresses for {room} nodes, which take {ADDRESSES_OF_NODE} each or more"
        yield inventory.problem("eks_node_maximum", reason, f"Write {room} or fewer, or widen vpc_private_subnets.")


def node_types(inventory: Inventory) -> Iterable[Problem]:
    """Instance types are such, each once, and none that Auto Mode leaves out for its size."""
    variable, types = "eks_node_instance_types", inventory.texts("eks_node_instance_types")
    if inventory.has(variable) and not types:
        yield inventory.problem(variable, "no node could start", "Name at least one type, e.g. [t3.medium].")
    for name in repeated(types):
        yield inventory.problem(variable, f"{name} is there twice", "Name each type once.")
    for name in types:
        found = TYPE.fullmatch(name)
        if not found:
            mend = "Write family and size, e.g. m5.large; the prefix db. is for databases."
            yield inventory.problem(variable, "this is no EC2 instance type", mend, value=name)
        elif not _auto_mode(inventory):
            continue
        elif found["size"] in TOO_SMALL or (found["size"] == "medium" and not name.startswith("t")):
            mend = "Choose t3.medium, or large and above."
            reason = "Auto Mode takes sizes above small with 2 vCPU or more"
            yield inventory.problem(variable, reason, mend, value=name)


def _auto_mode(inventory: Inventory) -> bool:
    return inventory.text("eks_compute") != "managed_node_groups"


def cluster_addons(inventory: Inventory) -> Iterable[Problem]:
    """EKS add-ons are named once, are none of what Auto Mode is itself, and share no service account with workloads."""
    addons = inventory.records("eks_cluster_addons")
    irsa = inventory.text("eks_workload_identity") == "irsa"
    for reason, mend in addon_problems(addons, auto_mode=_auto_mode(inventory), irsa=irsa):
        yield inventory.problem("eks_cluster_addons", reason, mend)
    roles = inventory.records("eks_workload_roles")
    taken = {f"{role.get('namespace')}/{role.get('service_account')}" for role in roles}
    for addon in addons:
        for role in addon.get("roles") or []:
            workload = f"{addon.get('namespace') or 'kube-system'}/{role.get('service_account')}"
            if workload in taken:
                reason = f"{workload} has a role in eks_workload_roles already, and EKS gives a service account one"
                yield inventory.problem("eks_cluster_addons", reason, "Take it out of one of them.")


def node_revision(inventory: Inventory) -> Iterable[Problem]:
    """What ends the names of node groups is short, and fits a name."""
    text = inventory.text("eks_node_revision")
    if text and not REVISION.fullmatch(text):
        mend = 'Write up to ten letters and digits, e.g. "2".'
        yield inventory.problem("eks_node_revision", "it is the ending of node groups' names", mend)


def access_entries(inventory: Inventory) -> Iterable[Problem]:
    """Who gets into the cluster is a role or user, named once."""
    arns = [str(entry.get("principal_arn", "")) for entry in inventory.records("eks_access_entries")]
    for arn in repeated(arns):
        yield inventory.problem("eks_access_entries", f"{arn} is there twice", "Join both entries into one.")
    for index, arn in enumerate(arns):
        variable = f"eks_access_entries[{index}].principal_arn"
        if not PRINCIPAL.fullmatch(arn):
            mend = "Write arn:aws:iam::ACCOUNT:role/NAME, without the session of sts."
            yield inventory.problem(variable, "EKS takes the ARN of an IAM role or user", mend, value=arn or "null")


def workload_roles(inventory: Inventory) -> Iterable[Problem]:
    """Each service account has one role, under a name that IAM takes."""
    roles = inventory.records("eks_workload_roles")
    complete = [role for role in roles if role.get("namespace") and role.get("service_account")]
    if len(complete) < len(roles):
        mend = "Give each a namespace and a service_account."
        yield inventory.problem("eks_workload_roles", "a role is for the pods of one service account", mend)
    for name in repeated(f"{role['namespace']}/{role['service_account']}" for role in complete):
        yield inventory.problem("eks_workload_roles", f"{name} is there twice", "Join both roles into one.")
    for role in complete:
        name = role_name({"role_name": None, **role}, inventory.prefix)
        if len(name) > LONGEST_ROLE_NAME:
            reason = f"the role {name} has {len(name)} characters, and IAM takes {LONGEST_ROLE_NAME}"
            yield inventory.problem("eks_workload_roles", reason, "Set a shorter role_name for it.")


def logs(inventory: Inventory) -> Iterable[Problem]:
    """Log types are named once, and kept for as long as CloudWatch Logs can."""
    for name in repeated(inventory.texts("eks_log_types")):
        yield inventory.problem("eks_log_types", f"{name} is there twice", "Name each log once.")
    yield from retention_problem(inventory, "eks_log_retention_days")


RULES: tuple[Callable[[Inventory], Iterable[Problem]], ...] = (
    version,
    public_endpoint,
    services_range,
    node_bounds,
    node_types,
    node_revision,
    cluster_addons,
    access_entries,
    workload_roles,
    logs,
)
