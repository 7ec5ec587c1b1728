# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DB instances of RDS for PostgreSQL: the primary of an environment."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from ..engine.aws import Aws, error_code, error_message, tag_dict, tag_list
from ..engine.errors import EngineError
from ..engine.model import Observed, Readiness, ResourceType, Scope, Traits, Update, Wanted
from ..engine.values import Ref, is_pending
from . import rds_calls, rds_describe
from .rds_attributes import AT_CREATION, LATE, OF_A_PRIMARY, SETTABLE, attributes_of, modification, request
from .rds_describe import Instance
from .rds_parameter_group import parameters_in_force
from .secret import PASSWORD, credentials_of

#: The tag that says which secret holds the instance's password.
TAG_SECRET = "pipeops:secret"  # noqa: S105 - the name of a tag, no password
#: The start of a replica's logical name in the component tag, which tells it from the primary.
REPLICAS = "replicas/"
FAILOVER = "connections: 60 to 120 s of failover with Multi-AZ, minutes without"

STORAGE = Update("storage", ("storage_gib", "iops", "throughput_mibps"), Traits(seconds=120, reversible=False))
#: What an instance and a replica can both change in place. Durations: of small databases; larger ones take longer.
UPDATES = (
    Update("settings", ("auto_minor_version_upgrade", "copy_tags_to_snapshots", "storage_max_gib"), Traits(seconds=10)),
    Update("security_groups", ("security_group_ids",), Traits(seconds=60)),
    Update("monitoring", ("monitoring_interval_seconds", "monitoring_role_arn"), Traits(seconds=60)),
    Update("performance_insights", ("performance_insights", "performance_insights_retention_days"), Traits(seconds=60)),
    Update("log_exports", ("log_exports",), Traits(seconds=60)),
    Update("iam_authentication", ("iam_authentication",), Traits(seconds=120)),
    Update(
        "certificate",
        ("ca_certificate",),
        Traits(seconds=120, interrupts="connections for seconds, where the engine version reloads it by a restart"),
    ),
    STORAGE,
    Update("multi_az", ("multi_az",), Traits(seconds=480)),
    Update("instance_class", ("instance_class",), Traits(seconds=480, interrupts=FAILOVER)),
)
DELETION_PROTECTION = Update("deletion_protection", ("deletion_protection",), Traits(seconds=10))
BACKUPS = Update(
    "backups",
    ("backup_retention_days", "backup_window", "maintenance_window"),
    Traits(seconds=120, interrupts="I/O for seconds if backups are switched on or off, on a single-AZ instance"),
)
PARAMETER_GROUP = Update("parameter_group", ("parameter_group",), Traits(seconds=180, interrupts=FAILOVER))
RESTART = Update("restart", ("parameters_in_sync", "parameters_in_force"), Traits(seconds=90, interrupts=FAILOVER))
ROLES = (
    "site.yml never promotes a database and never makes a replica of one. See which side leads with "
    "playbooks/dr_status.yml; go on with playbooks/dr_failover.yml or dr_failback.yml, or correct the inventory."
)
UPGRADES = (
    "site.yml upgrades none. Run ansible-playbook playbooks/upgrade_database.yml -i inventories/ENV, with both "
    "inventories of a pair: it checks, takes a snapshot and goes in the order that RDS accepts. Or set engine_version "
    "back."
)
RESTORE = "Restore a snapshot into a new instance with playbooks/restore.yml."


