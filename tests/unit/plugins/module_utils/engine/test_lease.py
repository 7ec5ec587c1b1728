# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.lease import (
    Lease,
    LeaseLost,
    bind,
    insist,
    now,
    read_leases,
)

HOUR = 3600.0


@pytest.fixture(autouse=True)
def _unbound(tmp_path: Path) -> Iterator[None]:
    yield
    bind(tmp_path / "none")


def hold(folder: Path, environment: str = "prod", seconds: float = HOUR, lost: str = "") -> None:
    Lease(environment, 7, now() + seconds, lost).write(folder)


def test_without_a_lease_everything_is_free(tmp_path: Path) -> None:
    bind(tmp_path)
    insist("rds:CreateDBInstance")
    bind(tmp_path / "not-there")
    insist("rds:CreateDBInstance")


def test_a_lease_reads_as_it_was_written(tmp_path: Path) -> None:
    lease = Lease("prod", 1795712345, 12.5, "somebody has asked for it", 4711)
    lease.write(tmp_path)
    assert read_leases(tmp_path) == {"prod": lease}


@pytest.mark.parametrize(
    ("seconds", "lost", "reason"),
    [
        pytest.param(-1, "", "it was not renewed in time: its last renewal ran out 1 s ago", id="ended"),
        pytest.param(HOUR, "bob@ci has asked for it", "bob@ci has asked for it", id="lost"),
    ],
)
def test_a_lease_that_is_gone_stops_every_change(tmp_path: Path, seconds: float, lost: str, reason: str) -> None:
    hold(tmp_path, "dr")
    hold(tmp_path, "prod")
    bind(tmp_path)
    insist("rds:CreateDBInstance")
    hold(tmp_path, "prod", seconds, lost)
    with pytest.raises(LeaseLost, match=f"Stopped before rds:CreateDBInstance: .* lock of prod; {reason}") as stopped:
        insist("rds:CreateDBInstance")
    assert "Run it again" in str(stopped.value)


def test_a_renewed_lease_counts(tmp_path: Path) -> None:
    hold(tmp_path, seconds=-1)
    bind(tmp_path)
    hold(tmp_path)
    insist("rds:CreateDBInstance")


def test_what_vanishes_is_lost(tmp_path: Path) -> None:
    hold(tmp_path)
    bind(tmp_path)
    (tmp_path / "prod.json").unlink()
    with pytest.raises(LeaseLost, match="the run that held it has ended"):
        insist("rds:CreateDBInstance")


@pytest.mark.parametrize(
    ("service", "operation", "reads"),
    [
        ("rds", "describe_db_instances", True),
        ("s3", "list_buckets", True),
        ("sts", "get_caller_identity", True),
        ("rds", "delete_db_instance", False),
        ("ec2", "create_vpc", False),
        ("s3", "put_object", False),
        ("kms", "schedule_key_deletion", False),
    ],
)
def test_a_client_sends_no_change_without_the_lease(tmp_path: Path, service: str, operation: str, reads: bool) -> None:
    """To an address at which nobody listens: what is refused is refused before anything is sent."""
    hold(tmp_path, seconds=-1)
    bind(tmp_path)
    nowhere = {"region": "us-west-2", "endpoint_url": "http://127.0.0.1:9", "access_key": "x", "secret_key": "x"}
    call = getattr(Aws(nowhere).client(service, once=True), operation)
    options = {
        "delete_db_instance": {"DBInstanceIdentifier": "x"},
        "create_vpc": {"CidrBlock": "10.0.0.0/16"},
        "put_object": {"Bucket": "bucket", "Key": "x"},
        "schedule_key_deletion": {"KeyId": "x"},
    }
    with pytest.raises(Exception, match=r"Could not connect" if reads else r"Stopped before ") as raised:
        call(**options.get(operation, {}))
    assert isinstance(raised.value, LeaseLost) is not reads
