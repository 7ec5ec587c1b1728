# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people do by hand to the replica in dr, and to what belongs to it, beside all that they do to prod."""

from __future__ import annotations

from tests.plan_exactness.drifts import DRIFTS, drift_of_dr, modify, until
from tests.platform_runs import Platform

__all__ = ["DRIFTS"]

NAME, SECRET = "pipeops-dr", "pipeops/prod/database"
SOURCE, SOURCE_REGION = "arn:aws:rds:us-west-2:123456789012:db:pipeops-prod", "us-west-2"


@drift_of_dr
def class_of_the_cross_region_replica_changed(stand: Platform, region: str) -> None:
    modify(stand, region, NAME, DBInstanceClass="db.r6g.large")


@drift_of_dr
def parameter_group_of_the_cross_region_replica_changed(stand: Platform, region: str) -> None:
    modify(stand, region, NAME, DBParameterGroupName="default.postgres17")


@drift_of_dr
def retention_of_the_cross_region_replica_changed(stand: Platform, region: str) -> None:
    modify(stand, region, NAME, BackupRetentionPeriod=1)


@drift_of_dr
def protection_of_the_cross_region_replica_off(stand: Platform, region: str) -> None:
    modify(stand, region, NAME, DeletionProtection=False)


@drift_of_dr
def cross_region_replica_single_az(stand: Platform, region: str) -> None:
    modify(stand, region, NAME, MultiAZ=False)


@drift_of_dr
def copy_of_the_secret_removed(stand: Platform, region: str) -> None:
    west = stand.client("secretsmanager", SOURCE_REGION)
    west.remove_regions_from_replication(SecretId=SECRET, RemoveReplicaRegions=[region])


@drift_of_dr
def replication_of_backups_stopped(stand: Platform, region: str) -> None:
    rds = stand.client("rds", region)
    rds.stop_db_instance_automated_backups_replication(SourceDBInstanceArn=SOURCE)

    def stopped() -> bool:
        filters = [{"Name": "db-instance-id", "Values": ["pipeops-prod"]}]
        found = rds.describe_db_instance_automated_backups(Filters=filters)["DBInstanceAutomatedBackups"]
        return all(backup["Status"] == "retained" for backup in found)

    until(stopped)


@drift_of_dr
def zone_of_the_service_left(stand: Platform, region: str) -> None:
    route53 = stand.client("route53", region)
    zones = route53.list_hosted_zones()["HostedZones"]
    (zone,) = (zone["Id"] for zone in zones if zone["Name"].startswith("prod."))
    vpcs = route53.get_hosted_zone(Id=zone)["VPCs"]
    (joined,) = (vpc for vpc in vpcs if vpc["VPCRegion"] == region)
    route53.disassociate_vpc_from_hosted_zone(HostedZoneId=zone, VPC=joined)


@drift_of_dr
def zone_of_the_service_joined_by_another_vpc(stand: Platform, region: str) -> None:
    """One that others joined is no drift of either side; the tag that is lost beside it is."""
    vpc = stand.client("ec2", region).create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    route53 = stand.client("route53", region)
    zones = route53.list_hosted_zones()["HostedZones"]
    (zone,) = (zone["Id"] for zone in zones if zone["Name"].startswith("prod."))
    route53.associate_vpc_with_hosted_zone(HostedZoneId=zone, VPC={"VPCId": vpc, "VPCRegion": region})
    rds = stand.client("rds", region)
    arn = rds.describe_db_instances(DBInstanceIdentifier=NAME)["DBInstances"][0]["DBInstanceArn"]
    rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["Name"])
