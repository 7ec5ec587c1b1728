"""CloudWatch Logs: retention that exists, keys that may be used, tags on groups that are there."""

from __future__ import annotations

from typing import Any

from moto.logs.models import LogGroup
from moto.logs.responses import LogsResponse

from ..errors import AwsError
from ..overlay import Prepared, as_list, install, json_parameters, policy_statements
from .kms import find_key

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip


class Logs(Prepared, LogsResponse):
    """moto's Logs with AWS's refusals, and the encryption operations that it lacks."""

    def create_log_group(self) -> str:
        """Create a group; its key must let the service in."""
        key_id = self._get_param("kmsKeyId")
        if key_id:
            self._check_key(key_id, self._get_param("logGroupName"))
        return super().create_log_group()

    def put_retention_policy(self) -> str:
        """Set how long events are kept; a number that AWS does not offer is refused."""
        days = self._get_param("retentionInDays")
        if days not in RETENTION_DAYS:
            allowed = ", ".join(map(str, RETENTION_DAYS))
            text = f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: "
            raise AwsError("InvalidParameterException", f"{text}Member must satisfy enum value set: [{allowed}]")
        return super().put_retention_policy()

    def associate_kms_key(self) -> str:
        """Encrypt what comes from now on with a key."""
        group = self._group()
        self._check_key(self._get_param("kmsKeyId"), group.name)
        group.kms_key_id = self._get_param("kmsKeyId")
        return "{}"

    def disassociate_kms_key(self) -> str:
        """Go back to the service's own encryption."""
        self._group().kms_key_id = None
        return "{}"

    def _group(self) -> LogGroup:
        parameters = json_parameters(self)
        name = parameters.get("logGroupName") or str(parameters.get("resourceIdentifier", "")).rsplit(":", 1)[-1]
        group = self.logs_backend.groups.get(name)
        if group is None:
            raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
        return group

    def _check_key(self, key_id: str, group: str) -> None:
        """The key must be enabled here, and its policy must name the service principal of this Region."""
        key = find_key(self.current_account, self.region, key_id)
        arn = f"arn:aws:logs:{self.region}:{self.current_account}:log-group:{group}"
        if key is None or key.key_state != "Enabled" or not _lets_in(key.policy, f"logs.{self.region}.amazonaws.com"):
            text = f"The specified KMS key does not exist or is not allowed to be used with Arn '{arn}'"
            raise AwsError("InvalidParameterException", text)

    def list_tags_for_resource(self) -> str:
        """Return the tags of a group by ARN."""
        self._check_tagged()
        return super().list_tags_for_resource()

    def tag_resource(self) -> str:
        """Tag a group by ARN."""
        self._check_tagged()
        return super().tag_resource()

    def untag_resource(self) -> str:
        """Take tags from a group by ARN."""
        self._check_tagged()
        return super().untag_resource()

    def _check_tagged(self) -> None:
        """A group's tags hang on its ARN without the ``:*`` that DescribeLogGroups puts at the end of ``arn``."""
        arn = str(self._get_param("resourceArn"))
        if ":log-group:" in arn and arn not in {group.arn for group in self.logs_backend.groups.values()}:
            raise AwsError("ResourceNotFoundException", f"The specified resource does not exist: {arn}")


def _lets_in(policy: str, service: str) -> bool:
    for statement in policy_statements(policy):
        principal: Any = statement.get("Principal")
        services = as_list(principal.get("Service")) if isinstance(principal, dict) else as_list(principal)
        if statement.get("Effect") == "Allow" and (service in services or "logs.amazonaws.com" in services):
            return True
    return False


def register() -> None:
    """Put this overlay in front of moto's Logs."""
    install("logs", Logs)
