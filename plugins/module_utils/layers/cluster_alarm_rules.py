# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is watched of an EKS cluster: the metrics that EKS publishes of every control plane, at no cost.

Metrics, units and statistics are those of the EKS user guide, "Monitor cluster data with Amazon CloudWatch"; each has
one data point a minute. The thresholds are practice, not rules of AWS: each can be set or switched off.
"""

from __future__ import annotations

from typing import Any

from .alarm_rules import Rule

NAMESPACE, DIMENSION = "AWS/EKS", "ClusterName"

_ETCD = (
    "A standard control plane holds 8 GB in etcd, and takes no more writes when that is full. Look for events, "
    "secrets of releases and custom resources that nobody deletes."
)
#: What is counted has no data while there is nothing to count.
_COUNTED: dict[str, Any] = {"statistic": "Sum", "missing_data": "notBreaching"}

CLUSTER_RULES: tuple[Rule, ...] = (
    Rule(
        "api_errors_warning_per_minute",
        10,
        "a minute",
        "apiserver_request_total_5XX",
        "warning",
        "The API server fails: deployments, scaling and healing stand still meanwhile. Webhooks that do not answer "
        "show here, too.",
        **_COUNTED,
    ),
    Rule(
        "api_throttled_warning_per_minute",
        60,
        "a minute",
        "apiserver_request_total_429",
        "warning",
        "Clients ask more than the API server answers, mostly one that lists everything over and over.",
        minutes=10,
        **_COUNTED,
    ),
    Rule(
        "unschedulable_pods_warning",
        0,
        "pods",
        "scheduler_pending_pods_UNSCHEDULABLE",
        "warning",
        "No node takes them, and none was added: the limits of the node pools are reached, or no pool fits.",
        minutes=15,
        **_COUNTED,
    ),
    Rule(
        "scheduler_errors_warning_per_minute",
        5,
        "a minute",
        "scheduler_schedule_attempts_ERROR",
        "warning",
        "The scheduler itself fails, mostly because it does not reach the API server.",
        minutes=10,
        **_COUNTED,
    ),
    Rule(
        "webhook_rejections_warning_per_minute",
        30,
        "a minute",
        "apiserver_admission_webhook_rejection_count",
        "warning",
        "Webhooks refuse requests, or do not answer and count as a refusal.",
        minutes=10,
        **_COUNTED,
    ),
    Rule(
        "webhook_latency_warning_seconds",
        5,
        "s",
        "apiserver_admission_webhook_admission_duration_seconds",
        "warning",
        "Every change waits for the slowest webhook, and fails once that takes 10 s, unless it says otherwise.",
        minutes=10,
        missing_data="notBreaching",
    ),
    Rule(
        "etcd_size_warning_gib",
        6,
        "GiB",
        "apiserver_storage_size_bytes",
        "warning",
        _ETCD,
        statistic="Maximum",
    ),
    Rule(
        "etcd_size_critical_gib",
        7,
        "GiB",
        "apiserver_storage_size_bytes",
        "critical",
        _ETCD,
        statistic="Maximum",
    ),
)
CLUSTER_DEFAULTS: dict[str, float | None] = {rule.threshold: rule.default for rule in CLUSTER_RULES}
