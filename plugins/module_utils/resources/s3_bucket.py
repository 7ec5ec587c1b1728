# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""S3 buckets that hold an environment's own data, each known by its name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, ClassVar

from ..engine.aws import Aws, error_code, tag_dict, tag_list
from ..engine.errors import EngineError
from ..engine.model import Observed, ResourceType, Scope, Traits, Update, Wanted
from .policies import same_document

#: What has to be read of a bucket, and the code by which S3 says that it was never set.
READS = {
    "get_bucket_tagging": "NoSuchTagSet",
    "get_bucket_versioning": "",
    "get_bucket_encryption": "ServerSideEncryptionConfigurationNotFoundError",
    "get_public_access_block": "NoSuchPublicAccessBlockConfiguration",
    "get_bucket_ownership_controls": "OwnershipControlsNotFoundError",
    "get_bucket_policy": "NoSuchBucketPolicy",
    "get_bucket_lifecycle_configuration": "NoSuchLifecycleConfiguration",
}

PUBLIC_ACCESS_BLOCK = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


class S3Bucket(ResourceType):
    """A bucket.

    Attributes:
        name: its name; unique in the whole partition.
        region: where it is.
        kms_key_arn: the key for new objects that name none.
        bucket_key: whether S3 asks KMS once for many objects, which costs a fraction.
        versioning: whether former versions of objects are kept.
        public_access_block: whether all four barriers against public access stand.
        ownership: ``BucketOwnerEnforced`` switches access control lists off.
        policy: the bucket policy as a document.
        lifecycle: all lifecycle rules, as PutBucketLifecycleConfiguration takes them.
        emptied: True if the run removes it with all that is in it.

    Read only: ``arn``.
    """

    kind = "s3_bucket"
    label = "S3 bucket"
    service = "s3"
    creation = Traits(seconds=3)
    deletion = Traits(seconds=2, reversible=False)
    updates = (
        Update("public_access_block", ("public_access_block",)),
        Update("ownership", ("ownership",)),
        Update("encryption", ("kms_key_arn", "bucket_key")),
        Update("versioning", ("versioning",)),
        Update("policy", ("policy",)),
        # Shorter periods delete what is older.
        Update("lifecycle", ("lifecycle",), Traits(reversible=False)),
    )
    create_only = frozenset({"emptied"})
    fixed: ClassVar[Mapping[str, str]] = {
        "region": "S3 cannot move a bucket: give the new region another bucket name, and copy what it needs."
    }

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        found = [self._describe(aws, wanted) for wanted in scope.wanted.values()]
        return [bucket for bucket in found if bucket]

    def _describe(self, aws: Aws, wanted: Wanted) -> Observed | None:
        client, name = aws.client("s3"), str(wanted.attributes["name"])
        try:
            head = client.head_bucket(Bucket=name, ExpectedBucketOwner=aws.account_id)
        except client.exceptions.ClientError as error:
            if error_code(error) in ("404", "NoSuchBucket"):
                return None
            if error_code(error) in ("403", "AccessDenied"):
                raise _not_ours(aws, name) from error
            raise
        with ThreadPoolExecutor(len(READS)) as pool:
            read = dict(zip(READS, pool.map(lambda call: _read(aws, name, call), READS), strict=True))
        attributes = {"name": name, "region": head.get("BucketRegion", aws.region), **_attributes(aws, name, read)}
        if wanted.attributes.get("emptied"):
            attributes["emptied"] = True
        return Observed("s3_bucket", wanted.name, name, attributes, tag_dict(read["get_bucket_tagging"].get("TagSet")))

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        client, attributes = aws.client("s3"), wanted.attributes
        name = attributes["name"]
        # us-east-1 is where a bucket is without a location, and S3 refuses its name there.
        elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": aws.region}}
        try:
            client.create_bucket(
                Bucket=name,
                ObjectOwnership=attributes["ownership"],
                **(elsewhere if aws.region != "us-east-1" else {}),
            )
        except client.exceptions.BucketAlreadyExists as error:
            raise _not_ours(aws, name) from error
        except client.exceptions.BucketAlreadyOwnedByYou:
            # The answer to an earlier try was lost: nothing bore the name, so this one is ours.
            pass
        standing = Observed("s3_bucket", wanted.name, name, {**attributes, "arn": _arn(aws, name)}, wanted.tags or {})
        for update in self.updates:
            self.update(aws, update, wanted, standing)
        # Not in CreateBucket: its tags need another permission, and the name finds the bucket without them.
        self.set_tags(aws, standing, wanted.tags or {})
        return standing

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        attributes, client = wanted.attributes, aws.client("s3")
        bucket = {"Bucket": observed.id, "ExpectedBucketOwner": aws.account_id}
        if update.name == "public_access_block":
            barriers = dict.fromkeys(PUBLIC_ACCESS_BLOCK, attributes["public_access_block"])
            client.put_public_access_block(**bucket, PublicAccessBlockConfiguration=barriers)
        elif update.name == "ownership":
            rules = [{"ObjectOwnership": attributes["ownership"]}]
            client.put_bucket_ownership_controls(**bucket, OwnershipControls={"Rules": rules})
        elif update.name == "encryption":
            client.put_bucket_encryption(**bucket, ServerSideEncryptionConfiguration=_encryption(attributes))
        elif update.name == "versioning":
            status = "Enabled" if attributes["versioning"] else "Suspended"
            client.put_bucket_versioning(**bucket, VersioningConfiguration={"Status": status})
        elif update.name == "policy":
            client.put_bucket_policy(**bucket, Policy=json.dumps(attributes["policy"]))
        else:
            rules = list(attributes["lifecycle"])
            client.put_bucket_lifecycle_configuration(**bucket, LifecycleConfiguration={"Rules": rules})

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        # PutBucketTagging replaces all tags, so those of others are read first and sent along.
        standing = tag_dict(_read(aws, observed.id, "get_bucket_tagging").get("TagSet"))
        others = {key: value for key, value in standing.items() if not key.startswith("aws:")}
        aws.client("s3").put_bucket_tagging(
            Bucket=observed.id,
            ExpectedBucketOwner=aws.account_id,
            Tagging={"TagSet": tag_list({**others, **tags})},
        )

    def delete(self, aws: Aws, observed: Observed) -> None:
        client, bucket = aws.client("s3"), {"Bucket": observed.id, "ExpectedBucketOwner": aws.account_id}
        with suppress(client.exceptions.NoSuchBucket):
            if observed.get("emptied"):
                _empty(aws, observed.id)
            page = client.list_object_versions(**bucket, MaxKeys=1)
            left = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            if left:
                raise EngineError(
                    f"S3 bucket {observed.id!r} in {aws.region} still holds objects, {left[0]['Key']!r} among them. "
                    "It holds the state of the environment, so it is not emptied unasked. Copy what is worth keeping, "
                    "then run again with empty: true, or delete all versions and delete markers in it yourself."
                )
            client.delete_bucket(**bucket)

    def transient(self, error: Exception) -> str:
        if error_code(error) == "OperationAborted":
            return "S3 is still busy with an earlier change of the bucket"
        return "the new bucket is not known everywhere yet" if error_code(error) == "NoSuchBucket" else ""

    def same(self, attribute: str, wanted: Any, observed: Any) -> bool:
        if attribute == "policy":
            return same_document(wanted, observed)
        if attribute == "lifecycle":
            return _rules(wanted) == _rules(observed or [])
        return super().same(attribute, wanted, observed)


