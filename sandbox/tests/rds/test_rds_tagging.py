"""What the tagging API shows of the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeops_sandbox.server import Sandbox

TAGS = [{"Key": "Owner", "Value": "platform"}]


def shown(tagging: Any, **request: Any) -> list[str]:
    """Return kind and name of each resource that GetResources shows."""
    rows = tagging.get_resources(**request)["ResourceTagMappingList"]
    return sorted(row["ResourceARN"].split(":", 5)[5] for row in rows)


def test_the_tagging_api_shows_each_kind(west: Any, client: Callable[..., Any]) -> None:
    tagging = client("resourcegroupstaggingapi")
    west.primary(Tags=TAGS)
    west.primary("plain")
    west.show()
    west.rds.create_db_parameter_group(
        DBParameterGroupName="own", DBParameterGroupFamily="postgres16", Description="own", Tags=TAGS
    )
    west.rds.create_db_snapshot(DBSnapshotIdentifier="kept", DBInstanceIdentifier="main", Tags=TAGS)
    assert shown(tagging, ResourceTypeFilters=["rds"]) == ["db:main", "pg:own", "snapshot:kept"]
    assert shown(tagging, ResourceTypeFilters=["rds:db", "ec2:vpc"]) == ["db:main"]
    assert shown(tagging, TagFilters=[{"Key": "Owner", "Values": ["other"]}]) == []
    west.rds.remove_tags_from_resource(ResourceName=west.show()["DBInstanceArn"], TagKeys=["Owner"])
    assert shown(tagging, ResourceTypeFilters=["rds:db"]) == []
    assert shown(client("resourcegroupstaggingapi", "us-east-1")) == []


def test_a_snapshot_between_two_pages_keeps_the_second(west: Any, client: Callable[..., Any], sandbox: Sandbox) -> None:
    for name in ("a", "b", "c"):
        west.primary(name, Tags=TAGS)
    tagging = client("resourcegroupstaggingapi")
    first = tagging.get_resources(ResourcesPerPage=2, ResourceTypeFilters=["rds:db"])
    sandbox.snapshots.take("between")
    sandbox.reset()
    sandbox.snapshots.restore("between")
    second = tagging.get_resources(PaginationToken=first["PaginationToken"])
    names = [row["ResourceARN"].rsplit(":", 1)[1] for page in (first, second) for row in page["ResourceTagMappingList"]]
    assert sorted(names) == ["a", "b", "c"]
