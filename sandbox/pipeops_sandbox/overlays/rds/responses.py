"""RDS's query API: moto parses and serialises, the operations are all ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult, BaseResponse

from pipeops_sandbox.runtime import runtime

from . import (
    deletion,
    instances,
    modify,
    notices,
    offers,
    parameters,
    replicas,
    replication,
    restores,
    snapshots,
    subnets,
    subscriptions,
    tags,
)
from .call import Call
from .lifecycle import settle

Operation = Callable[[Call], dict[str, Any]]

MODULES = (
    deletion, instances, modify, notices, offers, parameters, replicas, replication, restores, snapshots, subnets,
    subscriptions, tags,
)  # fmt: skip

PREFIXES = ("create_", "describe_", "modify_", "delete_", "reboot_", "start_", "stop_", "promote_", "switchover_",
            "restore_", "copy_", "reset_", "add_", "remove_", "list_")  # fmt: skip


class RdsResponse(BaseResponse):
    """Answers for RDS. Its operations are bound to it below, one method each, as moto looks them up."""

    def __init__(self) -> None:
        super().__init__(service_name="rds")
        self.automated_parameter_parsing = True

    def run(self, operation: Operation) -> ActionResult:
        """Bring all instances to the present, then run an operation."""
        now = runtime.clock.now()
        settle(self.current_account, now)
        call = Call(self.current_account, self.region, self.params, now)
        return ActionResult(operation(call))


def operations() -> dict[str, Operation]:
    """Return the operations by the name moto looks them up with."""
    return {
        name: function
        for module in MODULES
        for name, function in vars(module).items()
        if name.startswith(PREFIXES) and getattr(function, "__annotations__", {}).get("call") == "Call"
    }


def _method(operation: Operation) -> Callable[[RdsResponse], ActionResult]:
    return lambda self: self.run(operation)


for _name, _operation in operations().items():
    setattr(RdsResponse, _name, _method(_operation))
