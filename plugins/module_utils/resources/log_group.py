# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CloudWatch log groups, each known by its name."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from ..engine.aws import Aws, error_code
from ..engine.model import Observed, ResourceType, Scope, Traits, Update, Wanted

#: What PutRetentionPolicy accepts, in days, after its reference; 0 is our word for "for ever".
RETENTION_DAYS = (
    *(0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


class LogGroup(ResourceType):
    """A log group.

    Attributes:
        name: its name; unique in a region, so it finds the group. AWS services make theirs themselves if they
            find none (EKS: ``/aws/eks/CLUSTER/cluster``); such a one is taken over.
        retention_days: how long entries are kept, one of ``RETENTION_DAYS``.
        kms_key_arn: the key for new entries, whose policy has to admit ``logs.REGION.amazonaws.com``;
            an empty string for the key of CloudWatch Logs.

    Read only: ``arn``, without the ``:*`` that policies put after it.
    """

    kind = "log_group"
    label = "log group"
    service = "logs"
    deletion = Traits(seconds=1, reversible=False)
    updates = (
        # Shorter retention deletes what is older.
        Update("retention_days", ("retention_days",), Traits(reversible=False)),
        Update("kms_key_arn", ("kms_key_arn",)),
    )

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        with ThreadPoolExecutor(8) as pool:
            found = pool.map(lambda wanted: self._describe(aws, wanted), scope.wanted.values())
            return [group for group in found if group]

    @staticmethod
    def _describe(aws: Aws, wanted: Wanted) -> Observed | None:
        name = wanted.attributes["name"]
        groups = aws.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name)
        group = next((item for item in groups if item["logGroupName"] == name), None)
        if group is None:
            return None
        arn = group["arn"].removesuffix(":*")
        attributes = {
            "name": name,
            "retention_days": group.get("retentionInDays", 0),
            "kms_key_arn": group.get("kmsKeyId", ""),
            "arn": arn,
        }
        try:
            tags = aws.client("logs").list_tags_for_resource(resourceArn=arn)["tags"]
        except aws.client("logs").exceptions.ResourceNotFoundException:
            return None
        return Observed("log_group", wanted.name, name, attributes, tags)

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        client, attributes = aws.client("logs"), wanted.attributes
        name, key = attributes["name"], attributes.get("kms_key_arn")
        try:
            client.create_log_group(
                logGroupName=name, tags=dict(wanted.tags or {}), **({"kmsKeyId": key} if key else {})
            )
        except client.exceptions.ResourceAlreadyExistsException:
            # Ours, if an answer was lost; or the service that writes to it was quicker, and left it bare.
            self._take_over(aws, wanted)
        if attributes.get("retention_days"):
            client.put_retention_policy(logGroupName=name, retentionInDays=attributes["retention_days"])
        arn = f"arn:{aws.partition}:logs:{aws.region}:{aws.account_id}:log-group:{name}"
        return Observed("log_group", wanted.name, name, {**attributes, "arn": arn}, wanted.tags or {})

    def _take_over(self, aws: Aws, wanted: Wanted) -> None:
        standing = self._describe(aws, wanted)
        if standing is None:
            return
        key = wanted.attributes.get("kms_key_arn")
        if key and standing.get("kms_key_arn") != key:
            aws.client("logs").associate_kms_key(logGroupName=standing.id, kmsKeyId=key)
        if wanted.tags:
            self.set_tags(aws, standing, wanted.tags)

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        client, name, value = aws.client("logs"), observed.id, wanted.attributes[update.name]
        if update.name == "retention_days" and value:
            client.put_retention_policy(logGroupName=name, retentionInDays=value)
        elif update.name == "retention_days":
            client.delete_retention_policy(logGroupName=name)
        elif value:
            client.associate_kms_key(logGroupName=name, kmsKeyId=value)
        else:
            client.disassociate_kms_key(logGroupName=name)

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("logs").tag_resource(resourceArn=observed.get("arn"), tags=dict(tags))

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("logs")
        try:
            client.delete_log_group(logGroupName=observed.id)
        except client.exceptions.ResourceNotFoundException:
            return

    def transient(self, error: Exception) -> str:
        busy = error_code(error) == "OperationAbortedException"
        return "CloudWatch Logs is still busy with an earlier change of the group" if busy else ""
