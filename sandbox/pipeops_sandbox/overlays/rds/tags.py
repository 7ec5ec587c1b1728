"""Tags of every kind of RDS resource."""

from __future__ import annotations

from typing import Any

from pipeops_sandbox.errors import AwsError

from . import parameters, snapshots, subnets, subscriptions
from .call import Call, checked_tags
from .replication import find_backup
from .rules import invalid
from .store import ParameterGroup, RdsStore, Tags, arn, stores_of


def _holder(call: Call) -> Any:
    """Return what an ARN of this region names; each kind has a ``tags`` attribute.

    Raises:
        AwsError: the not-found error of its kind, or ``InvalidParameterValue`` for no ARN of RDS here.
    """
    given = call.text("ResourceName")
    parts = given.split(":", 6)
    if len(parts) != 7 or parts[2] != "rds" or parts[3:5] != [call.region, call.account]:
        raise invalid(
            f"Invalid resource name: {given}; must be an ARN of RDS in {call.region}, account {call.account}."
        )
    kind, name = parts[5], parts[6]
    if kind == "db":
        return call.instance("ResourceName")
    if kind == "pg":
        return parameters.find(call.store, name)
    if kind == "subgrp":
        return subnets.find(call.store, name)
    if kind == "snapshot":
        return snapshots.find(call.store, given)
    if kind == "auto-backup":
        return find_backup(call, given)
    return _group_or_subscription(call, kind, name)


def _group_or_subscription(call: Call, kind: str, name: str) -> Any:
    if kind == "og":
        if name in call.store.option_groups:
            return call.store.option_groups[name]
        raise AwsError("OptionGroupNotFoundFault", f"Specified OptionGroupName: {name} not found.")
    if kind == "es":
        subscriptions.settle(call)
        if name in call.store.subscriptions:
            return call.store.subscriptions[name]
        raise AwsError("SubscriptionNotFound", f"Subscription {name} not found.")
    raise invalid(f"Invalid resource type {kind} in {call.text('ResourceName')}.")


def _keep(call: Call, holder: Any, tags: Tags) -> None:
    """Put tags in place; those of RDS's own default groups are kept beside, as the groups are made up each time."""
    holder.tags = tags
    if isinstance(holder, ParameterGroup) and holder.name.startswith("default."):
        call.store.defaults[holder.name] = tags


def add_tags_to_resource(call: Call) -> dict[str, Any]:
    """AddTagsToResource: tags with the same key are replaced."""
    holder = _holder(call)
    new = call.tags()
    names = {tag["Key"] for tag in new}
    _keep(call, holder, checked_tags([tag for tag in holder.tags if tag["Key"] not in names] + new))
    return {}


def remove_tags_from_resource(call: Call) -> dict[str, Any]:
    """RemoveTagsFromResource: keys that are not there are ignored."""
    holder = _holder(call)
    names = {str(key) for key in call.items("TagKeys")}
    _keep(call, holder, [tag for tag in holder.tags if tag["Key"] not in names])
    return {}


def list_tags_for_resource(call: Call) -> dict[str, Any]:
    """ListTagsForResource."""
    return {"TagList": _holder(call).tags}


def tagged_resources(account: str, region: str) -> list[tuple[str, Tags]]:
    """Return the ARN and the tags of everything of RDS in a region, for the resource groups tagging API."""
    found: list[tuple[str, Tags]] = []
    for store in stores_of(account):
        if store.region == region:
            found += [(arn(region, account, kind, name), one.tags) for kind, name, one in _all(store)]
    return found


def _all(store: RdsStore) -> list[tuple[str, str, Any]]:
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("db", dict(store.instances)),
        ("pg", dict(store.parameter_groups)),
        ("subgrp", dict(store.subnet_groups)),
        ("og", dict(store.option_groups)),
        ("snapshot", dict(store.snapshots)),
        ("auto-backup", dict(store.backups)),
        ("es", dict(store.subscriptions)),
    ]
    return [(kind, name, one) for kind, rows in kinds for name, one in rows.items()]
