"""Add-ons and their catalogue."""

from __future__ import annotations

import json

import pytest
from pipeops_sandbox.overlays.eks import control_plane

INVALID = "InvalidParameterException"
ROLE = ["sts:AssumeRole", "sts:TagSession"]


@pytest.fixture
def prod(world):
    """The world with an Auto Mode cluster in it."""
    world.create()
    return world


def describe(world, name="metrics-server"):
    return world.eks.describe_addon(clusterName="prod", addonName=name)["addon"]


def test_the_default_version_of_the_catalogue_is_installed(prod, refused):
    made = prod.eks.create_addon(clusterName="prod", addonName="metrics-server", tags={"a": "b"})["addon"]
    assert made["status"] == "CREATING"
    (row,) = prod.eks.describe_addon_versions(addonName="metrics-server", kubernetesVersion="1.36")["addons"]
    default = [each["addonVersion"] for each in row["addonVersions"] if each["compatibilities"][0]["defaultVersion"]]
    addon = describe(prod)
    assert [addon["addonVersion"]] == default
    assert (addon["status"], addon["health"], addon["tags"]) == ("ACTIVE", {"issues": []}, {"a": "b"})
    assert addon["namespaceConfig"] == {"namespace": "kube-system"}
    assert addon["addonArn"].startswith("arn:aws:eks:us-west-2:123456789012:addon/prod/metrics-server/")
    refused("ResourceInUseException", prod.eks.create_addon, clusterName="prod", addonName="metrics-server")
    assert prod.eks.list_addons(clusterName="prod")["addons"] == ["metrics-server"]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"addonName": "argo-cd"}, "argo-cd"),
        ({"addonName": "metrics-server", "addonVersion": "v9.9.9-eksbuild.1"}, "Addon version specified"),
        ({"addonName": "metrics-server", "configurationValues": '{"replica": 2}'}, "'replica' was unexpected"),
        ({"addonName": "metrics-server", "configurationValues": "replicas: two"}, "is not of type 'integer'"),
        ({"addonName": "metrics-server", "configurationValues": "{"}, "not supported"),
        ({"addonName": "fluent-bit", "serviceAccountRoleArn": "arn:aws:iam::123456789012:role/no"}, "principal"),
        ({"addonName": "fluent-bit", "tags": {"aws:a": "b"}}, "reserved"),
    ],
)
def test_refused_addons(prod, refused, request_, words):
    assert words in refused(INVALID, prod.eks.create_addon, clusterName="prod", **request_)
    assert prod.eks.list_addons(clusterName="prod")["addons"] == []


def test_update_and_delete_take_their_time(world, passing, refused):
    passing(11)
    world.eks.create_cluster(**world.request(version="1.37"))
    request = {"clusterName": "prod", "addonName": "metrics-server"}
    refused("InvalidRequestException", world.eks.create_addon, **request)
    passing(601)
    older = "v0.8.0-eksbuild.2"
    refused(INVALID, world.eks.create_addon, **request, addonVersion=older)
    world.eks.create_addon(**request, configurationValues='{"replicas": 1}')
    refused("ResourceInUseException", world.eks.update_addon, **request, configurationValues='{"replicas": 2}')
    assert describe(world)["status"] == "CREATING"
    passing(46)
    assert describe(world)["status"] == "ACTIVE"
    update = world.eks.update_addon(**request, configurationValues='{"replicas": 2}')["update"]
    assert (update["type"], update["status"]) == ("AddonUpdate", "InProgress")
    assert (describe(world)["status"], describe(world)["configurationValues"]) == ("UPDATING", '{"replicas": 1}')
    refused("ResourceInUseException", world.eks.update_addon, **request, configurationValues='{"replicas": 3}')
    passing(46)
    again = world.eks.describe_update(name="prod", updateId=update["id"], addonName="metrics-server")["update"]
    assert again["status"] == "Successful"
    assert world.eks.list_updates(name="prod", addonName="metrics-server")["updateIds"] == [update["id"]]
    assert (describe(world)["status"], describe(world)["configurationValues"]) == ("ACTIVE", '{"replicas": 2}')
    assert world.eks.delete_addon(**request)["addon"]["status"] == "DELETING"
    assert describe(world)["status"] == "DELETING"
    passing(31)
    for gone in (world.eks.describe_addon, world.eks.delete_addon, world.eks.update_addon):
        refused("ResourceNotFoundException", gone, **request)


