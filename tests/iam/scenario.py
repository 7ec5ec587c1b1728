# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The life of four environments, as their deploy identities bring it about: every playbook that asks AWS anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.plan_exactness.dr_drifts import DRIFTS
from tests.platform_runs import Platform

WEST, EAST = "us-west-2", "us-east-1"
#: Seconds between two looks at what takes time: nothing does here, but for real servers.
QUICK = {"platform_wait_delay_seconds": 0.2}
GROUPS = {"eks_compute": "managed_node_groups"}
WITHOUT_PROTECTION = {"destroy_protected": True, "destroy_snapshots": True, "destroy_backups": True}
PAIR = ("prod", "dr")


@dataclass(frozen=True)
class Step:
    """One command of a person or of a pipeline.

    Attributes:
        part: what the step belongs to, to run some of all.
        identity: the environment whose deploy identity runs it.
        before: what happens to the platform before, and is nobody's of the pipeline.
        status: how the command ends.
    """

    part: str
    identity: str
    playbook: str
    inventories: tuple[str, ...]
    extra: dict[str, Any] = field(default_factory=dict)
    check: bool = False
    before: Callable[[Platform], None] = lambda _stand: None
    status: int = 0

    @property
    def name(self) -> str:
        """How a person would call it, e.g. ``drift prod+dr``."""
        return f"{self.playbook} {'+'.join(self.inventories)}{' --check' if self.check else ''}"


def drift_away(stand: Platform) -> None:
    """Do to prod and dr what people do by hand: all of it."""
    for drift in DRIFTS:
        drift.inject(stand, EAST if drift.environment == "dr" else WEST)


def lose_west(stand: Platform) -> None:
    """Lose the region of prod, once its replica has everything."""
    stand.control("POST", f"regions/{WEST}", state="down")


def find_west(stand: Platform) -> None:
    """Find it again."""
    stand.control("POST", f"regions/{WEST}", state="up")


def _alone(environment: str, playbook: str, *, status: int = 0, check: bool = False, **extra: Any) -> Step:
    part = "pair" if environment in PAIR else environment
    return Step(part, environment, playbook, (environment,), extra, check, status=status)


def _pair(playbook: str, *, identity: str = "dr", before: Any = lambda _stand: None, **extra: Any) -> Step:
    return Step("pair", identity, playbook, PAIR, extra, before=before)


STEPS: tuple[Step, ...] = (
    _alone("dev", "site", check=True),
    _alone("dev", "site"),
    *(_alone("dev", name) for name in ("network", "cluster", "database", "addons", "drift", "outputs", "cost")),
    _alone("dev", "restore", restore_to="look"),
    _alone("dev", "restore", restore_to="look", restore_state="absent"),
    _alone("dev", "unlock", confirm="dev"),
    _alone("dev", "destroy", confirm="dev", **WITHOUT_PROTECTION),
    _alone("staging", "site", **GROUPS, eks_version="1.35"),
    _alone("staging", "upgrade_cluster", confirm="staging", **GROUPS, eks_version="1.36"),
    _alone("staging", "destroy", confirm="staging", **GROUPS, **WITHOUT_PROTECTION),
    _alone("prod", "site"),
    _alone("dr", "site"),
    _pair("dr_status"),
    Step("pair", "dr", "drift", PAIR, before=drift_away, status=3),
    _alone("prod", "site"),
    _alone("dr", "site"),
    _pair("dr_drill"),
    _pair("dr_switchover", identity="prod", confirm="prod"),
    _pair("dr_activate"),
    _pair("dr_failback", identity="prod", confirm="dr"),
    Step("pair", "dr", "dr_failover", ("dr",), {"confirm": "prod"}, before=lose_west),
    _pair("dr_fence", before=find_west),
    _pair("dr_failback", identity="prod", confirm="prod"),
    _alone("dr", "destroy", confirm="dr", **WITHOUT_PROTECTION),
    _alone("prod", "destroy", confirm="prod", **WITHOUT_PROTECTION),
)
PARTS = ("dev", "staging", "pair")
