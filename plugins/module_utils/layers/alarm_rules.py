# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an alarm is made of, and what is watched of a PostgreSQL instance of RDS; of a cluster: cluster_alarm_rules.

The thresholds are practice, not rules of AWS: each can be set or switched off.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..engine.errors import EngineError

PRIMARY, REPLICA, CROSS_REGION_REPLICA = "primary", "replica", "cross_region_replica"
ROLES = (PRIMARY, REPLICA, CROSS_REGION_REPLICA)
REPLICAS = frozenset({REPLICA, CROSS_REGION_REPLICA})
ALL = frozenset(ROLES)

GIB = 2**30
FACTORS = {"MiB": 2**20, "GiB": GIB}
PERCENT, STORAGE_PERCENT = "%", "% of the storage"
ABOVE, BELOW = "GreaterThanThreshold", "LessThanThreshold"
#: What an endpoint looks like, by protocol. SNS hides a password in a URL, so such a one would never be found again.
ENDPOINTS = {
    "email": r"[^@\s]+@[^@\s]+\.[^@\s]+",
    "email-json": r"[^@\s]+@[^@\s]+\.[^@\s]+",
    "https": r"https://[^/@\s]+(/\S*)?",
    "sms": r"\+[0-9]{6,15}",
    "sqs": r"arn:[a-z-]+:sqs:\S+",
    "lambda": r"arn:[a-z-]+:lambda:\S+",
}
#: The categories of events of DB instances (RDS user guide, "Amazon RDS event categories and event messages"), each
#: with whether it is sent by default. Left out is what somebody has just asked for, or what has its own calendar.
EVENT_CATEGORIES = {
    "availability": True,
    "backup": True,
    "configuration change": False,
    "creation": True,
    "deletion": True,
    "failover": True,
    "failure": True,
    "low storage": True,
    "maintenance": False,
    "notification": True,
    "read replica": True,
    "recovery": True,
    "restoration": False,
    "security": False,
    "security patching": False,
}


@dataclass(frozen=True)
class Rule:
    """One alarm of a cluster, or of each instance in some roles.

    Attributes:
        threshold: the name of the threshold among the options.
        default: its value if nobody sets it; None if there is no alarm then.
        unit: what the threshold counts, one of ``FACTORS`` or any word for the metric's own.
        meaning: what it means, for whoever gets the notification.
        roles: the instances that have the alarm.
        statistic: what a data point is of the measurements of a minute.
        comparison: ``ABOVE`` or ``BELOW``.
        minutes: how long the metric has to be beyond the threshold without a break.
        missing_data: what minutes without data count as.
    """

    threshold: str
    default: float | None
    unit: str
    metric: str
    severity: str
    meaning: str
    roles: frozenset[str] = ALL
    statistic: str = "Average"
    comparison: str = ABOVE
    minutes: int = 5
    missing_data: str = "missing"

    def in_metric_units(self, value: float, storage_gib: int = 0) -> float:
        """Return a threshold in the unit of the metric; the storage is that of an instance."""
        if self.unit == STORAGE_PERCENT:
            return round(value * storage_gib * GIB / 100)
        return round(value * FACTORS[self.unit]) if self.unit in FACTORS else value

    def sentence(self, value: float, identifier: str) -> str:
        """Return the description of the alarm."""
        way = "above" if self.comparison == ABOVE else "below"
        amount = f"{value:.10g} {self.unit}".strip()
        return f"{self.metric} of {identifier} is {way} {amount} for {self.minutes} minutes. {self.meaning}"


_LAG = "What the primary wrote lately is missing here. An idle primary without a heartbeat shows up to 300 s."
_LOGS = "Transaction logs pile up on the primary, mostly for a replica that does not take them."
_SPACE = "RDS stops the database when its storage is full."
_REPLICA_LAG: dict[str, Any] = {"roles": REPLICAS, "statistic": "Maximum", "missing_data": "breaching"}
_SOURCE: dict[str, Any] = {"roles": frozenset({PRIMARY}), "statistic": "Maximum"}
_STORAGE: dict[str, Any] = {"statistic": "Minimum", "comparison": BELOW}