def test_pod_identity_of_an_addon(prod, refused):
    first, second = (prod.role(name, "pods.eks.amazonaws.com", ROLE) for name in ("cw-a", "cw-b"))
    request = {"clusterName": "prod", "addonName": "amazon-cloudwatch-observability"}
    wanted = {"serviceAccount": "cloudwatch-agent", "roleArn": first}
    prod.eks.create_addon(**request, podIdentityAssociations=[wanted])

    def owned():
        return prod.eks.list_pod_identity_associations(clusterName="prod")["associations"]

    addon = describe(prod, "amazon-cloudwatch-observability")
    (association,) = owned()
    assert addon["podIdentityAssociations"] == [association["associationArn"]]
    assert (association["ownerArn"], association["namespace"]) == (addon["addonArn"], "amazon-cloudwatch")
    key = {"clusterName": "prod", "associationId": association["associationId"]}
    refused("InvalidRequestException", prod.eks.delete_pod_identity_association, **key)
    prod.eks.update_addon(**request, podIdentityAssociations=[wanted | {"roleArn": second}])
    assert prod.eks.describe_pod_identity_association(**key)["association"]["roleArn"] == second
    prod.eks.update_addon(**request, resolveConflicts="OVERWRITE")
    assert len(owned()) == 1, "absent leaves them alone"
    prod.eks.update_addon(**request, podIdentityAssociations=[])
    assert owned() == []
    assert "podIdentityAssociations" not in describe(prod, "amazon-cloudwatch-observability")


def test_an_addon_cannot_take_a_service_account_that_has_an_association(prod, refused):
    role = prod.role("cw", "pods.eks.amazonaws.com", ROLE)
    account = {"serviceAccount": "external-dns", "roleArn": role}
    prod.eks.create_pod_identity_association(clusterName="prod", namespace="external-dns", **account)
    request = {"clusterName": "prod", "addonName": "external-dns", "podIdentityAssociations": [account]}
    refused("ResourceInUseException", prod.eks.create_addon, **request)
    refused(INVALID, prod.eks.create_addon, **request, serviceAccountRoleArn=role)


def test_an_addon_is_degraded_where_no_node_can_run_it(prod, monkeypatch):
    prod.eks.create_addon(clusterName="prod", addonName="metrics-server")
    monkeypatch.setattr(control_plane.data_plane(), "can_run_pods", lambda cluster: False)
    addon = describe(prod)
    assert addon["status"] == "DEGRADED"
    assert addon["health"]["issues"][0]["code"] == "InsufficientNumberOfReplicas"
    monkeypatch.undo()
    assert describe(prod)["status"] == "ACTIVE"


def test_the_waiters_of_botocore_work(prod):
    request = {"clusterName": "prod", "addonName": "cert-manager"}
    prod.eks.create_addon(**request)
    prod.eks.get_waiter("addon_active").wait(**request)
    prod.eks.delete_addon(**request)
    prod.eks.get_waiter("addon_deleted").wait(**request)


def test_the_catalogue(world, refused):
    pages = world.eks.get_paginator("describe_addon_versions").paginate(PaginationConfig={"PageSize": 7})
    rows = {row["addonName"]: row for page in pages for row in page["addons"]}
    assert {"vpc-cni", "coredns", "metrics-server", "amazon-cloudwatch-observability", "cert-manager"} <= set(rows)
    for name, row in rows.items():
        for kubernetes in ("1.34", "1.35", "1.36", "1.37"):
            fitting = [
                compatible["defaultVersion"]
                for version in row["addonVersions"]
                for compatible in version["compatibilities"]
                if compatible["clusterVersion"] == kubernetes
            ]
            assert fitting.count(True) == 1, (name, kubernetes)
    community = world.eks.describe_addon_versions(owners=["community"])["addons"]
    assert {row["owner"] for row in community} == {"community"}
    refused("ResourceNotFoundException", world.eks.describe_addon_versions, addonName="none")


def test_the_configuration_of_an_addon(world, refused):
    request = {"addonName": "amazon-cloudwatch-observability", "addonVersion": "v4.6.0-eksbuild.1"}
    answer = world.eks.describe_addon_configuration(**request)
    assert "containerLogs" in json.loads(answer["configurationSchema"])["properties"]
    (identity,) = answer["podIdentityConfiguration"]
    assert identity["serviceAccount"] == "cloudwatch-agent"
    assert "arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy" in identity["recommendedManagedPolicies"]
    refused("ResourceNotFoundException", world.eks.describe_addon_configuration, **(request | {"addonVersion": "v0"}))


def test_a_daemon_is_well_without_nodes(world, monkeypatch):
    world.eks.create_cluster(**world.plain("prod"))
    monkeypatch.setattr(control_plane.data_plane(), "can_run_pods", lambda cluster: False)
    for name, status in (("vpc-cni", "ACTIVE"), ("coredns", "DEGRADED")):
        world.eks.create_addon(clusterName="prod", addonName=name)
        assert describe(world, name)["status"] == status


def test_what_was_preserved_conflicts_until_it_may_be_overwritten(prod):
    request = {"clusterName": "prod", "addonName": "metrics-server"}
    prod.eks.create_addon(**request, configurationValues='{"replicas": 5}')
    prod.eks.delete_addon(**request, preserve=True)
    prod.eks.create_addon(**request, resolveConflicts="PRESERVE")
    addon = describe(prod)
    assert addon["status"] == "CREATE_FAILED"
    assert addon["health"]["issues"][0]["code"] == "ConfigurationConflict"
    prod.eks.delete_addon(**request)
    prod.eks.create_addon(**request, resolveConflicts="OVERWRITE")
    assert describe(prod)["status"] == "ACTIVE"
