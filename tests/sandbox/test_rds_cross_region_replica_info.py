# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec
from ansible_collections.pipeops.platform.plugins.modules import rds_cross_region_replica_info as module

from tests.sandbox.conftest import Account
from tests.sandbox.rds_pair import EAST, PROD_ARN, WEST, Side, lay_pair, make_side, put_metric, set_region

PARTS = {
    "replica", "lag", "source", "source_metrics", "backups", "quotas", "secret", "secret_replication", "key", "cluster",
    "source_cluster",
}  # fmt: skip
OF_THE_SOURCE = {"source", "source_metrics", "secret_replication", "source_cluster"}


@pytest.fixture
def dr(account: Account) -> Side:
    return make_side(account, "dr", EAST, "10.1")


def read(dr: Side, **options: Any) -> dict[str, Any]:
    given = {
        "region": EAST,
        "endpoint_url": dr.account.url,
        "identifier": "pipeops-dr",
        "source_arn": PROD_ARN,
        "secret_name": "pipeops/prod/database",
        "kms_key_arn": dr.options["kms_key_arn"],
        "cluster_name": "pipeops-dr",
        "source_cluster_name": "pipeops-prod",
    }
    checked = ArgumentSpecValidator({**aws_argument_spec(), **module.ARGUMENT_SPEC}).validate({**given, **options})
    assert not checked.error_messages
    before = dr.account.journal_length()
    facts = module.run(checked.validated_parameters, check_mode=True, progress=lambda _text: None)
    assert [e for e in dr.account.sandbox.journal.entries() if e.n > before and e.mutating] == []
    return facts


@pytest.fixture
def pair(account: Account) -> Iterator[Side]:
    yield lay_pair(account)[1]
    set_region(account, WEST, "up")


def test_a_pair_that_is_well(account: Account, pair: Side) -> None:
    for lag in (1, 4, 2):
        put_metric(account, EAST, "pipeops-dr", "ReplicaLag", lag)
    put_metric(account, WEST, "pipeops-prod", "OldestReplicationSlotLag", 1024)
    pair.client("rds").start_db_instance_automated_backups_replication(
        SourceDBInstanceArn=PROD_ARN, KmsKeyId=pair.options["kms_key_arn"], BackupRetentionPeriod=14
    )
    account.client("secretsmanager", WEST).replicate_secret_to_regions(
        SecretId="pipeops/prod/database", AddReplicaRegions=[{"Region": EAST}]
    )
    facts = read(pair)
    assert facts.keys() == PARTS and all(part["reachable"] for part in facts.values())
    replica, source = facts["replica"], facts["source"]
    assert (replica["role"], replica["status"], replica["parameter_status"]) == ("replica", "available", "in-sync")
    assert (replica["multi_az"], replica["backup_retention_days"], replica["deletion_protection"]) == (True, 30, True)
    assert replica["replication"][0]["Status"] == "replicating" and replica["pending_modifications"] == []
    assert source["replicas"] == [replica["arn"]] and source["managed_password"] is False
    assert facts["lag"]["seconds"] == 4
    assert facts["source_metrics"]["oldest_slot_lag_bytes"] == 1024 and facts["source_metrics"]["wal_bytes"] is None
    assert facts["backups"]["status"] == "replicating" and facts["backups"]["age_seconds"] < 600
    assert (facts["secret"]["role"], facts["secret_replication"]["status"]) == ("replica", "InSync")
    assert facts["key"]["enabled"] and facts["quotas"]["instances_left"] > 0


def test_a_region_that_is_down_costs_its_own_parts_only(account: Account, pair: Side) -> None:
    set_region(account, WEST, "down")
    facts = read(pair)
    assert {name for name, part in facts.items() if not part["reachable"]} == OF_THE_SOURCE
    assert all("us-west-2" in facts[name]["region"] and facts[name]["reason"] for name in OF_THE_SOURCE)
    assert facts["replica"]["source_arn"] == PROD_ARN


def test_what_is_not_there_is_told(account: Account, dr: Side) -> None:
    facts = read(dr, kms_key_arn="arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555")
    for name in ("replica", "source", "backups", "secret", "key", "cluster", "source_cluster"):
        assert facts[name]["exists"] is False, name
    assert facts["lag"]["seconds"] is None and facts["key"]["enabled"] is False


def test_what_is_not_asked_for_is_null(account: Account, dr: Side) -> None:
    facts = read(dr, secret_name=None, kms_key_arn=None, cluster_name=None, source_cluster_name=None)
    nothing = {name for name, part in facts.items() if part is None}
    assert nothing == {"secret", "secret_replication", "key", "cluster", "source_cluster"}


def test_every_fact_is_documented(account: Account, dr: Side) -> None:
    documented = yaml.safe_load(module.RETURN)
    facts = read(dr)
    assert documented.keys() == facts.keys()
    for name, part in facts.items():
        assert documented[name]["contains"].keys() <= part.keys(), name
