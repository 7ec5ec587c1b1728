"""S3: the defaults of a new bucket, and bucket policies that are read before they are kept."""

from __future__ import annotations

import json
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeBucket, PublicAccessBlock, S3Backend

from ..overlay import as_list, policy_statements
from .iam import policy_principals, principal_exists


class S3Error(S3ClientError):
    """An error of S3; moto's S3 serialises those of its own family only."""


_create_bucket = S3Backend.create_bucket
_put_bucket_policy = S3Backend.put_bucket_policy


def create_bucket(self: S3Backend, *args: Any, **kwargs: Any) -> FakeBucket:
    """Create a bucket with what every new one has since 2023: encryption, no public access, no ACLs.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html
    """
    bucket = _create_bucket(self, *args, **kwargs)
    bucket.public_access_block = PublicAccessBlock("true", "true", "true", "true")
    bucket.ownership_rule = "BucketOwnerEnforced"  # type: ignore[assignment]  # moto keeps the bare name
    encryption = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": "false"}
    bucket.encryption = {"Rule": encryption}
    return bucket


def put_bucket_policy(self: S3Backend, bucket_name: str, policy: bytes) -> None:
    """Keep a policy that S3 would accept."""
    bucket = self.get_bucket(bucket_name)
    check_bucket_policy(bucket, policy.decode() if isinstance(policy, bytes) else policy)
    _put_bucket_policy(self, bucket_name, policy)


def check_bucket_policy(bucket: FakeBucket, document: str) -> None:
    """Refuse a bucket policy that S3 refuses.

    Raises:
        S3Error: MalformedPolicy, or AccessDenied if it is public and the bucket blocks that.
    """
    try:
        statements = policy_statements(document)
    except ValueError as error:
        raise S3Error(
            "MalformedPolicy", f"Policies must be valid JSON and the first byte must be '{{': {error}"
        ) from error
    for arn in policy_principals(statements):
        if not principal_exists(arn):
            raise S3Error("MalformedPolicy", "Invalid principal in policy")
    for statement in statements:
        for resource in as_list(statement.get("Resource")):
            if not _inside(bucket, str(resource)):
                raise S3Error("MalformedPolicy", "Policy has invalid resource")
    block = bucket.public_access_block
    if block and block.block_public_policy and any(_is_public(row) for row in statements):
        text = "User is not authorized to perform: s3:PutBucketPolicy because public policies are prevented by the "
        raise S3Error("AccessDenied", f"{text}BlockPublicPolicy setting in S3 Block Public Access.")


def get_permission(self: FakeBucket, action: str, resource: str) -> Any:
    """Return what the bucket policy says of a call, from the statements whose conditions hold.

    The sandbox speaks plain HTTP, but on loopback only, where nobody listens: that counts as TLS here, or no client
    could reach a bucket that insists on it. Any other condition is taken not to hold.
    """
    if self.policy is None:
        return PermissionResult.NEUTRAL
    statements = [row for row in policy_statements(self.policy.decode()) if _holds(row.get("Condition") or {})]
    if not statements:
        return PermissionResult.NEUTRAL
    return IAMPolicy(json.dumps({"Version": "2012-10-17", "Statement": statements})).is_action_permitted(
        action, resource
    )


def _holds(condition: dict[str, Any]) -> bool:
    facts = {("bool", "aws:securetransport"): "true"}
    asked = [((kind.lower(), key.lower()), value) for kind, keys in condition.items() for key, value in keys.items()]
    return all(facts.get(name) in [str(item).lower() for item in as_list(value)] for name, value in asked)


def _inside(bucket: FakeBucket, resource: str) -> bool:
    arn = f"arn:{bucket.partition}:s3:::{bucket.name}"
    return resource == arn or resource.startswith(f"{arn}/")


def _is_public(statement: dict[str, Any]) -> bool:
    """Tell whether a statement lets anybody in. One with a condition is taken as not public, where S3 looks closer."""
    everybody = "*" in set(policy_principals([statement]))
    return statement.get("Effect") == "Allow" and everybody and not statement.get("Condition")


def register() -> None:
    """Put these in place of methods of moto's backend: its response class spans far more than they need."""
    S3Backend.create_bucket = create_bucket  # type: ignore[method-assign]
    FakeBucket.get_permission = get_permission  # type: ignore[method-assign]
    S3Backend.put_bucket_policy = put_bucket_policy  # type: ignore[method-assign]