class DbInstance(ResourceType):
    """What the primary and its replicas have in common."""

    service = "rds"
    slow = True
    # It holds data, so that nobody is told to remove it.
    failed: ClassVar[str] = "Then run again: it goes on where this run stopped."
    unordered = frozenset({"security_group_ids", "log_exports"})
    inherited = frozenset({"kms_key_arn", "storage_type", "subnet_group", "availability_zone"})

    def observed(self, instance: Instance, name: str, wanted: Wanted | None) -> Observed:
        """Return an instance in our words; ``wanted`` where it is one of the inventory."""
        attributes, asked = attributes_of(instance), wanted.attributes if wanted else {}
        if instance["DBInstanceStatus"] == "creating":
            attributes |= {key: asked[key] for key in LATE if key in asked and not isinstance(asked[key], Ref)}
        if _grew_by_itself(asked, attributes):
            attributes["storage_gib"] = asked["storage_gib"]
        attributes["final_snapshot"] = asked.get("final_snapshot", True)
        tags = tag_dict(instance.get("TagList"))
        attributes["secret_arn"] = tags.get(TAG_SECRET)
        return Observed(
            self.kind, name, instance["DBInstanceIdentifier"], attributes, tags, instance["DBInstanceStatus"]
        )

    def refresh(self, aws: Aws, scope: Scope, observed: Observed) -> Observed | None:
        instance = rds_describe.describe(aws, observed.id)
        return self.observed(instance, observed.name, scope.wanted.get(observed.name)) if instance else None

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> Observed | None:
        if update.name == RESTART.name:
            held = wanted.attributes["parameters_in_force"]
            rds_calls.restart(aws, observed.id, expected=observed.get("parameters_in_force") != held)
            return None
        names = [name for name in update.attributes if wanted.attributes.get(name) is not None]
        different = [name for name in names if not self.same(name, wanted.attributes[name], observed.get(name))]
        values = modification(update, wanted.attributes, observed.attributes, different)
        rds_calls.modify(aws, observed.id, f"changing its {update.name}", update.traits.seconds, **values)
        if update.name == PARAMETER_GROUP.name:
            rds_calls.restart(aws, observed.id, expected=True)
        return None

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("rds").add_tags_to_resource(ResourceName=observed.get("arn"), Tags=tag_list(tags))

    def readiness(self, observed: Observed) -> Readiness:
        return rds_describe.readiness_of(observed.status)

    def same(self, attribute: str, wanted: Any, observed: Any) -> bool:
        if attribute == "engine_version" and observed:
            # A major version alone, e.g. 17, takes any of its minor versions.
            return bool(str(wanted) == observed or ("." not in str(wanted) and observed.split(".")[0] == str(wanted)))
        return super().same(attribute, wanted, observed)

    def refuses(self, attribute: str, wanted: Any, observed: Any) -> str:
        if attribute == "engine_version" and observed and version_of(str(wanted)) < version_of(observed):
            return f"RDS never goes back to an earlier version: set engine_version to {observed}."
        if attribute == "storage_gib" and not is_pending(wanted) and wanted < observed:
            return f"Storage never shrinks: set storage_gib to {observed}. To have less: {RESTORE}"
        return ""

    def transient(self, error: Exception) -> str:
        code, text = error_code(error), error_message(error)
        if code == "InvalidParameterValue" and "ENHANCED_MONITORING" in text:
            return "the new monitoring role is not known everywhere yet"
        return ""


def _grew_by_itself(asked: Mapping[str, Any], attributes: Mapping[str, Any]) -> bool:
    """Tell whether storage autoscaling, and nobody else, can have made the storage what it is."""
    wanted, most = asked.get("storage_gib"), asked.get("storage_max_gib")
    return bool(wanted and most and wanted < (attributes["storage_gib"] or 0) <= most)


def owned_name(scope: Scope, instance: Instance) -> str | None:
    """Return the logical name that an instance's owner tags give, None if it is not of this layer."""
    return scope.owns(tag_dict(instance.get("TagList")))


class RdsInstance(DbInstance):
    """The primary.

    Attributes, beside those of :mod:`.rds_attributes`:
        role: ``primary``. Changing it is what the disaster-recovery playbooks are for.
        secret_arn: where its password is; an instance bears it as a tag.
        parameters_in_force: the parameters of its group that it runs with.
        parameters_in_sync: True. False while parameters wait for a restart.
        final_snapshot: whether a snapshot is taken before it is deleted.
        removal: True if the run removes it; then one that is on its way out is observed too.
    """

    kind = "rds_instance"
    label = "DB instance"
    creation = Traits(seconds=720)
    deletion = Traits(seconds=420, interrupts="everything that uses the database", reversible=False)
    updates = (
        DELETION_PROTECTION,
        BACKUPS,
        *UPDATES,
        PARAMETER_GROUP,
        RESTART,
    )
    create_only = frozenset({"performance_insights_key_arn", "final_snapshot", "removal"})
    fixed: ClassVar[Mapping[str, str]] = {
        "identifier": "RDS could rename it, but its address would change with it: set identifier back. For a database "
        "beside it, use another environment.",
        "role": ROLES,
        "engine_version": UPGRADES,
        "encrypted": RESTORE,
        "kms_key_arn": f"The key of a database is chosen once. {RESTORE}",
        "storage_type": "Set storage_type back: moving to another type of volume is not offered here.",
        "master_username": "The master user is chosen once: set it back, and make further users with SQL.",
        "database_name": "The first database is chosen once: set it back, and make further ones with SQL.",
        "port": "The port is part of the secret and of what clients have stored: set it back.",
        "availability_zone": "A single-AZ instance stays in its zone: set it back, or set multi_az, then fail over.",
        "subnet_group": "Set identifier and subnet_ids back, or restore a snapshot with playbooks/restore.yml.",
        "secret_arn": f"The secret that holds the database's password is gone or another one. Restore it (Secrets "
        f"Manager keeps it for 30 days), or put the password into the new one and remove the tag {TAG_SECRET} from the "
        "instance; playbooks/rotate_secrets.yml sets a new password.",
    }

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        found = [one for one in rds_describe.all_instances(aws) if self._counts(one, scope)]
        names = {wanted.attributes["identifier"]: name for name, wanted in scope.wanted.items()}
        result = {names[one["DBInstanceIdentifier"]]: one for one in found if one["DBInstanceIdentifier"] in names}
        for one in found:
            name = owned_name(scope, one)
            if one["DBInstanceIdentifier"] in names or name is None or name.startswith(REPLICAS):
                continue
            # An instance of another identifier is the primary only while nothing else is.
            result[one["DBInstanceIdentifier"] if name in result else name] = one
        observed = [self.observed(one, name, scope.wanted.get(name)) for name, one in result.items()]
        return with_parameters(aws, observed, scope.wanted)

    @staticmethod
    def _counts(instance: Instance, scope: Scope) -> bool:
        removal = any(wanted.attributes.get("removal") for wanted in scope.wanted.values())
        return removal or instance["DBInstanceStatus"] != "deleting"

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        rds_calls.free_identifier(aws, wanted.attributes["identifier"])
        instance = aws.client("rds", once=True).create_db_instance(
            Engine="postgres",
            PubliclyAccessible=False,
            MasterUserPassword=_password(aws, wanted),
            Tags=tag_list(wanted.tags or {}),
            **request(wanted.attributes, {**SETTABLE, **AT_CREATION, **OF_A_PRIMARY}),
        )["DBInstance"]
        return self.observed(instance, wanted.name, wanted)

    def same(self, attribute: str, wanted: Any, observed: Any) -> bool:
        if attribute == "secret_arn" and observed is None:
            # An instance that bears no such tag gets it with the others.
            return True
        return super().same(attribute, wanted, observed)

    def delete(self, aws: Aws, observed: Observed) -> None:
        delete_instance(aws, observed)


