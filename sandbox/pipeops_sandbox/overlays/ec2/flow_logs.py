"""Flow logs: refusals per resource in the answer, and a role that must be assumable."""

from __future__ import annotations

from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.ec2.models.flow_logs import FlowLogs as FlowLog
from moto.ec2.utils import random_flow_log_id
from moto.logs.models import logs_backends

from ...errors import AwsError
from ..iam import role_is_assumable
from .base import Ec2Base

SERVICE_PRINCIPAL = "vpc-flow-logs.amazonaws.com"
DEFAULT_FORMAT = (
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} "
    "${packets} ${bytes} ${start} ${end} ${action} ${log-status}"
)
# A class that mypy takes for abstract, because moto's CloudFormation base is.
_FLOW_LOG: Any = FlowLog


class FlowLogs(Ec2Base):
    """The flow log operations."""

    def create_flow_logs(self) -> ActionResult:
        """Create a flow log for each resource; what fails for one is told in ``Unsuccessful``."""
        fields = self._fields()
        made, unsuccessful = [], []
        for resource in self.required("ResourceIds"):
            try:
                self._check_resource(resource, fields)
                made.append(self._make(resource, fields))
            except ServiceException as error:
                refusal = {"Code": error.code, "Message": error.message}
                unsuccessful.append({"ResourceId": resource, "Error": refusal})
        tags = self.tags_of_request("vpc-flow-log")
        for row in made:
            row.add_tags(tags)
            self.backend.flow_logs[row.id] = row
        return ActionResult({"FlowLogIds": [row.id for row in made], "Unsuccessful": unsuccessful})

    def _fields(self) -> dict[str, Any]:
        """Return the settings of the request, checked as a whole."""
        kind = self._get_param("LogDestinationType", "cloud-watch-logs")
        group, destination = self._get_param("LogGroupName"), self._get_param("LogDestination")
        role = self._get_param("DeliverLogsPermissionArn")
        if not group and not destination:
            raise AwsError("InvalidParameter", "LogDestination can't be empty if LogGroupName is not provided.")
        if kind == "s3" and group:
            raise AwsError("InvalidParameter", "LogDestination type must be cloud-watch-logs if LogGroupName is given.")
        if kind == "cloud-watch-logs":
            if not role:
                text = "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs."
                raise AwsError("InvalidParameter", text)
            if not role_is_assumable(self.current_account, role, SERVICE_PRINCIPAL):
                raise AwsError("InvalidParameter", "Unable to assume given IAM role")
            group = group or str(destination).split(":log-group:", 1)[-1].removesuffix(":*")
        interval = self._get_int_param("MaxAggregationInterval", 600)
        if interval not in (60, 600):
            raise AwsError("InvalidParameter", "Invalid Flow Log Max Aggregation Interval")
        return {
            "traffic_type": self._get_param("TrafficType"),
            "log_destination": destination,
            "log_group_name": group,
            "deliver_logs_permission_arn": role,
            "max_aggregation_interval": interval,
            "log_destination_type": kind,
            "log_format": self._get_param("LogFormat") or DEFAULT_FORMAT,
        }

    def _check_resource(self, resource: str, fields: dict[str, Any]) -> None:
        kind = self.required("ResourceType")
        if kind == "VPC":
            self.backend.get_vpc(resource)
        elif kind == "Subnet":
            self.backend.get_subnet(resource)
        elif kind == "NetworkInterface":
            self.backend.get_network_interface(resource)
        elif kind == "RegionalNatGateway" and resource not in self.backend.nat_gateways:
            raise AwsError("NatGatewayNotFound", f"NatGateway {resource} was not found")
        target = (fields["log_group_name"], fields["log_destination_type"])
        for row in self.backend.flow_logs.values():
            same = (row.log_group_name, row.log_destination_type) == target
            if row.resource_id == resource and same and row.log_destination == fields["log_destination"]:
                text = f"Error. There is an existing Flow Log with the same configuration and log destination: {row.id}"
                raise AwsError("FlowLogAlreadyExists", text)

    def _make(self, resource: str, fields: dict[str, Any]) -> Any:
        """Make the flow log. A log group that does not exist is no refusal: its delivery fails."""
        row = _FLOW_LOG(self.backend, random_flow_log_id(), resource, **fields)
        groups = logs_backends[self.current_account][self.region].groups
        if row.log_destination_type == "cloud-watch-logs" and row.log_group_name not in groups:
            row.deliver_logs_status, row.deliver_logs_error_message = "FAILED", "Access error"
        return row

    def delete_flow_logs(self) -> ActionResult:
        """Delete flow logs; an unknown one is told in ``Unsuccessful``."""
        unsuccessful = []
        for identifier in self.required("FlowLogIds"):
            if self.backend.flow_logs.pop(identifier, None) is None:
                refusal = {"Code": "InvalidFlowLogId.NotFound", "Message": f"Flow log {identifier} does not exist"}
                unsuccessful.append({"ResourceId": identifier, "Error": refusal})
            self.backend.tags.pop(identifier, None)
        return ActionResult({"Unsuccessful": unsuccessful})
