# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a failover would work now: what speaks against it is named, and only that ends with a failure."""

from __future__ import annotations

from tests.recovery.conftest import EAST, PROD_ARN, SECRET, WEST, Recovery, done, refused, text


def grades(pair: Recovery) -> dict[str, str]:
    """Return the grade of each check in the latest report."""
    return {check["name"]: check["grade"] for check in pair.findings()["checks"]}


def test_a_healthy_standby_is_ready(calm: Recovery) -> None:
    run = calm.dr("dr_status")
    done(run)
    assert run.mutations == []
    report = calm.findings()
    assert (report["leader"], report["standby"], report["fence_owed"]) == ("prod", "dr", "nothing")
    assert report["verdict"] in ("ready", "ready, with warnings")
    assert 0 <= report["lost_now_seconds"] < 20
    assert report["takes_seconds"] == 330
    assert "dr is ready" in text(run)


def test_what_only_costs_comfort_is_a_warning(pair: Recovery) -> None:
    rds = pair.client("rds", EAST)
    rds.stop_db_instance_automated_backups_replication(SourceDBInstanceArn=PROD_ARN)
    (group,) = pair.instance(EAST, "pipeops-dr")["DBParameterGroups"]
    change = {"ParameterName": "max_connections", "ParameterValue": "333", "ApplyMethod": "pending-reboot"}
    rds.modify_db_parameter_group(DBParameterGroupName=group["DBParameterGroupName"], Parameters=[change])
    done(pair.dr("dr_status"))
    assert pair.findings()["verdict"] == "ready, with warnings"
    found = grades(pair)
    assert (found["backups"], found["parameters"]) == ("warning", "warning")


def test_all_that_speaks_against_it_is_named_at_once(pair: Recovery) -> None:
    rds = pair.client("rds", EAST)
    wrong = "default.postgres17"
    rds.modify_db_instance(DBInstanceIdentifier="pipeops-dr", DBParameterGroupName=wrong, ApplyImmediately=True)
    pair.client("secretsmanager", WEST).remove_regions_from_replication(SecretId=SECRET, RemoveReplicaRegions=[EAST])
    pair.control("POST", f"rds/{EAST}/pipeops-dr", status="storage-full")
    pair.control("POST", f"rds/{EAST}/pipeops-dr", replication="terminated", message="the slot is gone")
    said = refused(pair.dr("dr_status"))
    for part in (
        "dr could not take over from prod now",
        "it is storage-full",
        f"its parameter group is {wrong}, not pipeops-dr-postgres17",
        "it is terminated",
        "the password is not in this region",
    ):
        assert part in said, said
    assert pair.findings()["verdict"] == "not ready"
