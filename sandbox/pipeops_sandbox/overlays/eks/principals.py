"""IAM as EKS sees it: who calls, which roles it can assume, which principals exist."""

from __future__ import annotations

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from ..iam import anybody, principal_exists, role_is_assumable
from .call import Call, invalid_parameter

EKS = "eks.amazonaws.com"
EC2 = "ec2.amazonaws.com"
PODS = "pods.eks.amazonaws.com"
_ASSUME = ("sts:AssumeRole",)
_ASSUME_AND_TAG = ("sts:AssumeRole", "sts:TagSession")


def caller_arn(call: Call) -> str:
    """Return the IAM ARN of the caller: a session counts as its role, as access entries want it."""
    session = sts_backends[call.account][call.partition].get_assumed_role_from_access_key(call.access_key)
    if session is not None:
        return str(session.role_arn)
    user = iam_backends[call.account][call.partition].get_user_from_access_key_id(call.access_key)
    return str(user.arn) if user else anybody(call.account)


def require_role(call: Call, cluster: str, role_arn: str, service: str, tag_session: bool = False) -> None:
    """Refuse a role that a service cannot assume now.

    Within the propagation delay of IAM this is the same refusal as for a role that is not there.

    Raises:
        AwsError: InvalidParameterException.
    """
    prefix = f"arn:{call.partition}:iam::{call.account}:role/"
    if not role_arn.startswith(prefix):
        raise invalid_parameter(
            f"Error in role params: {role_arn} is not the ARN of a role of account {call.account}", clusterName=cluster
        )
    actions = _ASSUME_AND_TAG if tag_session else _ASSUME
    if not role_is_assumable(call.account, role_arn, service, actions):
        raise invalid_parameter(
            f"Role with arn: {role_arn}, could not be assumed because it does not exist or the trusted entity "
            f"is not correct: {service} must be allowed {' and '.join(actions)}",
            clusterName=cluster,
        )


def require_principal(call: Call, cluster: str, arn: str) -> None:
    """Refuse an ARN that is no user or role that IAM knows by now.

    Session ARNs, groups and the account's root are refused too; the reference for access entries
    names users and roles only (that root is refused is unconfirmed, and the stricter choice).

    Raises:
        AwsError: InvalidParameterException.
    """
    parts = arn.split(":", 5)
    is_identity = len(parts) == 6 and parts[2] == "iam" and parts[5].startswith(("role/", "user/"))
    if not is_identity or not principal_exists(arn):
        raise invalid_parameter("The specified principalArn is invalid: invalid principal.", clusterName=cluster)


def service_linked_role(call: Call) -> str:
    """Return the ARN of EKS's service-linked role, which the first cluster of an account brings about."""
    backend = iam_backends[call.account][call.partition]
    found = next((role for role in backend.get_roles() if role._linked_service == EKS), None)
    if found is None:
        found = backend.create_service_linked_role(EKS, "Allows Amazon EKS to call AWS services on your behalf.", "")
    return str(found.arn)
