# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DynamoDB tables with one string key, each known by its name."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar

from ..engine.aws import Aws, error_code, tag_dict, tag_list
from ..engine.errors import EngineError
from ..engine.model import Observed, Readiness, ResourceType, Scope, Traits, Update, Wanted
from ..engine.waiting import wait_until

#: Seconds until a table can be used, or a change of it is done: the usual case without data.
ACTIVE_SECONDS = 10


class DynamodbTable(ResourceType):
    """A table.

    Attributes:
        name: its name; unique in a region.
        partition_key: the name of the key, a string.
        billing_mode: ``PAY_PER_REQUEST`` or ``PROVISIONED``.
        kms_key_arn: the key for everything in it; an empty string for DynamoDB's own.
        point_in_time_recovery: whether any second of the last 35 days can be restored.
        deletion_protection: whether AWS refuses to delete it.
        ttl_attribute: the attribute with the epoch second after which an item goes; an empty string for none.
        removal: True if the run removes it and may lift its protection for that.

    Read only: ``arn``.
    """

    kind = "dynamodb_table"
    label = "DynamoDB table"
    service = "dynamodb"
    creation = Traits(seconds=ACTIVE_SECONDS)
    deletion = Traits(seconds=ACTIVE_SECONDS, interrupts="everything that locks through it", reversible=False)
    updates = (
        Update("billing_mode", ("billing_mode",), Traits(ACTIVE_SECONDS)),
        Update("kms_key_arn", ("kms_key_arn",), Traits(ACTIVE_SECONDS)),
        Update("deletion_protection", ("deletion_protection",), Traits(ACTIVE_SECONDS)),
        # Switching it off forgets every point in time until then.
        Update("point_in_time_recovery", ("point_in_time_recovery",), Traits(reversible=False)),
        Update("ttl_attribute", ("ttl_attribute",)),
    )
    create_only = frozenset({"removal"})
    fixed: ClassVar[Mapping[str, str]] = {"partition_key": "DynamoDB cannot change a key: give it another table name."}

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        found = [self._as_wanted(aws, wanted) for wanted in scope.wanted.values()]
        # One that is being deleted is as good as gone: a new one is made once it is.
        return [table for table in found if table and table.status != "DELETING"]

    def _as_wanted(self, aws: Aws, wanted: Wanted) -> Observed | None:
        found = self._describe(aws, wanted.name, wanted.attributes["name"])
        if found is None or not wanted.attributes.get("removal"):
            return found
        return replace(found, attributes={**found.attributes, "removal": True})

    def refresh(self, aws: Aws, scope: Scope, observed: Observed) -> Observed | None:
        return self._describe(aws, observed.name, observed.id)

    def _describe(self, aws: Aws, logical: str, name: str) -> Observed | None:
        client = aws.client("dynamodb")
        try:
            table = client.describe_table(TableName=name)["Table"]
            if table["TableStatus"] == "DELETING":
                return Observed("dynamodb_table", logical, name, {}, {}, "DELETING")
            with ThreadPoolExecutor(3) as pool:
                backups = pool.submit(client.describe_continuous_backups, TableName=name)
                ttl = pool.submit(client.describe_time_to_live, TableName=name)
                tags = pool.submit(
                    aws.pages, "dynamodb", "list_tags_of_resource", "Tags", ResourceArn=table["TableArn"]
                )
                attributes = _attributes(table, backups.result(), ttl.result())
        except client.exceptions.ResourceNotFoundException:
            return None
        return Observed("dynamodb_table", logical, name, attributes, tag_dict(tags.result()), table["TableStatus"])

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        client, attributes = aws.client("dynamodb"), wanted.attributes
        name, key = attributes["name"], attributes["partition_key"]
        try:
            client.create_table(
                TableName=name,
                KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
                BillingMode=attributes["billing_mode"],
                SSESpecification=_encryption(attributes["kms_key_arn"]),
                DeletionProtectionEnabled=attributes["deletion_protection"],
                Tags=tag_list(wanted.tags or {}),
            )
        except client.exceptions.ResourceInUseException:
            # Either the answer to an earlier try was lost, or the former table of this name is not gone yet.
            standing = self._describe(aws, wanted.name, name)
            if standing is None or standing.status == "DELETING":
                raise
        arn = self._await_active(aws, name)
        standing = Observed(
            "dynamodb_table", wanted.name, name, {**attributes, "arn": arn}, wanted.tags or {}, "ACTIVE"
        )
        for update in self.updates[-2:]:
            if attributes.get(update.name):
                self.update(aws, update, wanted, standing)
        return standing

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        client, name, value = aws.client("dynamodb"), observed.id, wanted.attributes[update.name]
        # A table takes one change at a time, and none while it is being made.
        self._await_active(aws, name)
        if update.name == "billing_mode":
            client.update_table(TableName=name, BillingMode=value)
        elif update.name == "kms_key_arn":
            client.update_table(TableName=name, SSESpecification=_encryption(value))
        elif update.name == "deletion_protection":
            client.update_table(TableName=name, DeletionProtectionEnabled=value)
        elif update.name == "point_in_time_recovery":
            specification = {"PointInTimeRecoveryEnabled": value}
            client.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=specification)
        else:
            specification = {"Enabled": bool(value), "AttributeName": value or observed.get("ttl_attribute")}
            client.update_time_to_live(TableName=name, TimeToLiveSpecification=specification)
        self._await_active(aws, name)

    @staticmethod
    def _await_active(aws: Aws, name: str) -> str:
        """Wait until the table takes changes, and return its ARN."""

        def check() -> tuple[str | None, str]:
            table = aws.client("dynamodb").describe_table(TableName=name)["Table"]
            return (table["TableArn"] if table["TableStatus"] == "ACTIVE" else None), table["TableStatus"]

        what = f"DynamoDB table {name!r} in {aws.region}"
        return wait_until(check, what, ACTIVE_SECONDS, aws.patience, aws.progress)

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("dynamodb").tag_resource(ResourceArn=observed.get("arn"), Tags=tag_list(tags))

    def delete(self, aws: Aws, observed: Observed) -> None:
        protected = observed.get("deletion_protection")
        if protected and not observed.get("removal"):
            raise EngineError(
                f"DynamoDB table {observed.id!r} in {aws.region} is protected from deletion. Run once with "
                "deletion_protection false, or remove it with that."
            )
        client = aws.client("dynamodb")
        with suppress(client.exceptions.ResourceNotFoundException):
            if protected:
                self._await_active(aws, observed.id)
                client.update_table(TableName=observed.id, DeletionProtectionEnabled=False)
                self._await_active(aws, observed.id)
            client.delete_table(TableName=observed.id)

    def readiness(self, observed: Observed) -> Readiness:
        return Readiness.READY if observed.status == "ACTIVE" else Readiness.WAIT

    def refuses(self, attribute: str, wanted: Any, observed: Any) -> str:
        if attribute != "ttl_attribute" or not (wanted and observed):
            return ""
        return (
            "DynamoDB takes another attribute only an hour after the former is switched off: set ttl_attribute empty, "
            f"run, wait that long, then set {wanted!r}."
        )

    def transient(self, error: Exception) -> str:
        reasons = {
            "ResourceInUseException": "DynamoDB is still busy with an earlier change of the table, or its removal",
            "ContinuousBackupsUnavailableException": "backups of the new table are not ready yet",
        }
        return reasons.get(error_code(error), "")


def _encryption(key_arn: str) -> dict[str, Any]:
    if not key_arn:
        return {"Enabled": False}
    return {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key_arn}


def _attributes(table: Mapping[str, Any], backups: Mapping[str, Any], ttl: Mapping[str, Any]) -> dict[str, Any]:
    recovery = backups["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    expiry = ttl["TimeToLiveDescription"]
    expires = expiry["TimeToLiveStatus"] in ("ENABLING", "ENABLED")
    return {
        "name": table["TableName"],
        "partition_key": table["KeySchema"][0]["AttributeName"],
        # Tables that never were anything but provisioned carry no summary.
        "billing_mode": table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
        "kms_key_arn": table.get("SSEDescription", {}).get("KMSMasterKeyArn", ""),
        "deletion_protection": table.get("DeletionProtectionEnabled", False),
        "point_in_time_recovery": recovery.get("PointInTimeRecoveryStatus") == "ENABLED",
        "ttl_attribute": expiry.get("AttributeName", "") if expires else "",
        "arn": table["TableArn"],
    }
