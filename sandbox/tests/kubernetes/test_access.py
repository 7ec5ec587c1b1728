"""Who gets into a cluster, and what they may do there: access entries and policies on the real path."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

WEST = "us-west-2"
VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
PODS = "/api/v1/namespaces/default/pods"


def within(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for a condition. A token that was good is taken for ten seconds without being looked at again."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)


@pytest.fixture
def somebody(stand: Any) -> Iterator[tuple[str, Callable[[], str]]]:
    """The ARN of a role with no access entry, and a way to get tokens as one of its sessions."""
    iam, sts = stand.client("iam"), stand.client("sts")
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    arn = iam.create_role(RoleName="somebody", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    keys = sts.assume_role(RoleArn=arn, RoleSessionName="ann")["Credentials"]

    def token() -> str:
        key, secret, session = keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]
        return stand.token("prod", sts=stand.client_of("sts", WEST, key, secret, session))

    yield arn, token
    eks = stand.client("eks")
    if arn in eks.list_access_entries(clusterName="prod")["accessEntries"]:
        eks.delete_access_entry(clusterName="prod", principalArn=arn)
    iam.delete_role(RoleName="somebody")


def whoami(kube: Any) -> dict[str, Any]:
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    user: dict[str, Any] = kube.create("/apis/authentication.k8s.io/v1/selfsubjectreviews", review)["status"][
        "userInfo"
    ]
    return user


def test_the_creator_is_the_administrator(stand: Any, kube: Any) -> None:
    user = whoami(kube)
    assert user["username"] == stand.anybody
    assert user["extra"]["canonicalArn"] == [stand.anybody]
    assert kube.ask("GET", "/api/v1/nodes")[0] == 200
    assert kube.ask("GET", "/metrics")[0] == 200


def test_without_a_token_there_is_little_to_see(stand: Any, kube: Any) -> None:
    assert kube.ask("GET", PODS, Authorization="")[0] in (401, 403)
    assert kube.ask("GET", "/livez", Authorization="")[0] == 200
    assert kube.ask("GET", PODS, Authorization="Bearer k8s-aws-v1.bm9uc2Vuc2U")[0] == 401


def test_a_token_of_another_cluster_is_refused(stand: Any) -> None:
    assert stand.cluster(token=stand.token("staging")).ask("GET", PODS)[0] == 401


def test_entries_and_policies_open_and_close_the_door(stand: Any, somebody: tuple[str, Callable[[], str]]) -> None:
    arn, token = somebody
    eks, given = stand.client("eks"), {"clusterName": "prod", "principalArn": arn}
    guest = stand.cluster(token=token())
    assert guest.ask("GET", PODS)[0] == 401, "no entry"
    eks.create_access_entry(**given, kubernetesGroups=["readers"], username="guest:{{SessionName}}")
    within(lambda: guest.ask("GET", PODS)[0] == 403)
    user = whoami(guest)
    assert (user["username"], user["groups"]) == ("guest:ann", ["readers", "system:authenticated"])
    assert (user["extra"]["canonicalArn"], user["extra"]["sessionName"]) == ([arn], ["ann"])
    eks.associate_access_policy(**given, policyArn=VIEW, accessScope={"type": "namespace", "namespaces": ["default"]})
    within(lambda: guest.ask("GET", PODS)[0] == 200)
    assert guest.ask("GET", PODS.replace("default", "kube-system"))[0] == 403
    assert guest.ask("DELETE", f"{PODS}/none")[0] == 403
    eks.disassociate_access_policy(**given, policyArn=VIEW)
    within(lambda: guest.ask("GET", PODS)[0] == 403)
    eks.delete_access_entry(**given)
    within(lambda: guest.ask("GET", PODS)[0] == 401)


def test_groups_of_an_entry_count_in_rbac(stand: Any, kube: Any, somebody: tuple[str, Callable[[], str]]) -> None:
    arn, token = somebody
    stand.client("eks").create_access_entry(clusterName="prod", principalArn=arn, kubernetesGroups=["auditors"])
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "auditors"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "auditors"}],
    }  # fmt: skip
    path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
    kube.create(path, binding)
    guest = stand.cluster(token=token())
    within(lambda: guest.ask("GET", PODS)[0] == 200)
    kube.ask("DELETE", f"{path}/auditors")
    within(lambda: guest.ask("GET", PODS)[0] == 403)


def test_service_accounts_have_tokens_of_the_clusters_issuer(stand: Any, kube: Any) -> None:
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    made = kube.create("/api/v1/namespaces/default/serviceaccounts/default/token", request)["status"]["token"]
    assert whoami(stand.cluster(token=made))["username"] == "system:serviceaccount:default:default"
    issuer = stand.active("prod")["identity"]["oidc"]["issuer"]
    assert kube.get("/.well-known/openid-configuration")["issuer"] == issuer