def delete_instance(aws: Aws, observed: Observed) -> None:
    """Delete an instance that nothing replicates any more, with a final snapshot if it is wanted and can be taken.

    Raises:
        EngineError: if it still has replicas.
    """
    standing = rds_describe.describe(aws, observed.id) or {}
    _require_no_replicas(aws, observed.id, standing)
    # AWS takes no final snapshot of a replica: its data are those of the source.
    alone = not standing.get("ReadReplicaSourceDBInstanceIdentifier")
    keep = final_snapshot_name(observed.id) if alone and observed.get("final_snapshot") else None
    rds_calls.delete(aws, observed.id, final_snapshot=keep)


def _require_no_replicas(aws: Aws, identifier: str, standing: Instance) -> None:
    """Refuse to delete a source: RDS would make its replicas in the region writable databases of their own."""
    remote = [one for one in standing.get("ReadReplicaDBInstanceIdentifiers") or () if one.startswith("arn:")]
    local = [
        one["DBInstanceIdentifier"]
        for one in rds_describe.all_instances(aws)
        if one.get("ReadReplicaSourceDBInstanceIdentifier") == identifier and one["DBInstanceStatus"] != "deleting"
    ]
    if remote or local:
        raise EngineError(
            f"DB instance {identifier} in {aws.region} still has replicas that this layer does not manage: "
            f"{', '.join(sorted(remote + local))}. Remove or promote them first."
        )


def _password(aws: Aws, wanted: Wanted) -> str:
    """Return the password for a new instance, from its secret."""
    secret, user = wanted.attributes["secret_arn"], wanted.attributes["master_username"]
    credentials = credentials_of(aws, secret, user)
    if credentials.get("username") != user:
        raise EngineError(
            f"The secret {secret} in {aws.region} is of the user {credentials.get('username')!r}, but the database "
            f"{wanted.attributes['identifier']} shall have {user!r}. Set master_username to the former, or name "
            "another secret."
        )
    return str(credentials[PASSWORD])


def with_parameters(aws: Aws, found: Sequence[Observed], wanted: Mapping[str, Wanted]) -> list[Observed]:
    """Add the parameters that each instance runs with, as far as the inventory is about them."""
    read: dict[str, dict[str, str]] = {}

    def running(group: str, parameters: Mapping[str, str]) -> dict[str, str]:
        if group not in read:
            read[group] = parameters_in_force(aws, group, parameters)
        return read[group]

    return [_with_running(observed, wanted.get(observed.name), running) for observed in found]


def _with_running(
    observed: Observed, wanted: Wanted | None, running: Callable[[str, Mapping[str, str]], Mapping[str, str]]
) -> Observed:
    parameters = wanted.attributes.get("parameters_in_force") if wanted else None
    if wanted is None or parameters is None:
        return observed
    group = wanted.attributes["parameter_group"]
    if observed.get("parameter_group") == group:
        added: dict[str, Any] = {"parameters_in_force": running(group, parameters)}
    else:
        # The restart comes with the change of the group.
        added = {"parameters_in_force": parameters, "parameters_in_sync": True}
    return replace(observed, attributes={**observed.attributes, **added})


def final_snapshot_name(identifier: str) -> str:
    """Return the name of the snapshot that is taken of an instance before it is deleted, with the time in UTC."""
    return f"{identifier}-final-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}"


def version_of(text: str) -> tuple[int, ...]:
    """Return a version such as ``17.6`` as what can be compared."""
    return tuple(int(part) for part in text.split("."))
