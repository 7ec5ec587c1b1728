# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IAM policy documents: how they are compared, and the ones that many roles share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.policy import compare_policies

#: The version of the policy language; the older one knows no variables.
VERSION = "2012-10-17"


def document(*statements: Mapping[str, Any]) -> dict[str, Any]:
    """Return a policy document of these statements."""
    return {"Version": VERSION, "Statement": [dict(statement) for statement in statements]}


def service_trust(*services: str, actions: Sequence[str] = ("sts:AssumeRole",), **condition: Any) -> dict[str, Any]:
    """Return a trust policy for AWS services.

    Args:
        services: principals, e.g. ``eks.amazonaws.com``.
        actions: EKS Auto Mode and Pod Identity need ``sts:TagSession`` beside ``sts:AssumeRole``.
        condition: operators of a condition, e.g. ``StringEquals={"aws:SourceAccount": "123456789012"}``.
    """
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": list(services)},
        "Action": list(actions),
        **({"Condition": condition} if condition else {}),
    }
    return document(statement)


def aws_managed_policy(partition: str, name: str) -> str:
    """Return the ARN of a policy that AWS keeps.

    Args:
        name: with its path if it has one, e.g. ``service-role/AmazonEBSCSIDriverPolicy``.
    """
    return f"arn:{partition}:iam::aws:policy/{name}"


def same_document(wanted: Mapping[str, Any] | None, observed: Mapping[str, Any] | None) -> bool:
    """Tell whether two policy documents mean the same, in whatever order and spelling AWS returns them."""
    if not wanted or not observed:
        return not wanted and not observed
    # Through JSON, because compare_policies tells texts from lists by the names of their types, and texts of
    # inventories have another one than str.
    plain: dict[str, Any] = json.loads(json.dumps(wanted))
    return not compare_policies(dict(observed), plain, default_version="2008-10-17")


def same_documents(wanted: Mapping[str, Any], observed: Mapping[str, Any] | None) -> bool:
    """Tell whether two sets of named policy documents mean the same."""
    standing = observed or {}
    return wanted.keys() == standing.keys() and all(same_document(wanted[name], standing[name]) for name in wanted)
