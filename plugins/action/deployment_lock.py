# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws, preload
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.lease import Lease, LeaseLost, read_leases
from ansible_collections.pipeops.platform.plugins.module_utils.locking.acquire import NoLock, Wish, acquire, free, look
from ansible_collections.pipeops.platform.plugins.module_utils.locking.table import PATIENCE, LockTable
from ansible_collections.pipeops.platform.plugins.plugin_utils.lease_keeper import Keeper, fork_keeper
from ansible_collections.pipeops.platform.plugins.plugin_utils.run_claim import claim_of
from ansible_collections.pipeops.platform.plugins.plugin_utils.run_life import RunLife, leases_folder

ARGUMENT_SPEC: dict[str, Any] = {
    "state": {"type": "str", "choices": ["held", "free"], "default": "held"},
    "platform": {"type": "str", "default": "pipeops"},
    "environments": {"type": "dict", "required": True},
    "lease_seconds": {"type": "float", "default": 60},
    "wait_seconds": {"type": "float", "default": 0},
    "insist": {"type": "bool", "default": False},
    "without": {"type": "list", "elements": "str", "choices": ["table", "region"], "default": []},
}
#: A lease has to outlast a slow answer.
SHORTEST_LEASE = 5

display = Display()
# Both before the strategy forks its workers: the models, and the sign of life that only the controller can give.
preload(("dynamodb",))
LIFE = RunLife()


class ActionModule(ActionBase):
    """Runs M(pipeops.platform.deployment_lock), in a process that the controller has forked."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        del tmp
        checked = ArgumentSpecValidator({**aws_argument_spec(), **ARGUMENT_SPEC}).validate(dict(self._task.args))
        faults = [*checked.error_messages, *_faults(checked.validated_parameters)]
        if faults:
            return {**result, "failed": True, "msg": "; ".join(faults)}
        options = checked.validated_parameters
        bring = self._free if options["state"] == "free" else self._hold
        try:
            return {**result, "changed": False, **bring(options)}
        except EngineError as error:
            return {**result, "failed": True, "changed": False, "msg": str(error)}

    def _hold(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Take the locks one by one, in the order of their names: two runs can then not wait for each other."""
        result: dict[str, Any] = {"held": {}, "without": {}, "waited_seconds": 0.0}
        if self._task.check_mode:
            return result
        folder = leases_folder()
        folder.mkdir(mode=0o700, exist_ok=True)
        ours = read_leases(folder)
        for environment in sorted(options["environments"]):
            table = _table(options, environment)
            try:
                lease, waited = self._still(ours[environment]) if environment in ours else self._take(options, table)
            except NoLock as missing:
                if missing.reason not in options["without"]:
                    raise EngineError(f"{missing} {_MENDS[missing.reason]}") from missing
                result["without"][environment] = str(missing)
            else:
                result["held"][environment] = {"fencing_token": lease.token, "table": table.name}
                result["waited_seconds"] += round(waited, 1)
        return result

    @staticmethod
    def _still(lease: Lease) -> tuple[Lease, float]:
        """Return a lease that an earlier play of this run has taken."""
        if lease.problem:
            raise LeaseLost(f"This run has lost the deployment lock of {lease.environment}: {lease.problem}.")
        return lease, 0

    def _take(self, options: Mapping[str, Any], table: LockTable) -> tuple[Lease, float]:
        claim, folder = claim_of(LIFE), leases_folder()
        lease, waited = acquire(table, Wish(claim, options["wait_seconds"], options["insist"]), self._report)
        lease.write(folder)
        lapses = "region" in options["without"]
        fork_keeper(
            LIFE,
            # With a client of its own: two processes cannot share a connection.
            lambda: Keeper(LIFE, claim, _table(options, table.environment), lease, folder, lapses=lapses),
        )
        return lease, waited

    def _free(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Free the locks, or in a dry run tell who holds them."""
        holders = {}
        for environment in sorted(options["environments"]):
            table = _table(options, environment)
            try:
                found = look(table) if self._task.check_mode else free(table, claim_of(LIFE), self._report)
            except NoLock as missing:
                raise EngineError(f"{missing} {_MENDS[missing.reason]}") from missing
            if found:
                holders[environment] = {**found.as_dict(), "told": str(found)}
        return {"holders": holders, "changed": bool(holders)}

    def _report(self, text: str) -> None:
        display.display(f"{self._task.get_name()}: {text}")


_MENDS = {
    "table": "Run site.yml for this environment first: it makes the table.",
    "region": "Nothing was changed. Run it again once the region answers.",
}


def _table(options: Mapping[str, Any], environment: str) -> LockTable:
    name = f"{options['platform']}-{environment}-locks"
    region = str(options["environments"][environment])
    patience = 0 if "region" in options["without"] else PATIENCE
    return LockTable(Aws(options), region, environment, name, options["lease_seconds"], patience)


def _faults(options: Mapping[str, Any]) -> list[str]:
    faults = []
    if options.get("lease_seconds", SHORTEST_LEASE) < SHORTEST_LEASE:
        faults.append(f"lease_seconds is {options['lease_seconds']}, and at least {SHORTEST_LEASE} s are needed")
    if os.getpid() == LIFE.pid:
        # Then no sign of life of the controller would reach whoever keeps the lease.
        faults.append("this strategy does not load action plugins in the controller; use linear or free")
    return faults
