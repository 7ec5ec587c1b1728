# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keys of an environment: one for each kind of data, so that access can be given to each alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.errors import EngineError
from ..engine.layer import Context, Layer, View
from ..engine.model import Wanted
from ..resources.kms_key import KmsKey

#: How long AWS lets a key wait for its deletion (ScheduleKeyDeletion's reference).
DELETION_DAYS = range(7, 31)
#: What a service needs to use a key on behalf of somebody in the account.
USE = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]


def build(params: Mapping[str, Any], context: Context) -> Sequence[Wanted]:
    """Return one key for each item of the option ``keys``.

    Raises:
        EngineError: for a waiting period that AWS does not know.
    """
    days = params["deletion_days"]
    if days not in DELETION_DAYS:
        raise EngineError(
            f"deletion_days of the keys of {context.identity.prefix} in {context.region} is {days}, and AWS takes "
            f"{DELETION_DAYS[0]} to {DELETION_DAYS[-1]}. Nothing was changed. Set one of these."
        )
    removal = {"deletion_days": days} if params["state"] == "absent" else {}
    return [_key(name, options, context, removal) for name, options in params["keys"].items()]


def _key(name: str, options: Mapping[str, Any], context: Context, removal: Mapping[str, Any]) -> Wanted:
    attributes = {
        "alias": f"alias/{context.identity.name(name)}",
        "description": options.get("description") or f"{name} of {context.identity.prefix}",
        "policy": key_policy(context, options.get("services") or [], options.get("principals") or []),
        "rotation": options.get("rotation", True),
        "enabled": True,
        **removal,
    }
    return Wanted("kms_key", name, attributes, context.tags(name))


def key_policy(context: Context, services: Sequence[str], principals: Sequence[str] = ()) -> dict[str, Any]:
    """Return a key policy: IAM decides in general, and the named services may use the key for this account.

    Args:
        services: the first part of each service's host name, e.g. ``rds`` or ``ec2``, for what identities of the
            account do through it.
        principals: services that act by themselves, e.g. ``cloudwatch.amazonaws.com`` for alarms.
    """
    root = context.arn("iam", "root", region="")
    statements: list[dict[str, Any]] = [
        {"Sid": "Account", "Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}
    ]
    if services:
        hosts = [f"{service}.{context.region}.amazonaws.com" for service in services]
        condition = {"StringEquals": {"kms:CallerAccount": context.aws.account_id, "kms:ViaService": hosts}}
        everyone = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Resource": "*"}
        statements.append({"Sid": "ServicesUse", **everyone, "Action": USE, "Condition": condition})
        grant = {**condition, "Bool": {"kms:GrantIsForAWSResource": "true"}}
        statements.append({"Sid": "ServicesGrant", **everyone, "Action": "kms:CreateGrant", "Condition": grant})
    if principals:
        # Without a condition, as SNS documents it: not every service says for which account it acts.
        own = {"Effect": "Allow", "Principal": {"Service": list(principals)}, "Resource": "*"}
        statements.append({"Sid": "PrincipalsUse", **own, "Action": ["kms:Decrypt", "kms:GenerateDataKey*"]})
    return {"Version": "2012-10-17", "Statement": statements}


def outputs(view: View, _params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ARN of each key by its name."""
    return {"key_arns": {name: view.get("kms_key", name, "arn") for name in view.names("kms_key")}}


LAYER = Layer("kms", (KmsKey(),), build, outputs)
