# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines of what all layers have: logs, alarms, keys, secrets, state and names."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ..layers.alarm_rules import DEFAULTS, RULES
from ..layers.cluster_alarm_rules import CLUSTER_DEFAULTS, CLUSTER_RULES
from .database import instances
from .lines import LOGS, SECURITY, STATE, Counts, Line
from .money import HOURS
from .sheet import Sheet

WATCH, KMS, SECRETS = "AmazonCloudWatch", "awskms", "AWSSecretsManager"
S3, DYNAMODB, DNS = "AmazonS3", "AmazonDynamoDB", "AmazonRoute53"

#: Two pods, each with a turn every three seconds, which writes one item of the witness and reads two, consistently
#: (roles/write_guard, extensions/write_guard).
GUARD_TURNS = 2 * HOURS * 3600 / 3
GUARD_UNITS = {"Writes": ("on-demand:write", 1), "Reads": ("on-demand:read", 2)}

#: What is billed by quantity: its line, its unit, its price, and its name in cost_usage.
USED: dict[str, tuple[tuple[str, str, tuple[str, str], str], ...]] = {
    LOGS: (
        ("Logs taken in", "GB", (WATCH, "logs:ingestion-standard"), "log_gb"),
        ("Logs kept", "GB", (WATCH, "logs:storage"), "log_storage_gib"),
        ("Custom metrics", "metrics", (WATCH, "metrics:custom-first-10k"), "custom_metrics"),
        (
            "Container Insights",
            "million observations",
            (WATCH, "container-insights:eks-enhanced-first-1B"),
            "million_observations",
        ),
        ("Further alarms", "alarms", (WATCH, "alarm:standard"), "further_alarms"),
    ),
    SECURITY: (
        ("Further secrets", "secrets", (SECRETS, "secret"), "further_secrets"),
        ("Requests to KMS", "10,000 requests", (KMS, "requests"), "kms_10k_requests"),
        ("Requests to Secrets Manager", "10,000 requests", (SECRETS, "api-requests"), "secret_10k_requests"),
    ),
    STATE: (
        ("State bucket", "GB", (S3, "standard:first-50TB"), "state_gib"),
        ("Writes to the bucket", "1,000 requests", (S3, "put-copy-post-list"), "state_1k_writes"),
        ("Reads of the bucket", "1,000 requests", (S3, "get-and-other"), "state_1k_reads"),
        ("Lock table", "GB", (DYNAMODB, "storage"), "lock_gib"),
        ("Recovery of the lock table", "GB", (DYNAMODB, "pitr"), "lock_gib"),
        ("Writes to the lock table", "million units", (DYNAMODB, "on-demand:write"), "lock_million_writes"),
        ("Reads of the lock table", "million units", (DYNAMODB, "on-demand:read"), "lock_million_reads"),
    ),
}


def lines(sheet: Sheet) -> Iterator[Line]:
    """Yield them all."""
    if sheet.inventory.flag("vpc_flow_logs_enabled"):
        yield sheet.used(LOGS, "Flow logs", "GB", (WATCH, "logs:vended-to-cloudwatch-first-10TB"), "flow_log_gb")
    if sheet.inventory.number("rds_monitoring_interval_seconds"):
        yield sheet.used(
            LOGS, "Enhanced Monitoring of databases", "GB", (WATCH, "logs:ingestion-standard"), "enhanced_monitoring_gb"
        )
    yield sheet.line(LOGS, "Alarms of the database", "alarms", (WATCH, "alarm:standard"), database_alarms(sheet))
    yield sheet.line(LOGS, "Alarms of the cluster", "alarms", (WATCH, "alarm:standard"), cluster_alarms(sheet))
    keys = len(sheet.inventory.record("kms_keys_keys"))
    yield sheet.line(SECURITY, "KMS keys", "keys", (KMS, "customer-managed-key"), keys)
    yield sheet.line(SECURITY, "Secret of the database", "secrets", (SECRETS, "secret"), 1)
    yield sheet.line(STATE, "Route 53 zone", "zones", (DNS, "hosted-zone"), 1)
    if sheet.inventory.number("rds_write_lease_seconds") and sheet.inventory.text("write_guard_image"):
        yield from write_guard(sheet)
    for category, rows in USED.items():
        for row in rows:
            yield sheet.used(category, *row)


def write_guard(sheet: Sheet) -> Iterator[Line]:
    """Yield what the turns of the guard cost, at the prices of its own region: the witness is in another one."""
    for name, (price, units) in GUARD_UNITS.items():
        turns = Counts.same(GUARD_TURNS * units / Decimal(1_000_000))
        yield sheet.line(STATE, f"{name} of the write guard", "million units", (DYNAMODB, price), turns, hours=False)


def cluster_alarms(sheet: Sheet) -> int:
    """Return how many alarms the role alarms keeps for the cluster of an environment."""
    thresholds = {**CLUSTER_DEFAULTS, **sheet.inventory.record("alarms_thresholds")}
    return sum(thresholds[rule.threshold] is not None for rule in CLUSTER_RULES)


def database_alarms(sheet: Sheet) -> int:
    """Return how many alarms the role alarms keeps for the databases of an environment."""
    thresholds = {**DEFAULTS, **sheet.inventory.record("alarms_thresholds")}
    return sum(
        thresholds[rule.threshold] is not None and instance.role in rule.roles
        for rule in RULES
        for instance in instances(sheet)
    )
