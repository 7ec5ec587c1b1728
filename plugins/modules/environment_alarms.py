#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: environment_alarms
short_description: Manage the alarms of an environment's database and cluster, and its budget
version_added: 1.0.0
description:
  - Brings the CloudWatch alarms of all instances of a database and of an EKS cluster, the subscription to the events of
    the instances, the monthly budget, and the SNS topic that all of it is sent to, to their wanted state in one task.
  - Alarms are named C(PLATFORM-ENVIRONMENT-IDENTIFIER-METRIC-SEVERITY). One that is not wanted any more is removed,
    e.g. those of a replica that is gone, or of a cluster that is not named any more.
  - An instance is watched in its own region, so a replica in another region is watched by a task for that region.
  - A subscription by e-mail or HTTPS begins when its endpoint confirms it. Nothing waits for that; AWS forgets one
    that is not confirmed within 48 hours, and the next run asks again.
options:
  instances:
    description: The instances to watch. They must exist, apart from a dry run.
    type: list
    elements: dict
    default: []
    suboptions:
      identifier:
        description: Identifier of the DB instance.
        type: str
        required: true
      role:
        description: What the instance is in the replication. A replica in the region of its primary is a V(replica).
        type: str
        choices: [primary, replica, cross_region_replica]
        required: true
      storage_gib:
        description:
          - Storage in GiB, of which thresholds in per cent are taken. Storage that has grown by itself is not seen.
        type: int
        required: true
      thresholds:
        description: Thresholds of this instance alone, as those of databases in O(thresholds).
        type: dict
        default: {}
  thresholds:
    description:
      - Thresholds by name; null switches an alarm off. They are practice, not rules of AWS. First those of databases.
      - "C(replica_lag_warning_seconds) (60) and C(replica_lag_critical_seconds) (300) of a replica's C(ReplicaLag), for
        5 minutes. No data counts as beyond it. Of an idle primary it goes up to 300 seconds, unless something writes a
        heartbeat, see M(pipeops.platform.postgres_heartbeat)."
      - "C(slot_lag_warning_gib) (10) of a primary's C(OldestReplicationSlotLag), for 10 minutes."
      - "C(transaction_logs_warning_percent) (10) and C(transaction_logs_critical_percent) (20) of a primary's storage
        that C(TransactionLogsDiskUsage) takes, for 5 minutes."
      - "C(free_storage_warning_percent) (20) and C(free_storage_critical_percent) (10) of the storage that
        C(FreeStorageSpace) leaves, for 5 minutes."
      - "C(cpu_warning_percent) (80) of C(CPUUtilization), for 15 minutes."
      - "C(freeable_memory_warning_mib) (256) that C(FreeableMemory) leaves, for 15 minutes."
      - "C(transaction_ids_warning) (1000000000) of a primary's C(MaximumUsedTransactionIDs), for 5 minutes."
      - "C(checkpoint_lag_warning_seconds) (600) of C(CheckpointLag), for 5 minutes."
      - "C(connections_warning) (null) of C(DatabaseConnections), for 5 minutes. With 0 on an old primary it tells of
        clients that have not followed a failover."
      - "Of the cluster, C(api_errors_warning_per_minute) (10) of C(apiserver_request_total_5XX), for 5 minutes."
      - "C(api_throttled_warning_per_minute) (60) of C(apiserver_request_total_429), for 10 minutes."
      - "C(unschedulable_pods_warning) (0) of C(scheduler_pending_pods_UNSCHEDULABLE), for 15 minutes."
      - "C(scheduler_errors_warning_per_minute) (5) of C(scheduler_schedule_attempts_ERROR), for 10 minutes."
      - "C(webhook_rejections_warning_per_minute) (30) of C(apiserver_admission_webhook_rejection_count), for 10
        minutes. Refusals by webhooks that do their work count, too."
      - "C(webhook_latency_warning_seconds) (5) of C(apiserver_admission_webhook_admission_duration_seconds), for 10
        minutes."
      - "C(etcd_size_warning_gib) (6) and C(etcd_size_critical_gib) (7) of C(apiserver_storage_size_bytes), for 5
        minutes. A standard control plane takes 8 GB."
    type: dict
    default: {}
  cluster_name:
    description:
      - The EKS cluster to watch, by the metrics that EKS publishes of Kubernetes 1.28 and later at no cost. None is
        watched if not set.
    type: str
  monthly_budget_usd:
    description:
      - What the environment may cost a month, in USD. With 0 there is no budget, and one that stood is removed.
      - What counts is tagged C(pipeops:environment). AWS knows of that only once the tag is activated as a cost
        allocation tag, which the account that pays does; until then the budget counts nothing. Environments of the same
        name and of other platforms in the account count together.
    type: float
    default: 0.0
  budget_actual_percent:
    description: The topic is told once the costs of the month exceed these shares of the budget.
    type: list
    elements: int
    default: [80, 100]
  budget_forecast_percent:
    description:
      - The topic is told once AWS expects more than these shares of the budget by the end of the month. It expects
        nothing before it has seen about five weeks.
    type: list
    elements: int
    default: [100]
  event_categories:
    description: Categories of the events of the instances that are sent. With an empty list none is.
    type: list
    elements: str
    choices:
      - availability
      - backup
      - configuration change
      - creation
      - deletion
      - failover
      - failure
      - low storage
      - maintenance
      - notification
      - read replica
      - recovery
      - restoration
      - security
      - security patching
    default:
      - availability
      - backup
      - creation
      - deletion
      - failover
      - failure
      - low storage
      - notification
      - read replica
      - recovery
  notifications:
    description: Who is told. A confirmed subscription of the topic that is not listed here is ended.
    type: list
    elements: dict
    default: []
    suboptions:
      protocol:
        description: How the message goes.
        type: str
        choices: [email, email-json, https, sms, sqs, lambda]
        required: true
      endpoint:
        description:
          - An address for V(email), a URL without user and password for V(https), a number such as V(+15550100) for
            V(sms), an ARN for V(sqs) and V(lambda). A queue or function has to let the topic in by itself.
        type: str
        required: true
  notify_recovery:
    description: Whether the end of an alarm is told too.
    type: bool
    default: true
  kms_key_arn:
    description:
      - KMS key that encrypts the messages at rest; they are not encrypted if not set.
      - Its policy has to let C(cloudwatch.amazonaws.com), C(events.rds.amazonaws.com) and C(budgets.amazonaws.com) use
        it, or no message arrives; see O(pipeops.platform.kms_keys#module:keys). AWS's own key C(alias/aws/sns) does
        not, and is refused.
    type: str
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.layer
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Watch the primary of prod, its replica, the cluster and the costs
  pipeops.platform.environment_alarms:
    region: us-west-2
    environment: prod
    kms_key_arn: arn:aws:kms:us-west-2:123456789012:key/1c2d3e4f-0000-4000-8000-000000000000
    notifications:
      - {protocol: email, endpoint: ops@example.com}
    instances:
      - {identifier: pipeops-prod, role: primary, storage_gib: 100}
      - {identifier: pipeops-prod-replica-a, role: replica, storage_gib: 100}
    cluster_name: pipeops-prod
    monthly_budget_usd: 2500
  register: alarms

- name: Watch the replica in the other region, with another lag and without an alarm on memory
  pipeops.platform.environment_alarms:
    region: us-east-1
    environment: dr
    instances:
      - {identifier: pipeops-dr, role: cross_region_replica, storage_gib: 100}
    thresholds:
      replica_lag_warning_seconds: 120
      freeable_memory_warning_mib: null

- name: Tell of clients that are still on the old primary
  pipeops.platform.environment_alarms:
    region: us-west-2
    environment: prod
    instances:
      - identifier: pipeops-prod
        role: primary
        storage_gib: 100
        thresholds:
          connections_warning: 0
"""

RETURN = r"""
outputs:
  description: What others need. All of it is known in check mode too, also where nothing stands yet.
  returned: when O(state=present)
  type: dict
  contains:
    topic_arn:
      description: The ARN of the topic.
      type: str
      sample: arn:aws:sns:us-west-2:123456789012:pipeops-prod-notifications
    subscriptions:
      description: The endpoints of O(notifications), each with whether it has been confirmed.
      type: list
      elements: dict
      sample:
        - {protocol: email, endpoint: ops@example.com, confirmed: false}
    alarm_names:
      description: The names of all alarms.
      type: list
      elements: str
      sample: [pipeops-prod-pipeops-prod-FreeStorageSpace-critical]
    event_subscription_name:
      description: The name of the event subscription; null if there is none.
      type: str
      sample: pipeops-prod-database
    budget_name:
      description: The name of the budget; null if there is none.
      type: str
      sample: pipeops-prod-monthly-cost
"""

from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import run_module
from ansible_collections.pipeops.platform.plugins.module_utils.layers.alarm_rules import (
    ENDPOINTS,
    EVENT_CATEGORIES,
    ROLES,
)
from ansible_collections.pipeops.platform.plugins.module_utils.layers.environment_alarms import LAYER

INSTANCE_SPEC = {
    "identifier": {"type": "str", "required": True},
    "role": {"type": "str", "choices": list(ROLES), "required": True},
    "storage_gib": {"type": "int", "required": True},
    "thresholds": {"type": "dict", "default": {}},
}

NOTIFICATION_SPEC = {
    "protocol": {"type": "str", "choices": list(ENDPOINTS), "required": True},
    "endpoint": {"type": "str", "required": True},
}

ARGUMENT_SPEC = {
    "instances": {"type": "list", "elements": "dict", "default": [], "options": INSTANCE_SPEC},
    "thresholds": {"type": "dict", "default": {}},
    "cluster_name": {"type": "str"},
    "monthly_budget_usd": {"type": "float", "default": 0.0},
    "budget_actual_percent": {"type": "list", "elements": "int", "default": [80, 100]},
    "budget_forecast_percent": {"type": "list", "elements": "int", "default": [100]},
    "event_categories": {
        "type": "list",
        "elements": "str",
        "choices": sorted(EVENT_CATEGORIES),
        "default": sorted(name for name, by_default in EVENT_CATEGORIES.items() if by_default),
    },
    "notifications": {"type": "list", "elements": "dict", "default": [], "options": NOTIFICATION_SPEC},
    "notify_recovery": {"type": "bool", "default": True},
    "kms_key_arn": {"type": "str", "no_log": False},
}


def main() -> None:
    run_module(LAYER, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
