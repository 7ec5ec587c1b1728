# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resource types that several layers share, each in a layer of its own here."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import PlanRefused
from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import Layer, argument_spec, run_layer
from ansible_collections.pipeops.platform.plugins.module_utils.engine.model import ResourceType, Wanted
from ansible_collections.pipeops.platform.plugins.module_utils.resources.iam_oidc_provider import IamOidcProvider
from ansible_collections.pipeops.platform.plugins.module_utils.resources.iam_role import IamRole
from ansible_collections.pipeops.platform.plugins.module_utils.resources.log_group import LogGroup
from ansible_collections.pipeops.platform.plugins.module_utils.resources.policies import document, service_trust
from pipeops_sandbox.faults import Rule

from tests.sandbox.conftest import Account

ROLE = {
    "name": "pipeops-prod-app",
    "description": "What the application may do",
    "trust": service_trust("pods.eks.amazonaws.com", actions=["sts:AssumeRole", "sts:TagSession"]),
    "inline_policies": {"read": document({"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "*"})},
    "managed_policies": [],
    "max_session_seconds": 3600,
}
GROUP = {"name": "/pipeops/prod/flow", "retention_days": 30}
ISSUER = "https://oidc.eks.us-west-2.amazonaws.com/id/0123456789ABCDEF"
PROVIDER = {"url": ISSUER, "client_ids": ["sts.amazonaws.com"]}

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(account: Account) -> Run:
    """Bring one resource to the given attributes, or remove it."""

    def run_one(resource_type: ResourceType, attributes: dict[str, Any], **options: Any) -> dict[str, Any]:
        check = options.pop("check", False)
        given = {"environment": "prod", "region": account.region, "endpoint_url": account.url, "wait_delay": 0.2}
        spec = {**aws_argument_spec(), **argument_spec({})}
        checked = ArgumentSpecValidator(spec).validate({**given, **options})
        assert not checked.error_messages
        kind = resource_type.kind
        layer = Layer("test", (resource_type,), lambda _p, c: [Wanted(kind, "it", attributes, c.tags("it"))])
        return run_layer(layer, checked.validated_parameters, check_mode=check)

    return run_one


def actions(result: dict[str, Any]) -> list[str]:
    return [action["action"] for action in result["actions"]]


def policy_arn(account: Account, name: str) -> str:
    """Make a managed policy, and return its ARN."""
    content = json.dumps(document({"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}))
    return str(account.client("iam").create_policy(PolicyName=name, PolicyDocument=content)["Policy"]["Arn"])


@pytest.mark.parametrize(
    ("resource_type", "attributes"), [(IamRole(), ROLE), (LogGroup(), GROUP), (IamOidcProvider(), PROVIDER)]
)
def test_it_is_made_once_and_removed(
    account: Account, run: Run, resource_type: ResourceType, attributes: dict[str, Any]
) -> None:
    create = [f"create/{resource_type.kind}/it"]
    assert actions(run(resource_type, attributes, check=True)) == create
    assert actions(run(resource_type, attributes)) == create
    assert account.mutations(lambda: run(resource_type, attributes)) == []
    assert actions(run(resource_type, attributes, tags={"team": "a"})) == [f"update/{resource_type.kind}/it/tags"]
    assert actions(run(resource_type, attributes, tags={"team": "a"})) == []
    assert actions(run(resource_type, attributes, state="absent")) == [f"delete/{resource_type.kind}/it"]
    assert not run(resource_type, attributes, state="absent")["changed"]


@pytest.mark.parametrize("effect", ["throttle", "error_500", "reset", "reset_after"])
@pytest.mark.parametrize(
    ("resource_type", "attributes", "operation"),
    [
        (IamRole(), ROLE, "CreateRole"),
        (IamRole(), ROLE, "PutRolePolicy"),
        (LogGroup(), GROUP, "CreateLogGroup"),
        (LogGroup(), GROUP, "PutRetentionPolicy"),
        (IamOidcProvider(), PROVIDER, "CreateOpenIDConnectProvider"),
    ],
)
def test_it_is_complete_after_a_call_that_went_wrong(
    account: Account,
    run: Run,
    resource_type: ResourceType,
    attributes: dict[str, Any],
    operation: str,
    effect: str,
) -> None:
    account.sandbox.faults.add(Rule(effect, operation=operation, nth=1))
    run(resource_type, attributes)
    assert not run(resource_type, attributes)["changed"]


@pytest.mark.parametrize(
    ("change", "update"),
    [
        ({"description": "Another"}, "settings"),
        ({"max_session_seconds": 7200}, "settings"),
        ({"trust": service_trust("ec2.amazonaws.com")}, "trust"),
        ({"inline_policies": {}}, "inline_policies"),
        ({"inline_policies": {"read": ROLE["inline_policies"]["read"], "more": document()}}, None),
    ],
)
def test_a_role_takes_each_change(account: Account, run: Run, change: dict[str, Any], update: str | None) -> None:
    run(IamRole(), ROLE)
    if update is None:
        change["inline_policies"]["more"] = document({"Effect": "Deny", "Action": "*", "Resource": "*"})
        update = "inline_policies"
    wanted = {**ROLE, **change}
    assert actions(run(IamRole(), wanted, check=True)) == [f"update/iam_role/it/{update}"]
    assert actions(run(IamRole(), wanted)) == [f"update/iam_role/it/{update}"]
    assert actions(run(IamRole(), wanted)) == []
    role = account.client("iam").get_role(RoleName=ROLE["name"])["Role"]
    assert role["Description"] == wanted["description"]
    assert role["MaxSessionDuration"] == wanted["max_session_seconds"]


def test_a_role_owns_its_attachments(account: Account, run: Run) -> None:
    iam = account.client("iam")
    first, second = policy_arn(account, "first"), policy_arn(account, "second")
    run(IamRole(), {**ROLE, "managed_policies": [first]})
    iam.detach_role_policy(RoleName=ROLE["name"], PolicyArn=first)
    iam.attach_role_policy(RoleName=ROLE["name"], PolicyArn=second)
    assert actions(run(IamRole(), {**ROLE, "managed_policies": [first]})) == ["update/iam_role/it/managed_policies"]
    attached = iam.list_attached_role_policies(RoleName=ROLE["name"])["AttachedPolicies"]
    assert [policy["PolicyArn"] for policy in attached] == [first]


def test_what_a_role_does_not_name_is_left_alone(account: Account, run: Run) -> None:
    own = {key: value for key, value in ROLE.items() if key not in ("managed_policies", "inline_policies")}
    run(IamRole(), own)
    account.client("iam").attach_role_policy(RoleName=ROLE["name"], PolicyArn=policy_arn(account, "theirs"))
    assert not run(IamRole(), own)["changed"]
    assert actions(run(IamRole(), own, state="absent")) == ["delete/iam_role/it"]


def test_a_role_in_an_instance_profile_is_taken_out_first(account: Account, run: Run) -> None:
    run(IamRole(), ROLE)
    iam = account.client("iam")
    iam.create_instance_profile(InstanceProfileName="nodes")
    iam.add_role_to_instance_profile(InstanceProfileName="nodes", RoleName=ROLE["name"])
    run(IamRole(), ROLE, state="absent")
    assert iam.get_instance_profile(InstanceProfileName="nodes")["InstanceProfile"]["Roles"] == []


def test_a_role_gets_and_loses_its_boundary(account: Account, run: Run) -> None:
    arn = policy_arn(account, "boundary")
    run(IamRole(), {**ROLE, "permissions_boundary": arn})
    role = account.client("iam").get_role(RoleName=ROLE["name"])["Role"]
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn
    changed = run(IamRole(), {**ROLE, "permissions_boundary": ""})
    assert actions(changed) == ["update/iam_role/it/permissions_boundary"]
    assert not run(IamRole(), {**ROLE, "permissions_boundary": ""})["changed"]


def test_the_path_of_a_role_is_refused(run: Run) -> None:
    run(IamRole(), {**ROLE, "path": "/one/"})
    with pytest.raises(PlanRefused, match="IAM cannot move a role"):
        run(IamRole(), {**ROLE, "path": "/two/"})


@pytest.mark.parametrize("days", [1, 365, 0])
def test_a_log_group_takes_another_retention(run: Run, days: int) -> None:
    run(LogGroup(), GROUP)
    wanted = {**GROUP, "retention_days": days}
    assert actions(run(LogGroup(), wanted)) == ["update/log_group/it/retention_days"]
    assert actions(run(LogGroup(), wanted)) == []


def test_a_log_group_takes_and_drops_a_key(account: Account, run: Run) -> None:
    run(LogGroup(), GROUP)
    root = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    logs = {**root, "Principal": {"Service": f"logs.{account.region}.amazonaws.com"}}
    arn = account.client("kms").create_key(Policy=json.dumps(document(root, logs)))["KeyMetadata"]["Arn"]
    for key in (arn, ""):
        assert actions(run(LogGroup(), {**GROUP, "kms_key_arn": key})) == ["update/log_group/it/kms_key_arn"]
        assert actions(run(LogGroup(), {**GROUP, "kms_key_arn": key})) == []


def test_a_log_group_that_a_service_made_is_taken_over(account: Account, run: Run) -> None:
    account.client("logs").create_log_group(logGroupName=GROUP["name"])
    taken = run(LogGroup(), GROUP)
    assert actions(taken) == ["update/log_group/it/retention_days", "update/log_group/it/tags"]
    assert not run(LogGroup(), GROUP)["changed"]


def test_a_log_group_is_not_mistaken_for_one_with_a_longer_name(account: Account, run: Run) -> None:
    account.client("logs").create_log_group(logGroupName=f"{GROUP['name']}-more")
    assert actions(run(LogGroup(), GROUP)) == ["create/log_group/it"]


def test_a_provider_takes_other_clients(account: Account, run: Run) -> None:
    run(IamOidcProvider(), PROVIDER)
    wanted = {**PROVIDER, "client_ids": ["other", "third"]}
    assert actions(run(IamOidcProvider(), wanted)) == ["update/iam_oidc_provider/it/client_ids"]
    assert actions(run(IamOidcProvider(), wanted)) == []


def test_a_provider_follows_a_new_issuer(account: Account, run: Run) -> None:
    run(IamOidcProvider(), PROVIDER)
    wanted = {**PROVIDER, "url": f"{ISSUER}0"}
    assert actions(run(IamOidcProvider(), wanted, check=True)) == ["replace/iam_oidc_provider/it"]
    run(IamOidcProvider(), wanted)
    providers = account.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    assert [item["Arn"].partition("oidc-provider/")[2] for item in providers] == [f"{ISSUER}0".removeprefix("https://")]
    assert not run(IamOidcProvider(), wanted)["changed"]


def test_a_provider_of_an_issuer_to_come_is_planned(run: Run) -> None:
    pending = {**PROVIDER, "url": "pending:eks_cluster.issuer:main"}
    assert actions(run(IamOidcProvider(), pending, check=True)) == ["create/iam_oidc_provider/it"]
