# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What add-ons and node groups have in common: parts of a cluster with states, health and updates of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..engine.aws import Aws, error_code, error_message
from ..engine.errors import EngineError
from ..engine.model import Observed, Scope
from ..engine.waiting import wait_until
from .eks_updates import iam_lag, reasons

#: A part as its Describe call returns it.
Part = Mapping[str, Any]
#: The logical name of the cluster that the parts of a layer belong to, and what is offered for it.
OFFERS = ("eks_offers", "cluster")
#: States that end by themselves, and in which EKS takes no change of the part.
BUSY = frozenset({"CREATING", "UPDATING", "DELETING"})
#: How a part came to be what it is: ``sound`` is wanted, the others are mended by an action of their own.
SOUND = "sound"
CONDITIONS = {"CREATE_FAILED": "creation failed", "UPDATE_FAILED": "last update failed"}
#: The status of a part whose update, begun by this run, EKS did not carry out.
NOT_CARRIED_OUT = "as before its update"


def cluster_of(scope: Scope) -> str:
    """Return the name of the cluster that the layer works in."""
    return str(scope.layer_wanted[OFFERS].attributes["cluster_name"])


def failure(part: Part, mends: Mapping[str, str]) -> str | None:
    """Return what ails a part, with what to do about each issue; None if it is well.

    Args:
        mends: what to do, by the code of an issue.
    """
    issues = part.get("health", {}).get("issues", [])
    return "; ".join(_issue(issue, mends) for issue in issues) or None


def _issue(issue: Mapping[str, Any], mends: Mapping[str, str]) -> str:
    about = ", ".join(issue.get("resourceIds") or ())
    code = str(issue.get("code"))
    said = f"{code}: {str(issue.get('message')).rstrip('.')}" + (f" ({about})" if about else "")
    return f"{said}. {mends[code]}" if code in mends else said


def codes(part: Part) -> set[str]:
    """Return the codes of the issues of a part."""
    return {str(issue.get("code")) for issue in part.get("health", {}).get("issues", [])}


def with_update(aws: Aws, standing: Observed, now: Observed, cluster: str, **part: str) -> Observed:
    """Return a part as described, with the end of the update that this run began.

    A part is ACTIVE for a moment after an update was taken, and once more if it failed: only DescribeUpdate tells.

    Args:
        standing: the part as the run knows it, maybe with ``update_id``.
        now: the part as just described.
        part: ``addonName`` or ``nodegroupName``.
    """
    update_id = standing.get("update_id")
    if not update_id:
        return now
    update = aws.client("eks").describe_update(name=cluster, updateId=update_id, **part)["update"]
    if update["status"] in ("Failed", "Cancelled"):
        why = f"{update['type']} {update_id} {update['status']}: {reasons(update)}"
        return replace(now, status=NOT_CARRIED_OUT, attributes={**now.attributes, "failure": why})
    return replace(now, status="UPDATING") if update["status"] == "InProgress" else now


def await_idle(aws: Aws, what: str, typical: float, describe: Callable[[], Part | None]) -> Part | None:
    """Wait until a part is neither being made, changed nor removed, and return it; None if it is gone."""

    def check() -> tuple[tuple[Part | None] | None, str]:
        part = describe()
        status = str(part["status"]) if part else "gone"
        return (None if status in BUSY else (part,)), status

    return wait_until(check, f"{what} in {aws.region}", typical, aws.patience, aws.progress)[0]


def await_gone(aws: Aws, what: str, typical: float, describe: Callable[[], Part | None]) -> None:
    """Wait until a part is gone.

    Raises:
        EngineError: if EKS gives its removal up.
    """

    def check() -> tuple[bool | None, str]:
        part = describe()
        if part is None:
            return True, ""
        if part["status"] == "DELETE_FAILED":
            raise EngineError(
                f"EKS could not remove {what} in {aws.region}: {failure(part, {}) or 'it gives no reason'}. "
                "Mend that, then run again."
            )
        return None, str(part["status"])

    wait_until(check, f"the removal of {what} in {aws.region}", typical, aws.patience, aws.progress)


def passes(error: Exception) -> str:
    """Return why an error of a call about a part clears by itself, else empty."""
    said = error_message(error).lower()
    busy = error_code(error) == "ResourceInUseException" and ("in progress" in said or "in status" in said)
    return "EKS is still busy with it" if busy else iam_lag(error)
