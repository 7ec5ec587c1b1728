# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Flow logs: a record of what crosses the network interfaces of a VPC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine.aws import Aws, error_message
from ..engine.model import Observed, Traits, Wanted
from ._ec2 import Ec2Resource, raise_unsuccessful, unless_gone


class FlowLog(Ec2Resource):
    """A flow log of a VPC to CloudWatch Logs. AWS can change nothing of it, so a change makes a new one.

    Attributes:
        vpc_id: whose traffic is recorded.
        traffic_type: ``ACCEPT``, ``REJECT`` or ``ALL``.
        log_group: the name of the log group.
        role_arn: the role that EC2 writes with.
        aggregation_seconds: the longest time over which packets of a flow are added up: 60 or 600.
    """

    kind = "ec2_flow_log"
    label = "flow log"
    listing, member, filters = "describe_flow_logs", "FlowLogs", "Filter"
    id_member, ids, tag_type = "FlowLogId", "FlowLogIds", "vpc-flow-log"
    creation = Traits(seconds=5)
    deletion = Traits(seconds=2)
    replaceable = True
    prune = True

    def describe(self, aws: Aws, item: Mapping[str, Any]) -> Mapping[str, Any]:
        return {
            "vpc_id": item["ResourceId"],
            "traffic_type": item["TrafficType"],
            "log_group": item.get("LogGroupName"),
            "role_arn": item.get("DeliverLogsPermissionArn"),
            "aggregation_seconds": item.get("MaxAggregationInterval", 600),
        }

    def status(self, item: Mapping[str, Any]) -> str:
        return str(item.get("FlowLogStatus", ""))

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        attributes = wanted.attributes
        answer = aws.client("ec2", once=True).create_flow_logs(
            ResourceIds=[attributes["vpc_id"]],
            ResourceType="VPC",
            TrafficType=attributes["traffic_type"],
            LogDestinationType="cloud-watch-logs",
            LogGroupName=attributes["log_group"],
            DeliverLogsPermissionArn=attributes["role_arn"],
            MaxAggregationInterval=attributes["aggregation_seconds"],
            TagSpecifications=self.specification(wanted.tags),
        )
        raise_unsuccessful(answer, "CreateFlowLogs")
        return Observed(self.kind, wanted.name, answer["FlowLogIds"][0], attributes, wanted.tags or {}, "ACTIVE")

    def delete(self, aws: Aws, observed: Observed) -> None:
        with unless_gone():
            answer = aws.client("ec2").delete_flow_logs(FlowLogIds=[observed.id])
            raise_unsuccessful(answer, "DeleteFlowLogs")

    def transient(self, error: Exception) -> str:
        # The words with which EC2 refuses a role that IAM has not spread yet.
        if "unable to assume given iam role" in error_message(error).lower():
            return "the role of the flow log cannot be assumed yet"
        return super().transient(error)
