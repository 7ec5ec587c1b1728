# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shipped inventories, and wrong ones made of them (``cases.yml``), as the preflight gets them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.pipeops.platform.plugins.action.preflight import collection_specs
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import regions
from ansible_collections.pipeops.platform.plugins.module_utils.preflight.check import Host, Rulebook

ROOT = Path(__file__).parent.parent.parent
ENVIRONMENTS = ("dev", "staging", "prod", "dr")
#: What the role preflight asks for.
REQUIRED = yaml.safe_load((ROOT / "roles/preflight/tasks/main.yml").read_text("utf-8"))[0][
    "pipeops.platform.preflight"
]["required"]
SITE_RULES = Rulebook(collection_specs(), REQUIRED, regions())


@dataclass(frozen=True)
class Wrong:
    """An inventory that cannot work, and what has to be said of it.

    Attributes:
        case: what is wrong with it.
        inventory: its host.
        others: other hosts of the same run.
        variable: the variable that the first problem names.
        reason: a part of the reason.
        mend: a part of the mend.
        problems: how many there are.
    """

    case: str
    inventory: Host
    others: list[Host]
    variable: str
    reason: str
    mend: str = ""
    problems: int = 1


def shipped(name: str, changes: Mapping[str, Any] | None = None, without: tuple[str, ...] = ()) -> Host:
    """Return a shipped inventory's host, with some of its variables changed or left out."""
    values: dict[str, Any] = {}
    for path in sorted((ROOT / "inventories" / name / "host_vars" / name).glob("*.yml")):
        values |= yaml.safe_load(path.read_text("utf-8"))
    values |= changes or {}
    return Host(name, {key: value for key, value in values.items() if key not in without})


def _wrong(row: dict[str, Any]) -> Wrong:
    changes = row.get("set") or yaml.safe_load(row.get("yaml", "{}"))
    inventory = shipped(row.get("host", "prod"), changes, tuple(row.get("unset", ())))
    others = [shipped(name, changes) for name, changes in row.get("beside", {}).items()]
    more = {key: row[key] for key in ("mend", "problems") if key in row}
    return Wrong(row["case"], inventory, others, row["variable"], row["reason"], **more)


WRONG = [_wrong(row) for row in yaml.safe_load((Path(__file__).parent / "cases.yml").read_text("utf-8"))]
