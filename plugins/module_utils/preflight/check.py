# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check of an environment's inventory, from its variables to a verdict. It only reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..engine.aws import Aws
from . import cluster_rules, database_rules, fact_rules, network_rules, pair_rules, platform_rules, watch_rules
from .database_rules import classes, database_identifier
from .facts import Facts, PairQuestion, Question, SleepQuestion, read
from .inventory import Inventory
from .problems import Problem
from .specs import Specs


@dataclass(frozen=True)
class Host:
    """An environment as Ansible knows it.

    Attributes:
        name: the host's name.
        values: its variables, templated.
        unresolved: variables whose template cannot be filled in, each with the reason.
    """

    name: str
    values: Mapping[str, Any]
    unresolved: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """Whether an inventory can work.

    Attributes:
        problems: everything that is wrong with it.
        facts: what AWS said; None if it was not asked, because there were problems already.
    """

    problems: Sequence[Problem]
    facts: Facts | None = None


@dataclass(frozen=True)
class Rulebook:
    """What the checks go by.

    Attributes:
        specs: the variables that there are.
        required: variables that an inventory must set, beside those of the platform.
        regions: AWS's regions with their partitions.
    """

    specs: Specs
    required: Sequence[str]
    regions: Mapping[str, str]


def check(host: Host, others: Iterable[Host], rules: Rulebook, connect: Callable[[str], Aws]) -> Verdict:
    """Check one environment, among others of the same run.

    Args:
        host: the environment.
        others: the other environments of the run.
        rules: what the checks go by.
        connect: opens the way to AWS in a region. Not called if something is wrong without asking AWS.

    Raises:
        EngineError: if AWS cannot be asked.
    """
    inventory = Inventory(host.name, host.values, rules.specs)
    neighbours = [Inventory(other.name, other.values, rules.specs) for other in others]
    problems = [*_form(inventory, host.unresolved, rules), *_sense(inventory, neighbours, rules.regions)]
    if problems:
        return Verdict(problems)
    facts = read(connect(inventory.text("platform_region")), question(inventory))
    return Verdict([problem for rule in fact_rules.RULES for problem in rule(inventory, facts)], facts)


def _form(inventory: Inventory, unresolved: Mapping[str, str], rules: Rulebook) -> Iterable[Problem]:
    """Yield what can be said of each variable alone."""
    for name, error in sorted(unresolved.items()):
        mend = "Correct the template, or set what it refers to."
        yield Problem(name, "a template", f"it cannot be filled in: {error.rstrip('.')}", mend)
    needed = [name for name, spec in rules.specs.options.items() if rules.specs.owners[name] == "platform"]
    needed = [name for name in needed if rules.specs.options[name].get("required")]
    for name in [*needed, *rules.required]:
        if name not in inventory.given and name not in unresolved:
            home = rules.specs.home(inventory.host, name)
            yield Problem(name, "", "there is no default for it", f"Set it in {home}.")
    yield from inventory.type_problems
    yield from rules.specs.misspelt(inventory.given)


def _sense(inventory: Inventory, neighbours: Iterable[Inventory], regions: Mapping[str, str]) -> Iterable[Problem]:
    """Yield what can be said of the variables together."""
    for rule in platform_rules.PLACE_RULES:
        yield from rule(inventory, regions)
    for area in (platform_rules, network_rules, cluster_rules, database_rules, watch_rules):
        for own_rule in area.RULES:
            yield from own_rule(inventory)
    for neighbour in neighbours:
        for pair_rule in pair_rules.RULES:
            yield from pair_rule(inventory, neighbour)


def question(inventory: Inventory) -> Question:
    """Return what AWS is asked about an inventory that makes sense."""
    pair = inventory.record("platform_pair")
    # As the layer of the database names its primary, unless it was taken over with a name of its own.
    usual = f"{inventory.text('platform_name')}-{pair.get('environment')}"
    name = str(pair.get("database_identifier") or usual).lower()
    may_sleep = inventory.flag("platform_hibernation_allowed")
    return Question(
        instance_types=tuple(inventory.texts("eks_node_instance_types")),
        engine_version=inventory.text("rds_engine_version"),
        classes=tuple(dict.fromkeys(classes(inventory).values())),
        pair=PairQuestion(name, str(pair["region"])) if pair else None,
        sleeper=SleepQuestion(inventory.prefix, database_identifier(inventory)) if may_sleep else None,
    )
