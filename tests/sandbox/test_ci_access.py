# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import PlanRefused
from moto.iam.models import iam_backends

from tests.platform_runs import ROOT
from tests.sandbox.conftest import Account, prove_converges, prove_removes

SHIPPED = yaml.safe_load((ROOT / "roles/ci_access/vars/main.yml").read_text("utf-8"))["__ci_access_grants"]
ROLE = {"repository": "example/platform", "grants": SHIPPED, "partners": ["dr"], "regions": ["us-east-1"]}
USER = {"identity": "user", "grants": SHIPPED}
NAME, SECRET = "pipeops-prod-deploy", "pipeops/prod-deploy/access-key"
ISSUER = "token.actions.githubusercontent.com"


def actions(result: dict[str, Any]) -> list[str]:
    return [action["action"] for action in result["actions"]]


@pytest.mark.parametrize("options", [ROLE, USER], ids=["role", "user"])
def test_it_converges_and_goes(account: Account, options: dict[str, Any]) -> None:
    prove_converges(account, "ci_access", **options)
    prove_removes(account, "ci_access", **options)
    iam = account.client("iam")
    assert iam.list_policies(Scope="Local")["Policies"] == []
    assert [role for role in iam.list_roles()["Roles"] if role["RoleName"] == NAME] == []
    assert iam.list_users()["Users"] == []


def test_only_jobs_of_the_environment_become_the_role(account: Account) -> None:
    result = account.run("ci_access", **ROLE)
    role = account.client("iam").get_role(RoleName=NAME)["Role"]
    assert role["Arn"] == result["outputs"]["role_arn"]
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == result["outputs"]["boundary_arn"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"] == {
        "StringEquals": {
            f"{ISSUER}:aud": "sts.amazonaws.com",
            f"{ISSUER}:sub": ["repo:example/platform:environment:prod"],
        }
    }
    assert statement["Principal"]["Federated"].endswith(f":oidc-provider/{ISSUER}")


def test_the_outputs_of_a_dry_run_are_those_of_the_run(account: Account) -> None:
    predicted = account.run("ci_access", check=True, **ROLE)
    assert predicted["outputs"] == account.run("ci_access", **ROLE)["outputs"]


def test_environments_share_the_provider_and_nothing_else(account: Account) -> None:
    account.run("ci_access", **ROLE)
    second = account.run("ci_access", **{**ROLE, "environment": "dr", "partners": ["prod"]})
    assert not [action for action in actions(second) if "provider" in action]
    account.run("ci_access", state="absent", **{**ROLE, "environment": "dr", "partners": ["prod"]})
    iam = account.client("iam")
    assert len(iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]) == 1
    assert not account.run("ci_access", **ROLE)["changed"]


def test_audiences_of_others_stay(account: Account) -> None:
    iam = account.client("iam")
    iam.create_open_id_connect_provider(Url=f"https://{ISSUER}", ClientIDList=["others"])
    assert "update/iam_shared_provider/github/client_ids" in actions(account.run("ci_access", **ROLE))
    (found,) = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    provider = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=found["Arn"])
    assert sorted(provider["ClientIDList"]) == ["others", "sts.amazonaws.com"]


def test_a_changed_policy_is_mended_for_ever(account: Account) -> None:
    """IAM keeps five versions of a policy, so that the oldest has to go first."""
    account.run("ci_access", **ROLE)
    iam = account.client("iam")
    arn = next(
        row["Arn"] for row in iam.list_policies(Scope="Local")["Policies"] if row["PolicyName"] == f"{NAME}-network"
    )
    everything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    for _turn in range(4):
        versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
        if len(versions) == 5:
            oldest = min(
                (row for row in versions if not row["IsDefaultVersion"]), key=lambda row: int(row["VersionId"][1:])
            )
            iam.delete_policy_version(PolicyArn=arn, VersionId=oldest["VersionId"])
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(everything), SetAsDefault=True)
        assert actions(account.run("ci_access", **ROLE)) == ["update/iam_policy/deploy-network/document"]
        assert not account.run("ci_access", **ROLE)["changed"]