RULES: tuple[Rule, ...] = (
    Rule("replica_lag_warning_seconds", 60, "s", "ReplicaLag", "warning", _LAG, **_REPLICA_LAG),
    Rule("replica_lag_critical_seconds", 300, "s", "ReplicaLag", "critical", _LAG, **_REPLICA_LAG),
    Rule(
        "slot_lag_warning_gib",
        10,
        "GiB",
        "OldestReplicationSlotLag",
        "warning",
        "A replica is so far behind that the logs kept for it can fill the storage of the primary.",
        minutes=10,
        # Without a replication slot there is no data.
        missing_data="notBreaching",
        **_SOURCE,
    ),
    Rule(
        "transaction_logs_warning_percent", 10, STORAGE_PERCENT, "TransactionLogsDiskUsage", "warning", _LOGS, **_SOURCE
    ),
    Rule(
        "transaction_logs_critical_percent",
        20,
        STORAGE_PERCENT,
        "TransactionLogsDiskUsage",
        "critical",
        _LOGS,
        **_SOURCE,
    ),
    Rule("free_storage_warning_percent", 20, STORAGE_PERCENT, "FreeStorageSpace", "warning", _SPACE, **_STORAGE),
    Rule("free_storage_critical_percent", 10, STORAGE_PERCENT, "FreeStorageSpace", "critical", _SPACE, **_STORAGE),
    Rule(
        "cpu_warning_percent",
        80,
        PERCENT,
        "CPUUtilization",
        "warning",
        "A replica replays with a single process, and falls behind when that has no time left.",
        minutes=15,
    ),
    Rule(
        "freeable_memory_warning_mib",
        256,
        "MiB",
        "FreeableMemory",
        "warning",
        "The instance is about to swap, or to run out of memory.",
        comparison=BELOW,
        minutes=15,
    ),
    Rule(
        "transaction_ids_warning",
        1_000_000_000,
        "transactions",
        "MaximumUsedTransactionIDs",
        "warning",
        "Vacuum does not keep up: at about two thousand million PostgreSQL takes no more writes.",
        **_SOURCE,
    ),
    Rule(
        "checkpoint_lag_warning_seconds",
        600,
        "s",
        "CheckpointLag",
        "warning",
        "A restart would have to replay all that was written since the last checkpoint.",
        statistic="Maximum",
    ),
    Rule(
        "connections_warning",
        None,
        "connections",
        "DatabaseConnections",
        "warning",
        "More clients are connected than expected; with 0 on an old primary, one that has not followed a failover.",
        statistic="Maximum",
        # A database that measures nothing has no clients.
        missing_data="notBreaching",
    ),
)
DEFAULTS: dict[str, float | None] = {rule.threshold: rule.default for rule in RULES}


def thresholds(given: Mapping[str, Any], option: str, known: Collection[str]) -> dict[str, float | None]:
    """Return thresholds that were set, as numbers.

    Args:
        given: by name; None switches an alarm off.
        option: where they were set, for the error.
        known: the names that exist.

    Raises:
        EngineError: for a name that does not exist, or a value that cannot be.
    """
    for name in given:
        if name not in known:
            raise EngineError(f"{option}.{name} does not exist. Set one of {', '.join(known)}.")
    return {name: _threshold(name, value, f"{option}.{name}") for name, value in given.items()}


def _threshold(name: str, value: Any, option: str) -> float | None:
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    percent = name.endswith("_percent")
    if isinstance(value, bool) or not 0 <= number <= (100 if percent else sys.float_info.max):
        most = " to 100" if percent else " up"
        raise EngineError(f"{option} is {value!r}. Set a number from 0{most}, or null to have no such alarm.")
    return int(number) if number.is_integer() else number


def checked_instances(given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the instances with their identifiers in lower case, as RDS and its metrics have them.

    Raises:
        EngineError: for an identifier that stands twice, or storage that is none.
    """
    instances = [{**item, "identifier": item["identifier"].lower()} for item in given]
    identifiers = [item["identifier"] for item in instances]
    doubled = sorted({name for name in identifiers if identifiers.count(name) > 1})
    if doubled:
        raise EngineError(f"instances names {', '.join(doubled)} twice. Name each instance once, in one role.")
    for item in instances:
        if item["storage_gib"] < 1:
            raise EngineError(f"instances: storage_gib of {item['identifier']} is {item['storage_gib']}. Set its GiB.")
    return instances


def check_notifications(notifications: Sequence[Mapping[str, Any]]) -> None:
    """Refuse endpoints that SNS would refuse, or not show as they were given.

    Raises:
        EngineError: naming the endpoint.
    """
    for item in notifications:
        protocol, endpoint = item["protocol"], item["endpoint"]
        if not re.fullmatch(ENDPOINTS[protocol], endpoint):
            # A URL may have a password in it, or a token.
            named = "a URL" if protocol == "https" else repr(endpoint)
            raise EngineError(
                f"notifications: {named} is no endpoint of the protocol {protocol}. Set an address for email, "
                "a URL without user and password for https, a number such as +15550100 for sms, an ARN for others."
            )
