"""Pod Identity associations: which role a service account's pods get."""

from __future__ import annotations

import copy
import json
from typing import Any

from moto.moto_api._internal import mock_random

from .call import Answer, Call, in_use, invalid_parameter, invalid_request, not_found, operation, page
from .principals import PODS, require_role
from .state import Cluster, find_cluster, state_of
from .tags import check_tags
from .tokens import forget_answers_about
from .updates import require_active

_SUMMARY = ("clusterName", "namespace", "serviceAccount", "associationArn", "associationId", "ownerArn")


def _find(call: Call) -> tuple[Cluster, dict[str, Any]]:
    cluster = find_cluster(call, call["clusterName"])
    association = cluster.associations.get(call["associationId"])
    if association is None:
        raise not_found(
            f"Pod identity association {call['associationId']} not found in cluster {cluster.name}",
            clusterName=cluster.name,
        )
    return cluster, association


@operation("CreatePodIdentityAssociation")
def create_pod_identity_association(call: Call) -> Answer:
    """Give the pods of a service account a role; neither has to exist in Kubernetes yet."""
    cluster = find_cluster(call, call["clusterName"])
    require_active(cluster, call.now)
    _check(call, cluster.name, call.get("disableSessionTags", False))
    return {"association": copy.deepcopy(associate(call, cluster, dict(call.params), None))}


def _check(call: Call, name: str, session_tags_off: bool) -> None:
    """Refuse a role that pods cannot get, or a session policy that is no policy."""
    if call.get("roleArn"):
        require_role(call, name, call["roleArn"], PODS, tag_session=True)
    if not call.get("policy"):
        return
    if not session_tags_off:
        raise invalid_parameter("policy: disableSessionTags must be true when a policy is given", clusterName=name)
    try:
        json.loads(call["policy"])
    except ValueError as error:
        raise invalid_parameter(f"policy is not JSON: {error}", clusterName=name) from error


def associate(call: Call, cluster: Cluster, given: dict[str, Any], owner: str | None) -> dict[str, Any]:
    """Store an association.

    Args:
        call: the request that wants it.
        cluster: where.
        given: namespace, serviceAccount, roleArn and the optional members of the API.
        owner: the ARN of the add-on that it belongs to, if any.

    Raises:
        AwsError: ResourceInUseException if the service account has one.
    """
    namespace, account = given["namespace"], given["serviceAccount"]
    held = {(each["namespace"], each["serviceAccount"]) for each in cluster.associations.values()}
    if (namespace, account) in held:
        raise in_use(f"Association already exists: {namespace}, {account}", clusterName=cluster.name)
    check_tags(given.get("tags") or {})
    association = _association(call, cluster, given)
    association |= {"ownerArn": owner} if owner else {}
    cluster.associations[association["associationId"]] = association
    return association


def _association(call: Call, cluster: Cluster, given: dict[str, Any]) -> dict[str, Any]:
    identifier = "a-" + mock_random.get_random_string(17, lower_case=True)
    association = {
        "clusterName": cluster.name,
        "namespace": given["namespace"],
        "serviceAccount": given["serviceAccount"],
        "roleArn": given["roleArn"],
        "associationArn": call.arn(f"podidentityassociation/{cluster.name}/{identifier}"),
        "associationId": identifier,
        "tags": dict(given.get("tags") or {}),
        "createdAt": call.now,
        "modifiedAt": call.now,
        "disableSessionTags": given.get("disableSessionTags") or False,
        **{member: given[member] for member in ("targetRoleArn", "policy") if given.get(member)},
    }
    return association | ({"externalId": str(mock_random.uuid4())} if given.get("targetRoleArn") else {})


@operation("DescribePodIdentityAssociation")
def describe_pod_identity_association(call: Call) -> Answer:
    """Return an association."""
    return {"association": copy.deepcopy(_find(call)[1])}


@operation("ListPodIdentityAssociations")
def list_pod_identity_associations(call: Call) -> Answer:
    """Return summaries, of a namespace or a service account if asked so."""
    cluster = find_cluster(call, call["clusterName"])
    wanted = {member: call[member] for member in ("namespace", "serviceAccount") if call.get(member)}
    found = [each for each in cluster.associations.values() if wanted.items() <= each.items()]
    summaries = [{member: each[member] for member in _SUMMARY if member in each} for each in found]
    return page(call, summaries, "associations")


def _own(call: Call) -> tuple[Cluster, dict[str, Any]]:
    """Return an association that is not an add-on's."""
    cluster, association = _find(call)
    if "ownerArn" in association:
        raise invalid_request(
            f"Association {association['associationId']} belongs to {association['ownerArn']}: change the add-on",
            clusterName=cluster.name,
        )
    return cluster, association


@operation("UpdatePodIdentityAssociation")
def update_pod_identity_association(call: Call) -> Answer:
    """Change the role of an association; cluster, namespace and service account stay."""
    cluster, association = _own(call)
    require_active(cluster, call.now)
    _check(call, cluster.name, call.get("disableSessionTags", association["disableSessionTags"]))
    members = ("roleArn", "disableSessionTags", "targetRoleArn", "policy")
    association |= {member: call[member] for member in members if call.get(member) is not None}
    association["modifiedAt"] = call.now
    return {"association": copy.deepcopy(association)}


@operation("DeletePodIdentityAssociation")
def delete_pod_identity_association(call: Call) -> Answer:
    """Take an association away; running pods keep their credentials until these expire."""
    cluster, association = _own(call)
    del cluster.associations[association["associationId"]]
    forget_answers_about(state_of(call), association["associationArn"])
    return {"association": copy.deepcopy(association)}
