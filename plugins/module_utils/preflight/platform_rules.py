# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names, place, tags and patience of an environment."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..layers.hibernation_schedules import is_cron
from ..layers.state_backend import bucket_name
from .inventory import Inventory
from .problems import Problem, nearest, shown

#: Lower case, because S3 bucket names are, and RDS turns identifiers into it; no double or trailing hyphen, as RDS.
NAME = re.compile(r"[a-z](?:-?[a-z0-9])*")
#: The longest name of an S3 bucket; the longest of all that derive from platform and environment.
BUCKET_LENGTH = 63
ACCOUNT = re.compile(r"[0-9]{12}")
#: A label of a host name: RFC 1035, 2.3.1, in lower case.
LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
#: The longest name in DNS, in characters.
DOMAIN_LENGTH = 253

#: Tag keys that belong to somebody else, each with its owner. EKS Auto Mode refuses the three of Kubernetes in a
#: NodeClass ("Create a Node Class for Amazon EKS"); AWS refuses its own in any case of letters.
RESERVED_TAGS = {
    "aws:": "AWS",
    "rds:": "RDS",
    "pipeops:": "the platform, which finds its resources by them",
    "kubernetes.io/cluster": "Kubernetes",
    "karpenter.sh/": "Karpenter",
    "eks.amazonaws.com/": "EKS",
}
#: What all services take in keys and values ("Tag naming limits", AWS General Reference).
TAG_TEXT = re.compile(r"[\w .:/=+@-]*")
TAG_KEY_LENGTH, TAG_VALUE_LENGTH = 128, 256
#: Of the 50 that AWS allows on a resource, ten are kept for owner tags, names and what AWS and Kubernetes add.
MOST_TAGS = 40


def environment_name(inventory: Inventory) -> Iterable[Problem]:
    """An environment is the host of the same name, and both its names are made to be parts of others."""
    for variable in ("platform_name", "platform_environment"):
        text = inventory.text(variable)
        if text and not NAME.fullmatch(text):
            reason = "AWS takes it in no name: it must be lower case letters, digits and single hyphens, from a letter"
            yield inventory.problem(variable, reason, f"Write {_as_name(text)}.")
    environment = inventory.text("platform_environment")
    if environment and environment != inventory.host:
        mend = f"Write {inventory.host}, or rename the host and its host_vars directory to {environment}."
        yield inventory.problem("platform_environment", f"the host is called {inventory.host}", mend)


