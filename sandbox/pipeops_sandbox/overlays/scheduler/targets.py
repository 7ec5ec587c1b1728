"""What a schedule of the sandbox can call: the few operations of universal targets that matter here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from moto.iam.models import Role

from ...errors import AwsError
from ...overlay import as_list, policy_statements
from ..eks.call import Call as EksCall
from ..eks.call import handlers
from ..eks.lifecycle import settle as settle_eks
from ..eks.state import state_of
from ..eks.tokens import answer_once
from ..rds import instances
from ..rds import lifecycle as rds_lifecycle
from ..rds.call import Call as RdsCall

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """An operation.

    Attributes:
        service, operation: as the journal and IAM name them.
        members: the parameters that it takes, in the service's own spelling.
        resource: what IAM is asked about.
        call: makes it, at a model time.
    """

    service: str
    operation: str
    members: tuple[str, ...]
    resource: Callable[[str, str, Parameters], str]
    call: Callable[[str, str, Parameters, float], Any]

    def parameters(self, given: Parameters) -> dict[str, Any]:
        """Return an input in the service's own spelling: Scheduler takes that of the SDK for Java, capitals first.

        Raises:
            AwsError: ValidationException for a member that the operation does not have.
        """
        known = {_java(name): name for name in self.members}
        unknown = sorted(given.keys() - known.keys())
        if unknown:
            raise AwsError("ValidationException", f"Invalid Input: {self.operation} has no parameter {unknown[0]}.")
        return {known[name]: _lowered(value) if self.service == "eks" else value for name, value in given.items()}


def _java(name: str) -> str:
    """Return a member as the SDK for Java spells it: DBInstanceIdentifier is DbInstanceIdentifier there."""
    return f"Db{name[2:]}" if name.startswith("DB") else name[:1].upper() + name[1:]


def _lowered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key[:1].lower() + key[1:]: _lowered(item) for key, item in value.items()}
    return value


def may(role: Role, action: str, resource: str) -> bool:
    """Tell whether the policies written into a role allow an action; conditions and denials are not looked at."""
    documents = [statement for text in role.policies.values() for statement in policy_statements(text)]
    return any(
        statement["Effect"] == "Allow"
        and any(fnmatchcase(action.lower(), one.lower()) for one in as_list(statement.get("Action")))
        and any(fnmatchcase(resource, one) for one in as_list(statement.get("Resource")))
        for statement in documents
    )


def _of_rds(operation: Callable[[RdsCall], dict[str, Any]]) -> Callable[[str, str, Parameters, float], Any]:
    def call(account: str, region: str, parameters: Parameters, at: float) -> Any:
        rds_lifecycle.settle(account, at)
        return operation(RdsCall(account, region, parameters, at))

    return call


def _of_eks(name: str) -> Callable[[str, str, Parameters, float], Any]:
    def call(account: str, region: str, parameters: Parameters, at: float) -> Any:
        request = EksCall(account, region, "aws", "", dict(parameters), at)
        state = state_of(request)
        settle_eks(state, at)
        return answer_once(state, name, request, handlers()[name])

    return call


def _instance(account: str, region: str, parameters: Parameters) -> str:
    return f"arn:aws:rds:{region}:{account}:db:{parameters.get('DBInstanceIdentifier')}"


def _node_group(account: str, region: str, parameters: Parameters) -> str:
    cluster, name = parameters.get("clusterName"), parameters.get("nodegroupName")
    return f"arn:aws:eks:{region}:{account}:nodegroup/{cluster}/{name}/id"


_SIZES = ("clusterName", "nodegroupName", "scalingConfig")
TARGETS: dict[str, Target] = {
    "rds:stopDBInstance": Target(
        "rds", "StopDBInstance", ("DBInstanceIdentifier",), _instance, _of_rds(instances.stop_db_instance)
    ),
    "rds:startDBInstance": Target(
        "rds", "StartDBInstance", ("DBInstanceIdentifier",), _instance, _of_rds(instances.start_db_instance)
    ),
    "eks:updateNodegroupConfig": Target(
        "eks", "UpdateNodegroupConfig", _SIZES, _node_group, _of_eks("UpdateNodegroupConfig")
    ),
}