def test_what_others_attach_is_detached(account: Account) -> None:
    account.run("ci_access", **ROLE)
    iam = account.client("iam")
    iam.attach_role_policy(RoleName=NAME, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    iam.delete_role_permissions_boundary(RoleName=NAME)
    healed = actions(account.run("ci_access", **ROLE))
    assert sorted(healed) == [f"update/iam_role/deploy/{what}" for what in ("managed_policies", "permissions_boundary")]


def test_a_policy_that_no_grant_needs_any_more_goes(account: Account) -> None:
    further = {"policy": "further", "actions": ["s3:GetObject"], "resources": ["arn:{partition}:s3:::own/*"]}
    account.run("ci_access", **{**ROLE, "grants": [*SHIPPED, further]})
    first = account.run("ci_access", **ROLE)
    assert set(actions(first)) == {"update/iam_role/deploy/managed_policies", "delete/iam_policy/deploy-further"}
    assert not account.run("ci_access", **ROLE)["changed"]


def age(key: str, days: int) -> None:
    """Let an access key be older than it is."""
    user = iam_backends["123456789012"]["aws"].users[NAME]
    made = next(one for one in user.access_keys if one.access_key_id == key)
    made.create_date = (datetime.now(UTC) - timedelta(days=days)).replace(tzinfo=None)


def held(account: Account) -> dict[str, str]:
    """Return what the secret holds."""
    value: dict[str, str] = json.loads(
        account.client("secretsmanager").get_secret_value(SecretId=SECRET)["SecretString"]
    )
    return value


def keys(account: Account) -> set[str]:
    found = account.client("iam").list_access_keys(UserName=NAME)["AccessKeyMetadata"]
    return {key["AccessKeyId"] for key in found}


def test_an_access_key_is_renewed_and_the_former_one_overlaps(account: Account) -> None:
    result = account.run("ci_access", **USER)
    first = held(account)
    assert keys(account) == {first["access_key_id"]}
    assert first["secret_access_key"] not in json.dumps(result)
    age(first["access_key_id"], 91)
    assert actions(account.run("ci_access", **USER)) == ["update/iam_access_key/deploy/renewed"]
    second = held(account)
    assert keys(account) == {first["access_key_id"], second["access_key_id"]}
    assert not account.run("ci_access", **USER)["changed"]
    age(second["access_key_id"], 8)
    assert actions(account.run("ci_access", **USER)) == ["update/iam_access_key/deploy/former_removed"]
    assert keys(account) == {second["access_key_id"]}


def test_a_key_that_was_made_and_never_kept_is_no_obstacle(account: Account) -> None:
    """A run was killed between the two."""
    account.run("ci_access", **USER)
    known = held(account)["access_key_id"]
    account.client("iam").create_access_key(UserName=NAME)
    age(known, 91)
    account.run("ci_access", **USER)
    assert keys(account) == {known, held(account)["access_key_id"]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"repository": None}, "repository is ''"),
        ({"repository": "platform"}, "repository is 'platform'"),
        ({"subjects": ["repo:example/*"]}, "A pattern would let in"),
        ({"subjects": ["repo:example/platform:pull_request"]}, "whoever opens a pull request would deploy"),
        ({"session_seconds": 600}, "session_seconds is 600"),
        ({"partners": ["prod"]}, "partners names prod itself"),
        ({"grants": []}, "grants is empty"),
        ({"grants": [{"policy": "x", "actions": ["s3:*"], "resources": ["*"]}]}, "allows 's3:*'"),
        ({"grants": [{"policy": "x", "actions": ["s3:GetObject"], "resources": ["{bucket}"]}]}, "has {bucket}"),
        ({"identity": "user", "key_overlap_days": 90}, "key_overlap_days is 90"),
        ({"identity": "user", "key_max_age_days": 0}, "key_max_age_days is 0"),
    ],
)
def test_bad_input_is_refused_before_anything_is_made(account: Account, change: dict[str, Any], said: str) -> None:
    def run() -> None:
        with pytest.raises(PlanRefused) as refused:
            account.run("ci_access", **{**ROLE, **change})
        assert said in str(refused.value)

    assert account.mutations(run) == []
