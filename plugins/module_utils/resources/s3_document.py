# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON documents in S3, compared by what they say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ..engine.aws import Aws
from ..engine.errors import EngineError
from ..engine.model import Observed, ResourceType, Scope, Traits, Update, Wanted
from ..engine.values import is_pending

CONTENT_TYPE = "application/json"


class S3Document(ResourceType):
    """An object that holds one JSON document.

    Attributes:
        bucket: its bucket, versioned, so that the former document stays.
        key: its key.
        document: what it says, without ``published_at`` and ``version``: the time of writing and its number are put in
            beside it. Parts of its ``outputs`` that are not wanted stay, so that a run that knows one part can publish
            that.
        kms_key_arn: the key that encrypts it; the bucket's default if not set.

    Read only: ``published_at``, in UTC as RFC 3339 has it; ``version``, how often it was written.
    """

    kind = "s3_document"
    label = "published document"
    service = "s3"
    creation = Traits(seconds=1)
    deletion = Traits(seconds=1, interrupts="whoever reads it", reversible=True)
    updates = (Update("document", ("document", "kms_key_arn")),)

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        found = [self._describe(aws, wanted) for wanted in scope.wanted.values()]
        return [item for item in found if item]

    @staticmethod
    def _describe(aws: Aws, wanted: Wanted) -> Observed | None:
        client, attributes = aws.client("s3"), wanted.attributes
        bucket, key = attributes["bucket"], attributes["key"]
        if is_pending(bucket):
            return None
        try:
            found = client.get_object(Bucket=bucket, Key=key, ExpectedBucketOwner=aws.account_id)
        # A bucket that this dry run would make first is no error; without it, writing tells.
        except (client.exceptions.NoSuchKey, client.exceptions.NoSuchBucket):
            return None
        document = _parsed(found["Body"].read())
        shown = {
            "bucket": bucket,
            "key": key,
            "published_at": document.pop("published_at", None),
            # Documents of earlier releases have none.
            "version": document.pop("version", 0),
            "document": document,
            "kms_key_arn": found.get("SSEKMSKeyId", ""),
        }
        return Observed("s3_document", wanted.name, f"s3://{bucket}/{key}", shown)

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        return _put(aws, wanted, 1)

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        document = _merged(observed.get("document"), wanted.attributes["document"])
        version = _number(observed.get("version")) + 1
        _put(aws, replace(wanted, attributes={**wanted.attributes, "document": document}), version)

    def same(self, attribute: str, wanted: Any, observed: Any) -> bool:
        if attribute == "document" and observed:
            return super().same(attribute, _merged(observed, wanted), observed)
        return super().same(attribute, wanted, observed)

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("s3")
        with suppress(client.exceptions.NoSuchBucket):
            client.delete_object(
                Bucket=observed.get("bucket"), Key=observed.get("key"), ExpectedBucketOwner=aws.account_id
            )


def _merged(standing: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the wanted document with the parts of the standing one that it does not name."""
    return {**wanted, "outputs": {**standing.get("outputs", {}), **wanted["outputs"]}}


def _parsed(body: bytes) -> dict[str, Any]:
    """Return a document; an empty one for what is none, so that it is written anew."""
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _number(version: object) -> int:
    """Return a version; 0 for what somebody else wrote in its place."""
    return version if isinstance(version, int) else 0


def _put(aws: Aws, wanted: Wanted, version: int) -> Observed:
    client, attributes = aws.client("s3"), wanted.attributes
    bucket, key, kms_key = attributes["bucket"], attributes["key"], attributes.get("kms_key_arn")
    published_at = datetime.now(UTC).isoformat(timespec="seconds")
    document: Mapping[str, Any] = {**attributes["document"], "published_at": published_at, "version": version}
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
    try:
        client.put_object(
            Bucket=bucket,
            Key=key,
            Body=json.dumps(document, indent=2, sort_keys=True).encode(),
            ContentType=CONTENT_TYPE,
            ExpectedBucketOwner=aws.account_id,
            **encryption,
        )
    except client.exceptions.NoSuchBucket as error:
        raise EngineError(
            f"S3 bucket {bucket!r} does not exist in account {aws.account_id} ({aws.region}), so {key!r} cannot be "
            "published. Run the role state_backend first, or set bucket."
        ) from error
    shown = {**attributes, "published_at": published_at, "version": version}
    return Observed("s3_document", wanted.name, f"s3://{bucket}/{key}", shown)
