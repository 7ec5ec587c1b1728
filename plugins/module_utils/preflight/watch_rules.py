# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alarms, who is told of them, and the shares of the budget: the module would refuse them too, but after an hour."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..engine.errors import EngineError
from ..layers.alarm_rules import DEFAULTS, check_notifications, thresholds
from ..layers.cluster_alarm_rules import CLUSTER_DEFAULTS
from ..resources.budgets_budget import NOTIFICATIONS_MAX
from .inventory import Inventory
from .problems import Problem, nearest, shown

NAMES = (*DEFAULTS, *CLUSTER_DEFAULTS)


def alarms(inventory: Inventory) -> Iterable[Problem]:
    """Thresholds are those of alarms that there are, and numbers."""
    for name, value in inventory.record("alarms_thresholds").items():
        variable = f"alarms_thresholds.{name}"
        if name not in NAMES:
            mend = nearest(str(name), NAMES, "See roles/alarms/README.md for their names.")
            yield Problem(variable, shown(value), "there is no alarm of this name", mend)
            continue
        try:
            thresholds({name: value}, "alarms_thresholds", NAMES)
        except EngineError:
            most = " to 100" if name.endswith("_percent") else " up"
            mend = f"Write a number from 0{most}, or null to have no such alarm."
            yield Problem(variable, shown(value), "no alarm can have this threshold", mend)


def told(inventory: Inventory) -> Iterable[Problem]:
    """Endpoints are of the kind that their protocol takes."""
    for number, item in enumerate(inventory.records("alarms_notifications")):
        try:
            check_notifications([item])
        except EngineError:
            reason = f"it is no endpoint of the protocol {item['protocol']}"
            mend = (
                "Write an address for email, a URL without user and password for https, a number such as +15550100 for "
                "sms, an ARN for others."
            )
            # A URL may have a password in it, or a token.
            value = shown(item["endpoint"], secret=item["protocol"] == "https")
            yield Problem(f"alarms_notifications[{number}].endpoint", value, reason, mend)


def shares(inventory: Inventory) -> Iterable[Problem]:
    """Shares of the budget are told once each, and are no more than AWS tells."""
    names = ("alarms_budget_actual_percent", "alarms_budget_forecast_percent")
    given = {name: inventory.texts(name) for name in names}
    for name, percents in given.items():
        if any(int(percent) < 1 for percent in percents) or len(set(percents)) < len(percents):
            yield inventory.problem(name, "it must hold whole numbers from 1 up, each once", "Write it like [80, 100].")
    if sum(map(len, given.values())) > NOTIFICATIONS_MAX:
        reason = f"a budget tells of {NOTIFICATIONS_MAX} shares at most, with those of {names[1]}"
        yield inventory.problem(names[0], reason, "Leave some out.")


RULES: tuple[Callable[[Inventory], Iterable[Problem]], ...] = (alarms, told, shares)
