# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EKS control planes: describing one, and changing it by one update at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..engine.aws import Aws, error_code, error_message, is_aws_error
from ..engine.errors import EngineError
from ..engine.model import Scope
from ..engine.waiting import wait_until

#: A cluster as DescribeCluster returns it.
Cluster = Mapping[str, Any]
#: Statuses that end by themselves, and in which EKS takes no update.
BUSY = frozenset({"CREATING", "UPDATING", "PENDING"})
#: Seconds that a deletion usually takes.
DELETION = 240.0
#: What EKS says of a role or principal that IAM has only just made. CreateCluster and UpdateClusterConfig:
#: hashicorp/terraform-provider-aws 11127 and aws/aws-cdk 16037; CreatePodIdentityAssociation:
#: hashicorp/terraform-provider-aws 34717; CreateAccessEntry: aws/eks-hybrid 603.
IAM_LAG = (
    "error in role params",
    "could not be assumed because it does not exist or the trusted entity is not correct",
    "role provided in the request does not exist",
    "invalid principal",
)


def iam_lag(error: BaseException) -> str:
    """Return why an error clears by itself if it only means that IAM has not spread a new role yet, else empty."""
    said = error_message(error).lower()
    lags = error_code(error) == "InvalidParameterException" and any(text in said for text in IAM_LAG)
    return "IAM has not spread the role yet" if lags else ""


def describe_cluster(aws: Aws, name: str) -> Cluster | None:
    """Return a cluster, None if there is none of that name."""
    client = aws.client("eks")
    try:
        cluster: Cluster = client.describe_cluster(name=name)["cluster"]
    except client.exceptions.ResourceNotFoundException:
        return None
    return cluster


def await_idle(aws: Aws, name: str) -> Cluster | None:
    """Wait until a cluster is neither being made nor being changed, and return it; None if it is gone."""

    def check() -> tuple[tuple[Cluster | None] | None, str]:
        cluster = describe_cluster(aws, name)
        status = cluster["status"] if cluster else "gone"
        return (None if status in BUSY else (cluster,)), status

    return wait_until(check, f"EKS cluster {name} in {aws.region}", 180, aws.patience, aws.progress)[0]


def standing(aws: Aws, name: str) -> Cluster | None:
    """Return a cluster, None if there is none.

    One that is being deleted is waited for, since its name is free and what is in it is gone only then.
    """
    cluster = describe_cluster(aws, name)
    if cluster is None or cluster["status"] != "DELETING":
        return cluster
    _await_gone(aws, name)
    return None


def standing_names(aws: Aws, scope: Scope) -> list[str]:
    """Return the names of those of the layer's clusters that stand, for what is found through them."""
    names = [str(item.attributes["name"]) for item in scope.layer_wanted.values() if item.kind == "eks_cluster"]
    return [name for name in names if standing(aws, name)]


def _await_gone(aws: Aws, name: str) -> None:
    def check() -> tuple[bool | None, str]:
        cluster = describe_cluster(aws, name)
        return (True, "") if cluster is None else (None, cluster["status"])

    what = f"the removal of the former EKS cluster {name} in {aws.region}"
    wait_until(check, what, DELETION, aws.patience, aws.progress)


def carry_out(aws: Aws, name: str, typical: float, start: Callable[[], Mapping[str, Any]]) -> None:
    """Start one update of a cluster as soon as EKS takes it, and wait until it is carried out.

    EKS carries out one update of a cluster at a time. A cluster still shows ACTIVE for a moment after an update was
    taken, so a refusal is waited out too, and only DescribeUpdate tells when an update holds.

    Args:
        typical: the seconds that it usually takes.
        start: sends the update and returns EKS's answer.

    Raises:
        EngineError: if the update fails.
    """

    def check() -> tuple[str | None, str]:
        await_idle(aws, name)
        try:
            return str(start()["update"]["id"]), ""
        except Exception as error:
            if _holds_already(error):
                return "", ""
            if error_code(error) != "ResourceInUseException":
                raise
            return None, error_message(error)

    what = f"EKS cluster {name} in {aws.region}"
    update_id = wait_until(check, f"{what} to take an update", typical, aws.patience, aws.progress)
    if update_id:
        _await_update(aws, name, update_id, typical)


def _holds_already(error: Exception) -> bool:
    """Tell whether EKS refuses an update because a former one, whose end nobody awaited, did the same."""
    refused = is_aws_error(error) and error_code(error) == "InvalidParameterException"
    return refused and "already at the desired configuration" in error_message(error).lower()


def _await_update(aws: Aws, name: str, update_id: str, typical: float) -> None:
    what = f"update {update_id} of EKS cluster {name} in {aws.region}"

    def check() -> tuple[bool | None, str]:
        update = aws.client("eks").describe_update(name=name, updateId=update_id)["update"]
        status = update["status"]
        if status in ("Failed", "Cancelled"):
            raise EngineError(
                f"{update['type']}, {what}, is {status}: {reasons(update)}. The cluster is as before. "
                "Mend that, then run again."
            )
        return (True if status == "Successful" else None), f"{update['type']} {status}"

    wait_until(check, what, typical, aws.patience, aws.progress)


def reasons(update: Mapping[str, Any]) -> str:
    """Return why an update failed, in EKS's words."""
    return "; ".join(_reason(error) for error in update.get("errors", [])) or "EKS gives no reason"


def _reason(error: Mapping[str, Any]) -> str:
    about = ", ".join(error.get("resourceIds") or ())
    return f"{error.get('errorCode')}: {error.get('errorMessage')}" + (f" ({about})" if about else "")
