# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where an environment keeps what outlives a run: published outputs in a bucket, and the lock table of deployments."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.errors import EngineError
from ..engine.layer import Context, Layer, View
from ..engine.model import Wanted
from ..resources.dynamodb_table import DynamodbTable
from ..resources.policies import document
from ..resources.s3_bucket import S3Bucket

BUCKET = ("s3_bucket", "state")
TABLE = ("dynamodb_table", "locks")
#: Days after which S3 drops the parts of an upload that nobody finished.
ABANDONED_UPLOAD_DAYS = 7
#: Lower case letters, digits, dots and dashes, 3 to 63 of them, as S3's naming rules for general purpose buckets say.
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
#: DynamoDB's naming rules.
TABLE_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}")


def build(params: Mapping[str, Any], context: Context) -> Sequence[Wanted]:
    """Return the bucket and the lock table."""
    return [_table(params, context), _bucket(params, context)]


def bucket_name(platform_prefix: str, account_id: str) -> str:
    """Return the bucket's name if none is set; the account makes it unique among all accounts of AWS."""
    return f"{platform_prefix}-state-{account_id}"


def _bucket(params: Mapping[str, Any], context: Context) -> Wanted:
    name = params["bucket_name"] or bucket_name(context.identity.prefix, context.aws.account_id)
    if not BUCKET_NAME.fullmatch(name):
        raise EngineError(
            f"S3 takes no bucket named {name!r} ({len(name)} characters) in {context.region}: it wants 3 to 63 lower "
            "case letters, digits, dots and dashes. Set bucket_name, or a shorter platform or environment."
        )
    # The ARN follows from the name, so a dry run knows it too.
    arn = f"arn:{context.aws.partition}:s3:::{name}"
    attributes = {
        "name": name,
        "arn": arn,
        "region": context.region,
        "kms_key_arn": params["kms_key_arn"],
        "bucket_key": True,
        "versioning": True,
        "public_access_block": True,
        "ownership": "BucketOwnerEnforced",
        "policy": _tls_only(arn),
        "lifecycle": _lifecycle(params["noncurrent_version_days"]),
        "emptied": (params["state"] == "absent" and params["empty"]) or None,
    }
    # After the table: on removal a bucket that is not empty is refused before anything is gone, and the lock goes last.
    return Wanted(*BUCKET, attributes, context.tags(BUCKET[1]), after=(TABLE,))


def _tls_only(arn: str) -> dict[str, Any]:
    return document(
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    )


def _lifecycle(noncurrent_days: int) -> list[dict[str, Any]]:
    everything: dict[str, Any] = {"Filter": {}, "Status": "Enabled"}
    uploads = {"DaysAfterInitiation": ABANDONED_UPLOAD_DAYS}
    return [
        {"ID": "former-versions", **everything, "NoncurrentVersionExpiration": {"NoncurrentDays": noncurrent_days}},
        {"ID": "abandoned-uploads", **everything, "AbortIncompleteMultipartUpload": uploads},
    ]


def _table(params: Mapping[str, Any], context: Context) -> Wanted:
    name = params["table_name"] or context.identity.name("locks")
    if not TABLE_NAME.fullmatch(name):
        raise EngineError(
            f"DynamoDB takes no table named {name!r} in {context.region}: it wants 3 to 255 letters, digits, dots, "
            "dashes and underscores. Set table_name, or another platform or environment."
        )
    attributes = {
        "name": name,
        "arn": context.arn("dynamodb", f"table/{name}"),
        "partition_key": "lock_id",
        "billing_mode": "PAY_PER_REQUEST",
        "kms_key_arn": params["kms_key_arn"],
        "point_in_time_recovery": params["point_in_time_recovery"],
        "deletion_protection": params["deletion_protection"],
        "ttl_attribute": params["ttl_attribute"],
        "removal": (params["state"] == "absent" and not params["deletion_protection"]) or None,
    }
    return Wanted(*TABLE, attributes, context.tags(TABLE[1]))


def outputs(view: View, _params: Mapping[str, Any]) -> dict[str, Any]:
    """Return names and ARNs of the bucket and the table."""
    return {
        "bucket_name": view.get(*BUCKET, "name"),
        "bucket_arn": view.get(*BUCKET, "arn"),
        "table_name": view.get(*TABLE, "name"),
        "table_arn": view.get(*TABLE, "arn"),
    }


LAYER = Layer("state", (DynamodbTable(), S3Bucket()), build, outputs)