def _as_name(text: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return name if NAME.fullmatch(name) else f"e{name}" if name else "prod"


def name_lengths(inventory: Inventory) -> Iterable[Problem]:
    """The longest name that derives from platform and environment is that of the bucket."""
    if not inventory.text("platform_name") or not inventory.text("platform_environment"):
        return
    bucket = bucket_name(inventory.prefix, "0" * 12)
    over = len(bucket) - BUCKET_LENGTH
    if over > 0:
        reason = f"the S3 bucket {shown(bucket)} would have {len(bucket)} characters, and S3 takes {BUCKET_LENGTH}"
        mend = f"Shorten platform_name and platform_environment by {over} together."
        yield inventory.problem("platform_environment", reason, mend)


def region(inventory: Inventory, regions: Mapping[str, str]) -> Iterable[Problem]:
    """The region is one, before anything is sent there."""
    text = inventory.text("platform_region")
    if text and text not in regions:
        mend = nearest(text, regions, "Write one like us-west-2; if AWS opened it lately, update botocore.")
        yield inventory.problem("platform_region", "AWS has no region of this name", mend)


def account(inventory: Inventory) -> Iterable[Problem]:
    """An account has twelve digits."""
    text = inventory.text("platform_account_id")
    if text and not ACCOUNT.fullmatch(text):
        mend = 'Write all twelve in quotes, without dashes, e.g. "012345678901".'
        yield inventory.problem("platform_account_id", "an AWS account has exactly 12 digits", mend)


def pair(inventory: Inventory, regions: Mapping[str, str]) -> Iterable[Problem]:
    """A pair is another environment in another region of the same partition."""
    other = inventory.record("platform_pair")
    own = inventory.text("platform_region")
    if not other:
        if inventory.text("platform_database_role") == "replica":
            mend = "Set platform_pair: {environment: prod, region: us-west-2} with the values of the primary."
            yield inventory.problem("platform_pair", "a replica needs to know whose it is", mend)
        return
    if other["environment"] == inventory.environment:
        mend = "Write the environment on the other side."
        yield inventory.problem("platform_pair", "an environment cannot be its own pair", mend)
    if other["region"] == own:
        reason = "both would be lost with the one region that they share"
        yield inventory.problem("platform_pair", reason, f"Choose another region than {own} for one of them.")
    elif other["region"] not in regions:
        mend = nearest(other["region"], regions, "Write one like us-east-1.")
        variable = "platform_pair.region"
        yield inventory.problem(variable, "AWS has no region of this name", mend, value=other["region"])
    elif own in regions and regions[own] != regions[other["region"]]:
        reason = f"{own} is in partition {regions[own]}, and nothing replicates to {regions[other['region']]}"
        yield inventory.problem("platform_pair", reason, f"Choose a region of partition {regions[own]}.")


def witness(inventory: Inventory, regions: Mapping[str, str]) -> Iterable[Problem]:
    """The witness of a pair stands where neither side does."""
    text, variable = inventory.text("platform_witness_region"), "platform_witness_region"
    held = {inventory.text("platform_region"), inventory.record("platform_pair").get("region")}
    if not text:
        if inventory.number("rds_write_lease_seconds"):
            reason = "a write lease (rds_write_lease_seconds) needs a witness outside of both regions"
            yield inventory.problem(variable, reason, "Write a third region, e.g. us-east-2.")
    elif text not in regions:
        mend = nearest(text, regions, "Write one like us-east-2.")
        yield inventory.problem(variable, "AWS has no region of this name", mend)
    elif text in held:
        reason = "it would be lost together with one side, and the other one could not know who leads"
        yield inventory.problem(variable, reason, "Write a third region.")


def tags(inventory: Inventory) -> Iterable[Problem]:
    """Tags are texts that AWS takes and nobody else owns."""
    given = inventory.record("platform_tags")
    if len(given) > MOST_TAGS:
        reason = f"these are {len(given)} tags, and beside those that the platform sets there is room for {MOST_TAGS}"
        yield inventory.problem("platform_tags", reason, "Remove some.")
    for key, value in given.items():
        yield from _tag_key(inventory, key)
        yield from _tag_value(inventory, key, value)


def _tag_key(inventory: Inventory, key: Any) -> Iterable[Problem]:
    variable = "platform_tags"
    if not isinstance(key, str):
        reason = f"the key {shown(key)} is not text for YAML"
        yield inventory.problem(variable, reason, "Put the key in quotes.")
        return
    owner = next((who for prefix, who in RESERVED_TAGS.items() if key.lower().startswith(prefix)), None)
    if owner:
        yield inventory.problem(variable, f"tags like {key} belong to {owner}", f"Remove or rename {key}.")
    if key == "Name":
        reason = "each resource has a Name of its own"
        yield inventory.problem(variable, reason, "Remove Name.")
    if not 1 <= len(key) <= TAG_KEY_LENGTH or not TAG_TEXT.fullmatch(key):
        reason = f"AWS does not take the key {shown(key)}: 1 to {TAG_KEY_LENGTH} letters, digits, spaces and .:/=+-@_"
        yield inventory.problem(variable, reason, "Shorten or respell the key.")


def _tag_value(inventory: Inventory, key: Any, value: Any) -> Iterable[Problem]:
    variable = f"platform_tags.{key}"
    if not isinstance(value, str):
        text = str(value).lower() if isinstance(value, bool) else value
        mend = f'Put it in quotes: "{text}".' if isinstance(value, (bool, int, float)) else "Write one text."
        yield inventory.problem(variable, "the value of a tag is text", mend, value=_known(value))
    elif len(value) > TAG_VALUE_LENGTH or not TAG_TEXT.fullmatch(value):
        reason = f"AWS takes up to {TAG_VALUE_LENGTH} letters, digits, spaces and .:/=+-@_ as a value"
        yield inventory.problem(variable, reason, "Shorten or respell it.", value=value)


def _known(value: Any) -> Any:
    return "null" if value is None else value


def service(inventory: Inventory) -> Iterable[Problem]:
    """The database goes by the names of this environment, or of the one that it is paired with."""
    pair = inventory.record("platform_pair").get("environment")
    if not pair and inventory.text("platform_database_role") == "replica":
        # That it has no pair is the problem, and is told already.
        return
    choices = [inventory.environment, *([str(pair)] if pair else [])]
    if inventory.service not in choices:
        reason = "only one side of a pair lends its names to both"
        yield inventory.problem("platform_service_environment", reason, f"Write {' or '.join(choices)}.")


def domain(inventory: Inventory) -> Iterable[Problem]:
    """The zone's name is one that DNS takes."""
    text = inventory.text("platform_domain")
    zone = max((f"{name}.{text}" for name in (inventory.environment, inventory.service)), key=len)
    if text and (not all(map(LABEL.fullmatch, text.split("."))) or len(zone) > DOMAIN_LENGTH):
        reason = f"{shown(zone)} is no domain name: labels of lower case letters, digits and hyphens, joined by dots"
        yield inventory.problem("platform_domain", reason, "Write it like pipeops.internal, without a dot at its end.")


def amounts(inventory: Inventory) -> Iterable[Problem]:
    """Budget and waiting times are more than nothing, and there is time for a second look."""
    for variable in ("platform_budget_usd_month", "platform_wait_timeout_seconds", "platform_wait_delay_seconds"):
        if inventory.has(variable) and inventory.decimal(variable) <= 0:
            yield inventory.problem(variable, "it must be more than 0", "Write a positive number.")
    longest, pause = (
        inventory.decimal("platform_wait_timeout_seconds"),
        inventory.decimal("platform_wait_delay_seconds"),
    )
    if 0 < longest < pause:
        reason = f"the wait of {longest:g} s (platform_wait_timeout_seconds) would end before the second look"
        mend = "Write fewer seconds than platform_wait_timeout_seconds has."
        yield inventory.problem("platform_wait_delay_seconds", reason, mend)


def hibernation(inventory: Inventory) -> Iterable[Problem]:
    """What others depend on stays awake, and RDS stops no instance that takes part in a replication."""
    if not inventory.flag("platform_hibernation_allowed"):
        return
    variable, mend = "platform_hibernation_allowed", "Write false, or leave it out."
    if inventory.record("platform_pair"):
        other = inventory.record("platform_pair")["environment"]
        yield inventory.problem(variable, f"{other} depends on it, or stands by for it (platform_pair)", mend)
    elif inventory.records("rds_replicas"):
        yield inventory.problem(variable, "its database has replicas (rds_replicas), so RDS would not stop it", mend)


def nights(inventory: Inventory) -> Iterable[Problem]:
    """A schedule is one that EventBridge Scheduler takes, for an environment that may sleep."""
    schedule = inventory.record("hibernation_schedule")
    if schedule and not inventory.flag("platform_hibernation_allowed"):
        reason = "the environment has to stay awake (platform_hibernation_allowed), so nothing would come of it"
        yield inventory.problem("hibernation_schedule", reason, "Allow it, or remove the schedule.", value=schedule)
    for part in ("evening", "morning"):
        text = str(schedule.get(part) or "")
        if text and not is_cron(text):
            reason = "it is no cron expression of EventBridge Scheduler, with six fields and one of both days as ?"
            mend = "Write it like cron(0 20 ? * MON-FRI *)."
            yield inventory.problem(f"hibernation_schedule.{part}", reason, mend, value=text)
    zone = str(schedule.get("timezone") or "UTC")
    if _is_zone("UTC") and not _is_zone(zone):
        mend = "Write one like America/Los_Angeles."
        yield inventory.problem("hibernation_schedule.timezone", "there is no such time zone", mend, value=zone)


def _is_zone(name: str) -> bool:
    """Tell whether this machine knows a time zone; one without the database of zones knows not even UTC."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


RULES: tuple[Callable[[Inventory], Iterable[Problem]], ...] = (
    environment_name,
    name_lengths,
    account,
    tags,
    service,
    domain,
    amounts,
    hibernation,
    nights,
)
#: Rules that know AWS's regions, each with its partition.
PLACE_RULES: tuple[Callable[[Inventory, Mapping[str, str]], Iterable[Problem]], ...] = (region, pair, witness)
