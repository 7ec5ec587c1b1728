"""Eventual consistency: a new resource is there, but Describe calls do not show it yet.

With the `aws` time profile EC2's reads lag behind its writes. A resource that is too new is taken out of moto's
collections for the length of one Describe call, so that moto's own filters and NotFound errors do the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from moto.ec2.models import EC2Backend

from ...runtime import runtime

# The collection in moto's backend that each operation adds to.
COLLECTIONS = {
    "CreateVpc": "vpcs",
    "CreateSubnet": "subnets",
    "CreateInternetGateway": "internet_gateways",
    "CreateRouteTable": "route_tables",
    "CreateSecurityGroup": "groups",
    "CreateNatGateway": "nat_gateways",
    "CreateVpcEndpoint": "vpc_end_points",
    "CreateFlowLogs": "flow_logs",
    "CreateNetworkAcl": "network_acls",
}


@dataclass
class Fresh:
    """When each new resource of a Region can be seen: id -> (collection, model time)."""

    visible_at: dict[str, tuple[str, float]] = field(default_factory=dict)


def _store(backend: EC2Backend) -> Fresh:
    return runtime.store("ec2:fresh", backend.account_id, backend.region_name, Fresh)


def _shelves(backend: EC2Backend, collection: str) -> list[dict[str, Any]]:
    """The dictionaries that hold a collection: subnets are kept by zone, groups by VPC."""
    value = getattr(backend, collection)
    return list(value.values()) if collection in ("subnets", "groups") else [value]


def _ids(backend: EC2Backend, collection: str) -> set[str]:
    return {identifier for shelf in _shelves(backend, collection) for identifier in shelf}


@contextmanager
def noting_new(backend: EC2Backend, action: str) -> Iterator[None]:
    """Remember what an operation creates, and from when on it can be seen."""
    collection = COLLECTIONS.get(action)
    lag = runtime.clock.duration("ec2:consistency") if collection else 0.0
    if collection is None or not lag:
        yield
        return
    before = _ids(backend, collection)
    yield
    for identifier in _ids(backend, collection) - before:
        _store(backend).visible_at[identifier] = (collection, runtime.clock.now() + lag)


@contextmanager
def without_new(backend: EC2Backend) -> Iterator[None]:
    """Hide what is too new, for as long as the block runs."""
    fresh = _store(backend).visible_at
    now, hidden = runtime.clock.now(), []
    for identifier, (collection, visible_at) in list(fresh.items()):
        if now >= visible_at:
            del fresh[identifier]
            continue
        for shelf in _shelves(backend, collection):
            if identifier in shelf:
                hidden.append((shelf, identifier, shelf.pop(identifier)))
    try:
        yield
    finally:
        for shelf, identifier, resource in hidden:
            shelf[identifier] = resource
