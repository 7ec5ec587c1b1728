# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who deploys an environment: an identity for its pipeline, and policies that hold it to that environment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..engine.errors import PlanRefused
from ..engine.layer import Context, Layer, View
from ..engine.model import Identity, Wanted
from ..resources.iam_access_key import IamAccessKey
from ..resources.iam_policy import IamPolicy, compact, policy_arn
from ..resources.iam_role import IamRole
from ..resources.iam_shared_provider import IamSharedProvider
from ..resources.iam_user import IamUser
from ..resources.policies import document
from ._ci_rules import problems, subjects_of
from ._grants import Reach, statements

PROVIDER = ("iam_shared_provider", "github")
ROLE = ("iam_role", "deploy")
USER = ("iam_user", "deploy")
KEY = ("iam_access_key", "deploy")
BOUNDARY = ("iam_policy", "deploy-boundary")
ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
#: Services that work in the whole account at once, and those that tell of them in one region for all: no condition on a
#: region holds their calls.
GLOBAL_SERVICES = ("cloudtrail", "iam", "route53", "tag")
#: IAM's quotas: the length of a managed policy, and the policies of a role or of a user.
MAX_DOCUMENT, MAX_ATTACHED = 6144, 10


def build(params: Mapping[str, Any], context: Context) -> Sequence[Wanted]:
    """Return the identity and its policies, or what is removed of them.

    Raises:
        PlanRefused: for options that cannot be, all reasons at once.
    """
    if params["state"] == "absent":
        return [*_policies(params, context), *_role(params, context), *_user(params, context)]
    refuse(problems(params, context.identity))
    policies = list(_policies(params, context))
    refuse(_too_long(policies))
    return [*policies, *(_user(params, context) if params["identity"] == "user" else _role(params, context))]


def refuse(reasons: Iterable[str]) -> None:
    """Refuse the plan if there are reasons to."""
    said = list(reasons)
    if said:
        raise PlanRefused(said)


def path_of(context: Context) -> str:
    """Return the IAM path of the identity and its policies, which nothing of the environment's own lies under."""
    return f"/{context.identity.platform}/{context.identity.environment}/deploy/"


def reach_of(params: Mapping[str, Any], context: Context) -> Reach:
    """Return what the identity may get at: its environment, and those that it has to work on beside."""
    environments = sorted({context.identity.environment, *params["partners"]})
    return Reach(
        platform=context.identity.platform,
        environments=tuple(environments),
        regions=tuple(sorted({context.region, *params["regions"]})),
        account=context.aws.account_id,
        partition=context.aws.partition,
    )


def _policies(params: Mapping[str, Any], context: Context) -> Iterator[Wanted]:
    reach = reach_of(params, context)
    for name, rows in grouped(params["grants"]).items():
        yield _policy(context, f"deploy-{name}", document(*statements(rows, reach)))
    yield _policy(context, BOUNDARY[1], _boundary(params, context, reach))


