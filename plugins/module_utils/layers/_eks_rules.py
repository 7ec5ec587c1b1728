# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the options of a cluster must be like, beyond their types."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..engine.values import is_pending
from ..resources.log_group import RETENTION_DAYS

#: CreateCluster.name, less what names of roles have no room for.
NAME = re.compile(r"[0-9A-Za-z][A-Za-z0-9_-]*")
LONGEST_CLUSTER_NAME = 100
LONGEST_ROLE_NAME = 64
#: The longest ending that the names of our own roles add to the cluster's.
ENDING = "-cluster"
#: The logical name of the entry of Auto Mode nodes.
NODES = "node"
#: What the value of a tag may hold; the names of entries and workloads are kept in tags.
TAG_VALUE = re.compile(r"[\w .:/=+@-]+")


def problems(params: Mapping[str, Any], cluster: str) -> list[str]:
    """Return a sentence for each thing about the options that cannot be; empty if all is well."""
    if params["state"] == "absent":
        return list(_removal(params, cluster))
    return [
        *_names(params, cluster),
        *_endpoint(params),
        *_settings(params),
        *_entries(params["access_entries"]),
        *_workloads(params["workload_roles"], cluster),
    ]


def entry_name(entry: Mapping[str, Any]) -> str:
    """Return the logical name of an access entry: its own, or else the principal's without account."""
    return str(entry["name"] or entry["principal_arn"].rpartition(":")[2])


def role_name(role: Mapping[str, Any], cluster: str) -> str:
    """Return the name of a workload's role: the one chosen, or else one made of cluster and service account."""
    return str(role["role_name"] or f"{cluster}-{role['namespace']}-{role['service_account']}")


def _removal(params: Mapping[str, Any], cluster: str) -> Iterator[str]:
    if params["deletion_protection"]:
        yield (
            f"The EKS cluster {cluster} is protected: state is absent, but deletion_protection is true. "
            "Set deletion_protection to false for the run that removes it."
        )


def _names(params: Mapping[str, Any], cluster: str) -> Iterator[str]:
    if len(cluster) > LONGEST_CLUSTER_NAME or not NAME.fullmatch(cluster):
        yield (
            f"{cluster!r} cannot be the name of an EKS cluster. Choose a cluster_name of at most "
            f"{LONGEST_CLUSTER_NAME} letters, digits, hyphens and underscores that begins with a letter or digit."
        )
    elif len(cluster + ENDING) > LONGEST_ROLE_NAME:
        room = LONGEST_ROLE_NAME - len(ENDING)
        yield (
            f"The cluster's role would be named {cluster + ENDING!r}, which is longer than the {LONGEST_ROLE_NAME} "
            f"characters that IAM takes. Choose a cluster_name of at most {room}."
        )


def _endpoint(params: Mapping[str, Any]) -> Iterator[str]:
    public = params["endpoint_public_access"]
    if public and not params["public_access_cidrs"]:
        yield (
            "endpoint_public_access is true, but public_access_cidrs is empty, which EKS takes for everybody. "
            "Name the ranges that may reach the API server, or set endpoint_public_access to false."
        )
    if not public and not params["endpoint_private_access"]:
        yield (
            "endpoint_public_access and endpoint_private_access are both false, so nobody could reach the API server. "
            "Set endpoint_private_access to true."
        )


def _settings(params: Mapping[str, Any]) -> Iterator[str]:
    days, subnets = params["log_retention_days"], params["subnet_ids"]
    if days not in RETENTION_DAYS:
        choices = ", ".join(str(choice) for choice in RETENTION_DAYS)
        yield f"log_retention_days is {days}: CloudWatch Logs takes {choices}, 0 being for ever. Choose one."
    if len(set(subnets)) < 2 and not is_pending(subnets):
        yield f"subnet_ids is {subnets}: EKS needs subnets in at least two zones. Name another one."
    if params["builtin_node_pools"] and not params["auto_mode"]:
        yield (
            f"builtin_node_pools is {params['builtin_node_pools']}, but auto_mode is false, and only Auto Mode has "
            "them. Set auto_mode to true, or builtin_node_pools to []."
        )


def _entries(entries: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for name, count in Counter(entry_name(entry) for entry in entries).items():
        if count > 1:
            yield f"access_entries has {count} entries named {name!r}. Set name for each."
        if name == NODES:
            yield f"access_entries has {name!r}, which is the entry of Auto Mode nodes. Set another name."
        if not TAG_VALUE.fullmatch(name):
            yield f"access_entries has {name!r}, which AWS takes in no tag. Set name for this entry."
    for arn, count in Counter(entry["principal_arn"] for entry in entries).items():
        if count > 1:
            yield f"access_entries has {arn} {count} times, but EKS keeps one entry a principal. Join them."
        if ":assumed-role/" in arn:
            yield (
                f"access_entries has {arn}, which is a session. EKS takes the role's own ARN: "
                "arn:aws:iam::ACCOUNT:role/NAME."
            )
    for entry in entries:
        yield from _policies(entry)


def _policies(entry: Mapping[str, Any]) -> Iterator[str]:
    named = Counter((policy.get("arn") or policy.get("name") or "").rpartition("/")[2] for policy in entry["policies"])
    for policy, count in named.items():
        if count > 1:
            yield (
                f"access_entries gives {entry['principal_arn']} the policy {policy} {count} times, but EKS keeps one "
                "scope for it. Join the namespaces."
            )
    for policy in entry["policies"]:
        if bool(policy.get("name")) == bool(policy.get("arn")):
            yield (
                f"access_entries gives {entry['principal_arn']} a policy with name {policy.get('name')!r} and arn "
                f"{policy.get('arn')!r}. Set one of them."
            )
    if entry["groups"] and entry["type"] != "STANDARD":
        yield (
            f"access_entries gives {entry['principal_arn']} groups, but EKS takes none for type {entry['type']}. "
            "Leave groups out, or set type to STANDARD."
        )


def _workloads(roles: Iterable[Mapping[str, Any]], cluster: str) -> Iterator[str]:
    for workload, count in Counter(f"{role['namespace']}/{role['service_account']}" for role in roles).items():
        if count > 1:
            yield f"workload_roles has {workload} {count} times, but a service account gets one role. Join them."
    for name, count in Counter(role_name(role, cluster) for role in roles).items():
        if count > 1:
            yield f"workload_roles has {count} roles named {name!r}. Set role_name for each."
        if len(name) > LONGEST_ROLE_NAME:
            yield (
                f"workload_roles has a role named {name!r}, which is longer than the {LONGEST_ROLE_NAME} characters "
                "that IAM takes. Set role_name."
            )
