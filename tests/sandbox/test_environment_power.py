# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What costs by the hour is stopped and started, as far as RDS and EKS let it."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError, PlanRefused
from pipeops_sandbox.faults import Rule
from pipeops_sandbox.runtime import runtime

from tests.sandbox.conftest import Account, prove_converges
from tests.sandbox.rds_database import actions
from tests.sandbox.test_eks_data_plane import MODULE as DATA_PLANE
from tests.sandbox.test_eks_node_groups import group, stand

#: Model seconds in each real one, where states have to pass.
FAST = 1000
MODULE, NAME = "environment_power", "pipeops-prod"
OPTIONS: dict[str, Any] = {"account_id": "123456789012", "database_identifier": NAME}
#: The fixture is that of the tests of node groups.
__all__ = ["stand"]


def make_instance(account: Account, identifier: str, **more: Any) -> None:
    account.client("rds").create_db_instance(
        DBInstanceIdentifier=identifier,
        Engine="postgres",
        EngineVersion="17.6",
        DBInstanceClass="db.t3.medium",
        AllocatedStorage=100,
        MasterUsername="pipeops_admin",
        MasterUserPassword="correct-horse-battery",
        **more,
    )


def full(account: Account) -> None:
    """Let the storage of the database be full."""
    body = json.dumps({"status": "storage-full"}).encode()
    urlopen(Request(f"{account.url}/_sandbox/rds/us-west-2/{NAME}", body, method="POST"), timeout=10).close()


def status(account: Account) -> str:
    rds = account.client("rds")
    rds.describe_db_instances()
    return str(rds.describe_db_instances(DBInstanceIdentifier=NAME)["DBInstances"][0]["DBInstanceStatus"])


def test_a_database_is_stopped_and_started(account: Account) -> None:
    make_instance(account, NAME)
    down = prove_converges(account, MODULE, power="down", **OPTIONS)
    assert actions(down) == ["update/rds_power/database/power"]
    assert down["outputs"]["database"] == "down" and status(account) == "stopped"
    up = prove_converges(account, MODULE, power="up", **OPTIONS)
    assert up["outputs"]["database"] == "up" and status(account) == "available"


def test_one_that_is_on_its_way_is_waited_for_and_not_sent_again(account: Account) -> None:
    make_instance(account, NAME)
    status(account)
    runtime.clock.set("aws", 1)
    sent, calls = account.run_watched(MODULE, power="down", wait=False, **OPTIONS)
    assert (calls, sent["settled"], status(account)) == (["rds:StopDBInstance"], False, "stopping")
    runtime.clock.set("aws", FAST)
    finished, calls = account.run_watched(MODULE, power="down", started=sent, **OPTIONS)
    assert (calls, finished["settled"], status(account)) == ([], True, "stopped")


def test_a_lost_answer_and_a_busy_instance_are_outlived(account: Account) -> None:
    runtime.clock.set("aws", 1)
    make_instance(account, NAME, BackupRetentionPeriod=7)
    assert status(account) == "creating"
    runtime.clock.set("aws", FAST)
    for operation in ("StopDBInstance", "StartDBInstance"):
        account.sandbox.faults.add(Rule("reset_after", service="rds", operation=operation, nth=1))
    account.run(MODULE, power="down", **OPTIONS)
    assert status(account) == "stopped"
    account.run(MODULE, power="up", **OPTIONS)
    assert status(account) == "available"


@pytest.mark.parametrize(
    ("identifier", "words"),
    [(NAME, f"{NAME} in us-west-2 has replicas (copy)"), ("copy", f"copy in us-west-2 is a replica of {NAME}")],
)
def test_what_rds_would_not_stop_is_refused_before_anything(account: Account, identifier: str, words: str) -> None:
    make_instance(account, NAME, BackupRetentionPeriod=7)
    status(account)
    account.client("rds").create_db_instance_read_replica(DBInstanceIdentifier="copy", SourceDBInstanceIdentifier=NAME)
    status(account)
    for check in (True, False):
        with pytest.raises(PlanRefused, match="Refused, nothing was changed") as refused:
            account.run(MODULE, check=check, power="down", **{**OPTIONS, "database_identifier": identifier})
        assert words in str(refused.value)


def test_a_database_that_is_not_there_or_full_is_told(account: Account) -> None:
    with pytest.raises(PlanRefused, match="There is no DB instance pipeops-prod in us-west-2"):
        account.run(MODULE, power="down", **OPTIONS)
    make_instance(account, NAME)
    assert status(account) == "available"
    full(account)
    with pytest.raises(PlanRefused, match="is storage-full, and RDS stops none that is"):
        account.run(MODULE, power="down", **OPTIONS)
    with pytest.raises(EngineError, match="storage-full: Raise storage_gib"):
        account.run(MODULE, power="up", **OPTIONS)


def test_node_groups_go_to_none_and_come_back(account: Account, stand: dict[str, Any]) -> None:
    account.run(DATA_PLANE, **stand)
    nodes = {name: stand[name] for name in ("account_id", "zones", "node_minimum", "node_maximum")}
    options = {**nodes, "managed_node_groups": True}
    eks = account.client("eks")
    sizes = {"minSize": 1, "maxSize": 4, "desiredSize": 3}
    eks.update_nodegroup_config(clusterName=NAME, nodegroupName=f"{NAME}-us-west-2a-1", scalingConfig=sizes)
    down = prove_converges(account, MODULE, power="down", **options)
    assert actions(down) == [f"update/eks_node_group_size/us-west-2{zone}/size" for zone in "abc"]
    assert group(account)["scalingConfig"] == {"minSize": 0, "maxSize": 4, "desiredSize": 0}
    prove_converges(account, MODULE, power="up", **options)
    assert group(account)["scalingConfig"] == {"minSize": 1, "maxSize": 4, "desiredSize": 1}
    assert account.run(DATA_PLANE, check=True, **stand)["actions"] == []
    with pytest.raises(PlanRefused, match="There is no node group pipeops-prod-us-west-2a-2"):
        account.run(MODULE, power="down", node_revision="2", **options)
