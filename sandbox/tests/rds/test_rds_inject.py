"""Odd states on demand, through the control interface."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError

import pytest

MAIN = "arn:aws:rds:us-west-2:123456789012:db:main"


def refused(control: Callable[..., Any], path: str, **body: Any) -> tuple[int, dict[str, Any]]:
    """Return status and error of a control request that is refused."""
    with pytest.raises(HTTPError) as caught:
        control("POST", path, **body)
    return caught.value.code, json.load(caught.value)["error"]


def test_a_status_stays_until_it_is_taken_back(west: Any, control: Callable[..., Any]) -> None:
    west.primary()
    assert west.show()["DBInstanceStatus"] == "available"
    answer = control("POST", "rds/us-west-2/main", status="storage-full")
    assert answer == {"region": "us-west-2", "identifier": "main", "status": "storage-full"}
    assert west.show()["DBInstanceStatus"] == "storage-full"
    control("POST", "rds/us-west-2/main", status="available")
    assert west.show()["DBInstanceStatus"] == "available"


def test_replication_breaks_with_a_message(west: Any, east: Any, control: Callable[..., Any]) -> None:
    west.primary()
    east.replica("dr", MAIN)
    east.show("dr")
    control("POST", "rds/us-east-1/dr", replication="error", message="requested WAL segment has been removed")
    (info,) = east.show("dr")["StatusInfos"]
    assert (info["Normal"], info["Status"]) == (False, "error")
    assert info["Message"] == "requested WAL segment has been removed"
    control("POST", "rds/us-east-1/dr", replication="replicating")
    assert east.show("dr")["StatusInfos"][0]["Normal"] is True


def test_what_cannot_be_is_refused_and_changes_nothing(west: Any, control: Callable[..., Any]) -> None:
    west.primary()
    before = west.show()
    for body, field in (
        ({"status": "stopped"}, "status"),
        ({"replication": "slow"}, "replication"),
        ({"status": "failed", "replication": "error"}, "replication"),
        ({"message": "x"}, "body"),
        ({"state": "failed"}, "state"),
    ):
        status, error = refused(control, "rds/us-west-2/main", **body)
        assert (status, error["field"]) == (400, field)
    status, error = refused(control, "rds/us-east-1/main", status="failed")
    assert (status, error["message"]) == (404, "there is no DB instance 'main' in us-east-1; there are: none")
    assert west.show() == before
