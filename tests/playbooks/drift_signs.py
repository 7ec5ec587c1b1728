# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""By which finding each injected drift shows: environment, category, type, name, attribute (empty if it is missing)."""

from __future__ import annotations

Sign = tuple[str, str, str, str, str]


def _changed(kind: str, name: str, attribute: str, environment: str = "prod") -> Sign:
    return (environment, "changed", kind, name, attribute)


def _missing(kind: str, name: str, environment: str = "prod") -> Sign:
    return (environment, "missing", kind, name, "")


SIGNS: dict[str, Sign] = {
    "vpc_tag_changed": _changed("ec2_vpc", "main", "tags"),
    "subnet_tag_removed": _changed("ec2_subnet", "private-us-west-2a", "tags"),
    "vpc_dns_hostnames_off": _changed("ec2_vpc", "main", "dns_hostnames"),
    "security_group_rule_removed": _changed("ec2_security_group", "database", "rules"),
    "security_group_opened_to_the_world": _changed("ec2_security_group", "nodes", "rules"),
    "subnet_moved_to_another_route_table": _changed("ec2_route_table", "database", "subnets"),
    "route_to_the_nat_gateway_removed": _missing("ec2_route", "private-0.0.0.0/0"),
    "database_tier_given_a_way_to_the_internet": ("prod", "unmanaged", "ec2_route", "database-0.0.0.0/0", ""),
    "network_acl_entry_removed": _changed("ec2_network_acl", "database", "entries"),
    "network_acl_entry_added": _changed("ec2_network_acl", "private", "entries"),
    "subnet_moved_to_another_network_acl": _changed("ec2_network_acl", "database", "subnets"),
    "endpoint_detached_from_a_route_table": _changed("ec2_vpc_endpoint", "s3", "route_tables"),
    "endpoint_deleted": _missing("ec2_vpc_endpoint", "dynamodb"),
    "flow_log_deleted": _missing("ec2_flow_log", "vpc"),
    "nat_gateway_deleted": _missing("ec2_nat_gateway", "zonal-us-west-2a"),
    # The injection takes the first log group of its kind in the region, which is dev's.
    "flow_log_retention_changed": _changed("log_group", "vpc-flow-logs", "retention_days", "dev"),
    "key_rotation_off": _changed("kms_key", "rds", "rotation"),
    "key_policy_changed": _changed("kms_key", "state", "policy"),
    "key_alias_removed": _changed("kms_key", "ebs", "alias"),
    "managed_policy_detached_from_the_cluster_role": _changed("iam_role", "cluster", "managed_policies"),
    "administrator_policy_attached_to_the_node_role": _changed("iam_role", "node", "managed_policies"),
    "trust_policy_changed": _changed("iam_role", "cluster", "trust"),
    "inline_policy_removed": _changed("iam_role", "vpc-flow-logs", "inline_policies"),
    "bucket_versioning_suspended": _changed("s3_bucket", "state", "versioning"),
    "bucket_policy_removed": _changed("s3_bucket", "state", "policy"),
    "public_access_block_removed": _changed("s3_bucket", "state", "public_access_block"),
    "lock_table_recovery_off": _changed("dynamodb_table", "locks", "point_in_time_recovery"),
    "lock_table_protection_off": _changed("dynamodb_table", "locks", "deletion_protection"),
    "outputs_overwritten": _changed("s3_document", "outputs", "document"),
    "cluster_logging_off": _changed("eks_cluster", "main", "log_types"),
    "cluster_protection_off": _changed("eks_cluster", "main", "deletion_protection"),
    "cluster_endpoint_public": _changed("eks_cluster", "main", "endpoint_public_access"),
    "cluster_log_retention_changed": _changed("log_group", "cluster", "retention_days"),
    "cluster_tag_changed": _changed("eks_cluster", "main", "tags"),
    "node_access_entry_deleted": _missing("eks_access_entry", "node"),
    "replica_class_changed": _changed("rds_replica", "c", "instance_class"),
    "backup_retention_changed": _changed("rds_instance", "primary", "backup_retention_days"),
    "database_protection_off": _changed("rds_instance", "primary", "deletion_protection"),
    "database_single_az": _changed("rds_instance", "primary", "multi_az"),
    "database_parameter_changed": _changed("rds_parameter_group", "postgres17", "parameters"),
    "replica_deleted": _missing("rds_replica", "a"),
    "record_changed": _changed("route53_record", "database.prod.pipeops.internal:CNAME", "values"),
    "class_of_the_cross_region_replica_changed": _changed(
        "rds_cross_region_replica", "primary", "instance_class", "dr"
    ),
    "parameter_group_of_the_cross_region_replica_changed": _changed(
        "rds_replica_settings", "primary", "parameter_group", "dr"
    ),
    "retention_of_the_cross_region_replica_changed": _changed(
        "rds_replica_settings", "primary", "backup_retention_days", "dr"
    ),
    "protection_of_the_cross_region_replica_off": _changed(
        "rds_replica_settings", "primary", "deletion_protection", "dr"
    ),
    "cross_region_replica_single_az": _changed("rds_cross_region_replica", "primary", "multi_az", "dr"),
    "copy_of_the_secret_removed": _missing("secretsmanager_replica", "master", "dr"),
    "replication_of_backups_stopped": _changed("rds_backup_replication", "backup-replication", "replicating", "dr"),
    "zone_of_the_service_left": _missing("route53_zone_association", "joined", "dr"),
    "zone_of_the_service_joined_by_another_vpc": _changed("rds_cross_region_replica", "primary", "tags", "dr"),
}