def _empty(aws: Aws, name: str) -> None:
    """Delete all versions of all objects, the marks of deleted ones, and the parts of unfinished uploads."""
    client, bucket = aws.client("s3"), {"Bucket": name, "ExpectedBucketOwner": aws.account_id}
    for page in client.get_paginator("list_object_versions").paginate(**bucket):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if not found:
            continue
        # A page holds at most a thousand, which is what DeleteObjects takes.
        objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
        answer = client.delete_objects(**bucket, Delete={"Objects": objects, "Quiet": True})
        for refused in answer.get("Errors", [])[:1]:
            raise EngineError(
                f"S3 did not delete {refused['Key']!r} from the bucket {name!r} in {aws.region}: {refused['Code']}: "
                f"{refused.get('Message', '')} Mend that, then run again."
            )
    for page in client.get_paginator("list_multipart_uploads").paginate(**bucket):
        for upload in page.get("Uploads", []):
            client.abort_multipart_upload(**bucket, Key=upload["Key"], UploadId=upload["UploadId"])


def _arn(aws: Aws, name: str) -> str:
    return f"arn:{aws.partition}:s3:::{name}"


def _read(aws: Aws, name: str, call: str) -> Mapping[str, Any]:
    """Return what one call of ``READS`` gives, empty if it was never set."""
    client = aws.client("s3")
    try:
        found: Mapping[str, Any] = getattr(client, call)(Bucket=name, ExpectedBucketOwner=aws.account_id)
    except client.exceptions.ClientError as error:
        if error_code(error) != READS[call]:
            raise
        return {}
    return found


def _attributes(aws: Aws, name: str, read: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    encryption = read["get_bucket_encryption"].get("ServerSideEncryptionConfiguration", {}).get("Rules") or [{}]
    default = encryption[0].get("ApplyServerSideEncryptionByDefault", {})
    ownership = read["get_bucket_ownership_controls"].get("OwnershipControls", {}).get("Rules") or [{}]
    policy = read["get_bucket_policy"].get("Policy")
    barriers = read["get_public_access_block"].get("PublicAccessBlockConfiguration")
    return {
        "arn": _arn(aws, name),
        "kms_key_arn": default.get("KMSMasterKeyID", "") if default.get("SSEAlgorithm") == "aws:kms" else "",
        "bucket_key": encryption[0].get("BucketKeyEnabled", False),
        "versioning": read["get_bucket_versioning"].get("Status") == "Enabled",
        "public_access_block": barriers == PUBLIC_ACCESS_BLOCK,
        "ownership": ownership[0].get("ObjectOwnership", ""),
        "policy": json.loads(policy) if policy else {},
        "lifecycle": read["get_bucket_lifecycle_configuration"].get("Rules", []),
    }


def _encryption(attributes: Mapping[str, Any]) -> dict[str, Any]:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": attributes["kms_key_arn"]}
    return {
        "Rules": [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": attributes["bucket_key"]}],
    }


def _rules(rules: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return lifecycle rules so that equal ones compare equal: S3 spells "all objects" in three ways."""
    bare = [{key: value for key, value in rule.items() if key not in ("Filter", "Prefix")} for rule in rules]
    for rule, given in zip(bare, rules, strict=True):
        chosen = given.get("Filter") or {"Prefix": given.get("Prefix", "")}
        rule["Filter"] = {} if chosen == {"Prefix": ""} else chosen
    return sorted(bare, key=lambda rule: str(rule.get("ID")))


def _not_ours(aws: Aws, name: str) -> EngineError:
    return EngineError(
        f"S3 bucket {name!r} belongs to another account than {aws.account_id}, or this identity may not read it "
        f"(s3:ListBucket), in {aws.region}. Check the account, grant that, or set another bucket name."
    )
