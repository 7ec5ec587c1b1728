# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWS would refuse about the options of a database, told before the first call."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..engine.values import is_pending

#: RDS API reference, DBInstanceIdentifier: letters, digits and single hyphens, from a letter, not to a hyphen.
IDENTIFIER = re.compile(r"[a-z](?:-?[a-z0-9])*", re.IGNORECASE)
LONGEST_IDENTIFIER = 63
#: GiB from which gp3 volumes of PostgreSQL are striped over four, and take IOPS and throughput of their own choice.
GP3_CHOICE_FROM = 400
#: Days that RDS takes for Performance Insights: a week, whole months, or two years.
INSIGHTS_DAYS = frozenset({7, 731} | {31 * months for months in range(1, 24)})
LONGEST_RETENTION = 35


def problems(params: Mapping[str, Any], identifier: str) -> list[str]:
    """Return a sentence for each thing about the options that cannot be; empty if all is well."""
    if params["state"] == "absent":
        return list(_removal(params, identifier))
    return [
        *_names(params, identifier),
        *_versions(params),
        *_storage(params),
        *_places(params),
        *_backups(params),
    ]


def _removal(params: Mapping[str, Any], identifier: str) -> Iterator[str]:
    if params["deletion_protection"]:
        yield (
            f"The database {identifier} is protected: state is absent, but deletion_protection is true. "
            "Set deletion_protection to false for the run that removes it."
        )


def _names(params: Mapping[str, Any], identifier: str) -> Iterator[str]:
    replicas = [f"{identifier}-{replica['name']}" for replica in params["replicas"]]
    for name in (identifier, *replicas):
        if len(name) > LONGEST_IDENTIFIER or not IDENTIFIER.fullmatch(name):
            yield (
                f"{name!r} cannot be the identifier of a DB instance. Choose identifier and the names of replicas so "
                f"that it has at most {LONGEST_IDENTIFIER} letters, digits and single hyphens, begins with a letter "
                "and does not end with a hyphen."
            )
    for name, count in Counter(replica["name"] for replica in params["replicas"]).items():
        if count > 1:
            yield f"replicas names {name!r} {count} times. Give each replica a name of its own."


def _versions(params: Mapping[str, Any]) -> Iterator[str]:
    if not re.fullmatch(r"\d+(\.\d+)?", str(params["engine_version"])):
        yield f"engine_version is {params['engine_version']!r}. Set a version of PostgreSQL such as '17.6', in quotes."


def _storage(params: Mapping[str, Any]) -> Iterator[str]:
    gib, most = params["storage_gib"], params["storage_max_gib"]
    if gib is None:
        # A replica without a size of its own has that of its source.
        return
    # A tenth is RDS's own least distance (RDS user guide, "Managing capacity automatically").
    if most is not None and most * 10 < gib * 11:
        yield f"storage_max_gib is {most}, but storage_gib {gib}. Set it at least 10 % higher, or leave it out."
    chosen = [name for name in ("iops", "throughput_mibps") if params[name] is not None]
    if chosen and params["storage_type"] == "gp3" and gib < GP3_CHOICE_FROM:
        yield (
            f"{' and '.join(chosen)} cannot be chosen for gp3 storage of {gib} GiB: RDS gives every such volume 3000 "
            f"IOPS and 125 MiB/s. Leave it out, or set storage_gib to {GP3_CHOICE_FROM} or more."
        )
    if params["storage_type"] != "gp3" and params["throughput_mibps"] is not None:
        yield f"throughput_mibps is for gp3 only, storage_type is {params['storage_type']}. Leave it out."
    if params["storage_type"] in ("io1", "io2") and params["iops"] is None:
        yield f"storage_type {params['storage_type']} needs iops. Set it, or use gp3."


def _places(params: Mapping[str, Any]) -> Iterator[str]:
    subnets: Sequence[str] = params["subnet_ids"]
    if len(subnets) < 2 and not is_pending(subnets):
        yield f"subnet_ids is {subnets}. Name subnets in at least two zones."
    if not params["security_group_ids"]:
        yield "security_group_ids is empty, so the database would get the VPC's default group. Name a group."
    for where, options in (("", params), *((f" of the replica {one['name']}", one) for one in params["replicas"])):
        if options["multi_az"] and options["availability_zone"]:
            yield (
                f"availability_zone{where} is {options['availability_zone']}, but with multi_az RDS chooses the zones. "
                "Leave one of them out."
            )


def _backups(params: Mapping[str, Any]) -> Iterator[str]:
    days = params["backup_retention_days"]
    for where, kept in (
        ("", days),
        *((f" of the replica {r['name']}", r["backup_retention_days"]) for r in params["replicas"]),
    ):
        if not 0 <= kept <= LONGEST_RETENTION:
            yield f"backup_retention_days{where} is {kept}. Set 0 to {LONGEST_RETENTION} days."
    if params["replicas"] and not days:
        yield "backup_retention_days is 0, but replicas are wanted: RDS makes them of sources with backups. Set 1."
    kept = params["performance_insights_retention_days"]
    if params["performance_insights"] and kept not in INSIGHTS_DAYS:
        yield f"performance_insights_retention_days is {kept}. Set 7, 731 or a multiple of 31 up to 713."
