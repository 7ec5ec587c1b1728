"""TagResource, UntagResource, ListTagsForResource; they need no idle cluster."""

from __future__ import annotations

from collections.abc import Iterator

from ...errors import AwsError
from .call import Answer, Call, operation
from .state import Cluster, eks_state, state_of

MAXIMUM_TAGS = 50


def _taggable(cluster: Cluster) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield ARN and live tags of a cluster and of everything in it."""
    yield cluster.arn, cluster.tags
    for entry in cluster.entries.values():
        yield entry.document["accessEntryArn"], entry.document["tags"]
    for addon in cluster.addons.values():
        yield addon.document["addonArn"], addon.document["tags"]
    for group in cluster.nodegroups.values():
        yield group.document["nodegroupArn"], group.document["tags"]
    for association in cluster.associations.values():
        yield association["associationArn"], association["tags"]


def tagged_resources(account: str, region: str) -> list[tuple[str, dict[str, str]]]:
    """Return the ARN and the tags of everything of EKS in a region, for the resource groups tagging API."""
    clusters = eks_state(account, region).clusters.values()
    return [(arn, dict(tags)) for cluster in clusters for arn, tags in _taggable(cluster)]


def _tags(call: Call) -> dict[str, str]:
    arn = call["resourceArn"]
    if not arn.startswith("arn:"):
        raise AwsError("BadRequestException", f"{arn} is not an ARN")
    clusters = state_of(call).clusters.values()
    found = next((tags for cluster in clusters for known, tags in _taggable(cluster) if known == arn), None)
    if found is None:
        raise AwsError("NotFoundException", f"The specified resource {arn} could not be found in {call.region}")
    return found


def check_tags(tags: dict[str, str], code: str = "InvalidParameterException") -> None:
    """Refuse tags with keys that AWS keeps for itself, or more than 50.

    Raises:
        AwsError: with ``code``; the tagging calls have another one than the creating calls.
    """
    for key in tags:
        if key.lower().startswith("aws:"):
            raise AwsError(code, f"Tag key {key} is reserved: it must not begin with aws:")
    if len(tags) > MAXIMUM_TAGS:
        raise AwsError(code, f"{len(tags)} tags given, a resource can have at most {MAXIMUM_TAGS}")


@operation("TagResource")
def tag_resource(call: Call) -> Answer:
    """Add or overwrite tags."""
    tags = _tags(call)
    check_tags(tags | call["tags"], "BadRequestException")
    tags.update(call["tags"])
    return {}


@operation("UntagResource")
def untag_resource(call: Call) -> Answer:
    """Take tags away; keys that are not there do not matter."""
    tags = _tags(call)
    for key in call["tagKeys"]:
        tags.pop(key, None)
    return {}


@operation("ListTagsForResource")
def list_tags_for_resource(call: Call) -> Answer:
    """Return the tags of a resource."""
    return {"tags": dict(_tags(call))}
