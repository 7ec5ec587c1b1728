"""Secrets Manager: labels, replicas and the time in which a secret can be taken back."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from pipeops_sandbox.runtime import runtime


def refused(code: str) -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\)")


def wait(seconds: float) -> None:
    runtime.clock.restore(runtime.clock.now() + seconds)


def test_replicas_follow_and_hold_back_deletion(client: Any) -> None:
    west, east = client("secretsmanager"), client("secretsmanager", "us-east-1")
    runtime.clock.set("aws")
    made = west.create_secret(Name="db", SecretString="one", AddReplicaRegions=[{"Region": "us-east-1"}])
    assert made["ReplicationStatus"][0]["Status"] == "InProgress"
    with refused("ResourceNotFoundException"):
        east.get_secret_value(SecretId="db")
    wait(11)
    assert west.describe_secret(SecretId="db")["ReplicationStatus"][0]["Status"] == "InSync"
    west.put_secret_value(SecretId="db", SecretString="two")
    assert east.get_secret_value(SecretId="db")["SecretString"] == "one"
    assert west.describe_secret(SecretId="db")["ReplicationStatus"][0]["Status"] == "InProgress"
    wait(11)
    assert east.get_secret_value(SecretId="db")["SecretString"] == "two"
    with refused("InvalidParameterException"):
        west.delete_secret(SecretId="db")
    with refused("InvalidParameterException"):
        west.replicate_secret_to_regions(SecretId="db", AddReplicaRegions=[{"Region": "us-east-1"}])
    replica = east.describe_secret(SecretId="db")
    assert replica["PrimaryRegion"] == "us-west-2"
    arn = east.stop_replication_to_replica(SecretId="db")["ARN"]
    assert arn == replica["ARN"]
    east.put_secret_value(SecretId="db", SecretString="three")
    assert west.get_secret_value(SecretId="db")["SecretString"] == "two"
    assert "ReplicationStatus" not in west.describe_secret(SecretId="db")
    with refused("InvalidRequestException"):
        east.stop_replication_to_replica(SecretId="db")
    removed = west.replicate_secret_to_regions(SecretId="db", AddReplicaRegions=[{"Region": "eu-west-1"}])
    assert removed["ARN"] == made["ARN"]
    west.remove_regions_from_replication(SecretId="db", RemoveReplicaRegions=["eu-west-1"])
    west.delete_secret(SecretId="db", RecoveryWindowInDays=7)


def stages(secrets: Any) -> dict[str, list[str]]:
    """Return the version that each label is on, in the order of the labels."""
    found = secrets.describe_secret(SecretId="db")["VersionIdsToStages"]
    return {version: sorted(labels) for version, labels in sorted(found.items())}


def versions(count: int) -> list[str]:
    return [f"version-{number}-{'0' * 32}" for number in range(1, count + 1)]


def test_labels_move_as_in_a_rotation(client: Any) -> None:
    secrets = client("secretsmanager")
    first, second, third = versions(3)
    secrets.create_secret(Name="db", SecretString="one", ClientRequestToken=first)
    pending = {"SecretId": "db", "VersionStages": ["AWSPENDING"]}
    secrets.put_secret_value(SecretString="two", ClientRequestToken=second, **pending)
    assert stages(secrets) == {first: ["AWSCURRENT"], second: ["AWSPENDING"]}
    assert secrets.get_secret_value(SecretId="db")["SecretString"] == "one"
    assert secrets.get_secret_value(SecretId="db", VersionStage="AWSPENDING")["SecretString"] == "two"
    move = {"SecretId": "db", "VersionStage": "AWSCURRENT", "MoveToVersionId": second}
    for source in ({}, {"RemoveFromVersionId": second}):
        with refused("InvalidParameterException"):
            secrets.update_secret_version_stage(**move, **source)
    with refused("InvalidParameterException"):
        secrets.update_secret_version_stage(SecretId="db", VersionStage="AWSCURRENT", RemoveFromVersionId=first)
    secrets.update_secret_version_stage(**move, RemoveFromVersionId=first)
    assert stages(secrets) == {first: ["AWSPREVIOUS"], second: ["AWSCURRENT", "AWSPENDING"]}
    assert secrets.get_secret_value(SecretId="db")["SecretString"] == "two"
    # To where it is already: nothing happens, whatever it is to be removed from.
    secrets.update_secret_version_stage(**move, RemoveFromVersionId=second)
    # The label goes with the next version that asks for it, and a version without one is deprecated.
    secrets.put_secret_value(SecretString="three", ClientRequestToken=third, **pending)
    assert stages(secrets) == {first: ["AWSPREVIOUS"], second: ["AWSCURRENT"], third: ["AWSPENDING"]}
    secrets.update_secret_version_stage(SecretId="db", VersionStage="AWSPENDING", RemoveFromVersionId=third)
    assert list(stages(secrets)) == [first, second]
    listed = secrets.list_secret_version_ids(SecretId="db")
    assert {row["VersionId"] for row in listed["Versions"]} == {first, second}
    assert listed["ARN"] == secrets.describe_secret(SecretId="db")["ARN"]
    assert len(secrets.list_secret_version_ids(SecretId="db", IncludeDeprecated=True)["Versions"]) == 3


def test_a_label_stays_on_a_version_that_is_current_no_more(client: Any) -> None:
    secrets = client("secretsmanager")
    first, second = versions(2)
    secrets.create_secret(Name="db", SecretString="one", ClientRequestToken=first)
    secrets.update_secret_version_stage(SecretId="db", VersionStage="AWSPENDING", MoveToVersionId=first)
    secrets.put_secret_value(SecretId="db", SecretString="two", ClientRequestToken=second)
    assert stages(secrets) == {first: ["AWSPENDING", "AWSPREVIOUS"], second: ["AWSCURRENT"]}


def test_labels_reach_replicas_after_a_moment(client: Any) -> None:
    west, east = client("secretsmanager"), client("secretsmanager", "us-east-1")
    first, second = versions(2)
    there = [{"Region": "us-east-1"}]
    west.create_secret(Name="db", SecretString="one", ClientRequestToken=first, AddReplicaRegions=there)
    runtime.clock.set("aws")
    put = {"SecretId": "db", "SecretString": "two", "ClientRequestToken": second, "VersionStages": ["AWSPENDING"]}
    west.put_secret_value(**put)
    move = {"SecretId": "db", "VersionStage": "AWSCURRENT", "RemoveFromVersionId": first, "MoveToVersionId": second}
    west.update_secret_version_stage(**move)
    assert stages(east) == {first: ["AWSCURRENT"]}
    assert east.get_secret_value(SecretId="db")["SecretString"] == "one"
    wait(11)
    assert stages(east) == stages(west) == {first: ["AWSPREVIOUS"], second: ["AWSCURRENT", "AWSPENDING"]}
    with refused("InvalidParameterException"):
        east.update_secret_version_stage(**move)
    west.put_secret_value(SecretId="db", SecretString="three")
    east.stop_replication_to_replica(SecretId="db")
    wait(11)
    assert east.get_secret_value(SecretId="db")["SecretString"] == "two", "what had not arrived never does"


def test_a_replica_is_not_changed_alone(client: Any) -> None:
    west, east = client("secretsmanager"), client("secretsmanager", "us-east-1")
    west.create_secret(Name="db", SecretString="one", AddReplicaRegions=[{"Region": "us-east-1"}])
    for call, more in (
        (east.put_secret_value, {"SecretString": "two"}),
        (east.update_secret, {"Description": "mine"}),
        (east.delete_secret, {}),
        (east.tag_resource, {"Tags": [{"Key": "a", "Value": "b"}]}),
        (east.rotate_secret, {}),
    ):
        with refused("InvalidParameterException|InvalidRequestException"):
            call(SecretId="db", **more)


def test_overwriting_a_copy_lists_it_once(client: Any) -> None:
    west, east = client("secretsmanager"), client("secretsmanager", "us-east-1")
    west.create_secret(Name="db", SecretString="one")
    east.create_secret(Name="db", SecretString="mine")
    there = [{"Region": "us-east-1"}]
    (failed,) = west.replicate_secret_to_regions(SecretId="db", AddReplicaRegions=there)["ReplicationStatus"]
    assert failed["Status"] == "Failed" and east.get_secret_value(SecretId="db")["SecretString"] == "mine"
    for _ in range(2):
        west.replicate_secret_to_regions(SecretId="db", AddReplicaRegions=there, ForceOverwriteReplicaSecret=True)
        assert [row["Status"] for row in west.describe_secret(SecretId="db")["ReplicationStatus"]] == ["InSync"]
    assert east.get_secret_value(SecretId="db")["SecretString"] == "one"


def test_a_deleted_secret_can_be_taken_back_for_a_while(client: Any) -> None:
    secrets = client("secretsmanager")
    secrets.create_secret(Name="db", SecretString="one")
    secrets.delete_secret(SecretId="db", RecoveryWindowInDays=7)
    with refused("InvalidRequestException"):
        secrets.get_secret_value(SecretId="db")
    with refused("InvalidRequestException"):
        secrets.create_secret(Name="db", SecretString="two")
    secrets.restore_secret(SecretId="db")
    assert secrets.get_secret_value(SecretId="db")["SecretString"] == "one"
    secrets.delete_secret(SecretId="db", RecoveryWindowInDays=7)
    wait(7 * 86400 + 1)
    with refused("ResourceNotFoundException"):
        secrets.describe_secret(SecretId="db")


def test_secret_keys_and_tokens(client: Any) -> None:
    secrets = client("secretsmanager")
    with refused("EncryptionFailure"):
        secrets.create_secret(Name="db", SecretString="one", KmsKeyId="alias/none")
    token = "0123456789abcdef0123456789abcdef"
    first = secrets.create_secret(Name="db", SecretString="one", ClientRequestToken=token)
    again = secrets.create_secret(Name="db", SecretString="one", ClientRequestToken=token)
    assert first["ARN"] == again["ARN"]
    with refused("ResourceExistsException"):
        secrets.create_secret(Name="db", SecretString="other", ClientRequestToken=token)
