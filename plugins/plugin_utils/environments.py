# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Environments as Ansible's inventories describe them: those of a run, and those of other inventories."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.module_utils.common.yaml import yaml_load
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.vars.manager import VariableManager

from ..module_utils.preflight.specs import Specs

#: Where this collection is.
COLLECTION = Path(__file__).parents[2]
#: The variable by which a host is known to be an environment.
ENVIRONMENT = "platform_environment"


@cache
def specs_of(collection: Path) -> Specs:
    """Return the variables of all roles of a collection."""
    found = sorted((collection / "roles").glob("*/meta/argument_specs.yml"))
    return Specs.from_documents({path.parents[1].name: yaml_load(path.read_text("utf-8")) for path in found})


@cache
def defaults_of(collection: Path) -> Mapping[str, Any]:
    """Return the defaults of all roles of a collection."""
    values: dict[str, Any] = {}
    for path in sorted((collection / "roles").glob("*/defaults/main.yml")):
        values |= yaml_load(path.read_text("utf-8")) or {}
    return values


@dataclass(frozen=True)
class Environment:
    """An environment as Ansible knows it.

    Attributes:
        name: the host's name.
        values: its variables, templated.
        unresolved: variables whose template cannot be filled in, each with the reason.
    """

    name: str
    values: Mapping[str, Any]
    unresolved: Mapping[str, str]


def filled(
    variables: Mapping[str, Any], template: Callable[[Any], Any], specs: Specs
) -> tuple[dict[str, Any], dict[str, str]]:
    """Fill in the templates of the variables that steer the platform; all others are nobody's business.

    Returns:
        The variables with their values, and those that cannot be filled in with the reason.
    """
    values: dict[str, Any] = {}
    unresolved: dict[str, str] = {}
    for variable in filter(specs.concerns, variables):
        try:
            raw = variables[variable]
            values[variable] = template(raw) if variable in specs.options else raw
        except AnsibleError as error:
            unresolved[variable] = str(error)
    return values, unresolved


def read(sources: Sequence[Path], specs: Specs, loader: DataLoader) -> Iterable[Environment]:
    """Yield the environments of inventories, without what was set on the command line of this run."""
    inventory = InventoryManager(loader=loader, sources=[str(source) for source in sources])
    variables = VariableManager(loader=loader, inventory=inventory)
    # What is tried with -e is to be compared with what the inventories say.
    variables._extra_vars = {}
    for host in inventory.get_hosts():
        values = variables.get_vars(host=host)
        if ENVIRONMENT in values:
            yield Environment(host.get_name(), *filled(values, Templar(loader, values).template, specs))
