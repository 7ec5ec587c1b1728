# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DB parameter groups, and which of their parameters need a restart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar

from ..engine.aws import Aws, tag_dict, tag_list
from ..engine.errors import EngineError
from ..engine.model import Observed, ResourceType, Scope, Traits, Update, Wanted

#: Parameters that one ModifyDBParameterGroup or ResetDBParameterGroup takes (RDS API reference).
AT_ONCE = 20


class RdsParameterGroup(ResourceType):
    """A DB parameter group of PostgreSQL.

    Attributes:
        name: unique in a region, in lower case, so it finds the group.
        family: e.g. ``postgres17``.
        description: for people; AWS cannot change it.
        parameters: all parameters that differ from the family's defaults, by name; others are reset.

    Read only: ``arn``. Groups of other families that bear the same stem in their names are observed as well: they
    are what a major upgrade leaves behind.
    """

    kind = "rds_parameter_group"
    label = "DB parameter group"
    service = "rds"
    updates = (Update("parameters", ("parameters",), Traits(seconds=30)),)
    fixed: ClassVar[Mapping[str, str]] = {"family": "A group is of one family for good: give the new one another name."}
    create_only = frozenset({"description"})
    deletion = Traits(seconds=2, reversible=True)

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        stems = {
            wanted.attributes["name"].removesuffix(wanted.attributes["family"]) for wanted in scope.wanted.values()
        }
        names = {wanted.attributes["name"]: name for name, wanted in scope.wanted.items()}
        groups = aws.pages("rds", "describe_db_parameter_groups", "DBParameterGroups")
        return [
            self._describe(aws, names.get(group["DBParameterGroupName"], group["DBParameterGroupFamily"]), group)
            for group in groups
            if any(group["DBParameterGroupName"] == stem + group["DBParameterGroupFamily"] for stem in stems)
        ]

    @staticmethod
    def _describe(aws: Aws, name: str, group: Mapping[str, Any]) -> Observed:
        identifier, arn = group["DBParameterGroupName"], group["DBParameterGroupArn"]
        attributes = {
            "arn": arn,
            "name": identifier,
            "family": group["DBParameterGroupFamily"],
            "description": group["Description"],
            "parameters": {row: found.get("ParameterValue", "") for row, found in own_rows(aws, identifier).items()},
        }
        tags = aws.client("rds").list_tags_for_resource(ResourceName=arn)["TagList"]
        return Observed("rds_parameter_group", name, identifier, attributes, tag_dict(tags))

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        attributes, client = wanted.attributes, aws.client("rds")
        name = attributes["name"]
        # It exists if the answer to an earlier try was lost: the name is unique and nothing bore it, so it is ours.
        with suppress(client.exceptions.DBParameterGroupAlreadyExistsFault):
            client.create_db_parameter_group(
                DBParameterGroupName=name,
                DBParameterGroupFamily=attributes["family"],
                Description=attributes["description"],
                Tags=tag_list(wanted.tags or {}),
            )
        self._set(aws, name, attributes["parameters"], {})
        group = client.describe_db_parameter_groups(DBParameterGroupName=name)["DBParameterGroups"][0]
        known = {**attributes, "arn": group["DBParameterGroupArn"]}
        return Observed("rds_parameter_group", wanted.name, name, known, wanted.tags or {})

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        self._set(aws, observed.id, wanted.attributes["parameters"], observed.get("parameters"))

    @staticmethod
    def _set(aws: Aws, group: str, wanted: Mapping[str, str], standing: Mapping[str, str]) -> None:
        rows = all_rows(aws, group)
        unknown = sorted(wanted.keys() - rows.keys())
        if unknown:
            raise EngineError(
                f"The DB parameter group {group} in {aws.region} cannot take {', '.join(unknown)}: its family has no "
                "such parameters. Correct or remove them in the option parameters."
            )
        client = aws.client("rds")
        new = [name for name in sorted(wanted) if standing.get(name) != wanted[name]]
        for names in _batches(new):
            values = [{**_entry(rows[name]), "ParameterValue": wanted[name]} for name in names]
            client.modify_db_parameter_group(DBParameterGroupName=group, Parameters=values)
        for names in _batches(sorted(standing.keys() - wanted.keys())):
            entries = [_entry(rows[name]) for name in names]
            client.reset_db_parameter_group(DBParameterGroupName=group, Parameters=entries)

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("rds").add_tags_to_resource(ResourceName=observed.get("arn"), Tags=tag_list(tags))

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("rds")
        try:
            client.delete_db_parameter_group(DBParameterGroupName=observed.id)
        except client.exceptions.DBParameterGroupNotFoundFault:
            return


def _batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[start : start + AT_ONCE] for start in range(0, len(names), AT_ONCE))


def _entry(row: Mapping[str, Any]) -> dict[str, str]:
    method = "pending-reboot" if _is_static(row) else "immediate"
    return {"ParameterName": row["ParameterName"], "ApplyMethod": method}


def _is_static(row: Mapping[str, Any]) -> bool:
    return bool(row.get("ApplyType") == "static")


def _by_name(rows: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {row["ParameterName"]: row for row in rows}


def all_rows(aws: Aws, group: str) -> dict[str, Mapping[str, Any]]:
    """Return every parameter that a group has, as AWS describes it; some 400 over several pages."""
    return _by_name(aws.pages("rds", "describe_db_parameters", "Parameters", DBParameterGroupName=group))


def own_rows(aws: Aws, group: str) -> dict[str, Mapping[str, Any]]:
    """Return the parameters that somebody has set in a group, in one call."""
    pages = aws.pages("rds", "describe_db_parameters", "Parameters", DBParameterGroupName=group, Source="user")
    return _by_name(pages)


def parameters_in_force(aws: Aws, group: str, wanted: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters that an instance runs with after its last restart, as far as ``wanted`` is about them.

    RDS puts dynamic parameters in force by itself, so they are returned as wanted: only a static one can differ,
    and with it the plan knows that a restart is due before the group is changed.
    """
    try:
        rows = own_rows(aws, group)
        if not wanted.keys() <= rows.keys():
            rows = all_rows(aws, group)
    except aws.client("rds").exceptions.DBParameterGroupNotFoundFault:
        return dict(wanted)
    static = {name: row for name, row in rows.items() if _is_static(row)}
    held = {name: row.get("ParameterValue", "") for name, row in static.items() if row.get("Source") == "user"}
    dynamic = {name: value for name, value in wanted.items() if name not in static}
    return {**dynamic, **held}