def grouped(grants: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the grants by the policy that holds them, in the order in which they come."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for grant in grants:
        found.setdefault(grant["policy"], []).append(grant)
    return found


def _policy(context: Context, name: str, content: Mapping[str, Any]) -> Wanted:
    attributes = {
        "name": context.identity.name(name),
        "path": path_of(context),
        "description": f"What deploys {context.identity.prefix} may do",
        "document": content,
    }
    attributes["arn"] = policy_arn(context.aws, attributes)
    return Wanted("iam_policy", name, attributes, context.tags(name))


def _boundary(params: Mapping[str, Any], context: Context, reach: Reach) -> dict[str, Any]:
    """Return what the identity may do at most, whatever else is ever attached to it.

    The services of the grants in the regions of the environment, and nothing by which it could widen its own reach.
    """
    services = sorted({action.partition(":")[0] for grant in params["grants"] for action in grant["actions"]})
    regional = [f"{name}:*" for name in services if name not in GLOBAL_SERVICES]
    everywhere = [f"{name}:*" for name in services if name in GLOBAL_SERVICES]
    own = [context.arn("iam", f"{kind}{path_of(context)}*", region="") for kind in ("policy", "role", "user")]
    regions = {"StringEquals": {"aws:RequestedRegion": list(reach.regions)}}
    allowed = [{"Sid": "Regional", "Effect": "Allow", "Action": regional, "Resource": "*", "Condition": regions}]
    if everywhere:
        allowed.append({"Sid": "Everywhere", "Effect": "Allow", "Action": everywhere, "Resource": "*"})
    return document(
        *allowed,
        {"Sid": "NotItself", "Effect": "Deny", "NotAction": ["iam:Get*", "iam:List*"], "Resource": own},
        {"Sid": "NoPeople", "Effect": "Deny", "Action": ["iam:*AccessKey*", "iam:*LoginProfile*", "iam:*User*"],
         "Resource": "*"},
    )  # fmt: skip


def _too_long(policies: Sequence[Wanted]) -> Iterator[str]:
    """Yield a sentence for each policy that IAM would not take."""
    for policy in policies:
        length = len(compact(policy.attributes["document"]))
        if length > MAX_DOCUMENT:
            yield (
                f"The policy {policy.attributes['name']} is {length} characters long, and IAM takes {MAX_DOCUMENT}. "
                "Give some of its grants to another policy."
            )
    attached = len(policies) - 1
    if attached > MAX_ATTACHED:
        yield f"The grants are spread over {attached} policies, and IAM attaches {MAX_ATTACHED}. Use fewer."


def _attached(params: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Return what a role and a user have in common."""
    arns = [item.attributes["arn"] for item in _policies(params, context)]
    return {
        "name": context.identity.name("deploy"),
        "path": path_of(context),
        "managed_policies": arns[:-1],
        "permissions_boundary": arns[-1],
    }


def _after(params: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return (*(("iam_policy", f"deploy-{name}") for name in grouped(params["grants"])), BOUNDARY)


def _role(params: Mapping[str, Any], context: Context) -> list[Wanted]:
    provider = {"url": f"https://{ISSUER}", "client_ids": [AUDIENCE]}
    role = {
        **_attached(params, context),
        "description": f"The pipeline deploys {context.identity.prefix} with it",
        "trust": _trust(params, context),
        "inline_policies": {},
        "max_session_seconds": params["session_seconds"],
        # It follows from the name, so a dry run knows it too.
        "arn": context.arn("iam", f"role{path_of(context)}{context.identity.name('deploy')}", region=""),
    }
    return [
        # No tags: it belongs to the account, and other environments sign in with it too.
        Wanted(*PROVIDER, provider),
        Wanted(*ROLE, role, context.tags("deploy"), after=(*_after(params), PROVIDER)),
    ]


def _trust(params: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Return who may become the role: jobs of the repository that GitHub says run for this environment."""
    return document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": context.arn("iam", f"oidc-provider/{ISSUER}", region="")},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": subjects_of(params, context.identity)}
            },
        }
    )


def _user(params: Mapping[str, Any], context: Context) -> list[Wanted]:
    attached = _attached(params, context)
    key = {
        "user": attached["name"],
        "secret_name": f"{context.identity.platform}/{context.identity.environment}-deploy/access-key",
        "kms_key_arn": params["kms_key_arn"],
        "max_age_days": params["key_max_age_days"],
        "overlap_days": params["key_overlap_days"],
        "current": True,
        "single": True,
    }
    return [
        Wanted(*USER, attached, context.tags("deploy"), after=_after(params)),
        Wanted(*KEY, key, context.tags("deploy"), after=(USER,)),
    ]


def outputs(view: View, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return who the pipeline is; never a key."""
    identity = Identity(params["platform"], params["environment"])
    policies = [name for name in view.names("iam_policy") if name != BOUNDARY[1]]
    return {
        "role_arn": view.get(*ROLE, "arn"),
        "user_name": view.get(*USER, "name"),
        "secret_name": view.get(*KEY, "secret_name"),
        "policy_arns": [view.get("iam_policy", name, "arn") for name in policies],
        "boundary_arn": view.get(*BOUNDARY, "arn"),
        "subjects": subjects_of(params, identity) if params["identity"] == "role" else [],
    }


LAYER = Layer("ci", (IamPolicy(), IamSharedProvider(), IamRole(), IamUser(), IamAccessKey()), build, outputs)
