# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible.module_utils.basic import missing_required_lib
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible_collections.amazon.aws.plugins.module_utils.botocore import HAS_BOTO3
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws, preload, regions
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.preflight.check import Host, Rulebook, Verdict, check
from ansible_collections.pipeops.platform.plugins.module_utils.preflight.problems import Problem, report, shown
from ansible_collections.pipeops.platform.plugins.module_utils.preflight.specs import Specs
from ansible_collections.pipeops.platform.plugins.plugin_utils.environments import COLLECTION, filled, specs_of
from ansible_collections.pipeops.platform.plugins.plugin_utils.programs import find

ARGUMENT_SPEC: dict[str, Any] = {
    "required": {"type": "list", "elements": "str", "default": []},
    "helm": {"type": "str", "default": ""},
}
#: The variable by which another host of the play is known to be an environment.
ENVIRONMENT = "platform_environment"


def collection_specs() -> Specs:
    """Return the variables of all roles of this collection."""
    return specs_of(COLLECTION)


# Loaded before the workers are forked, so that none of them has to read this again.
preload(("sts",))
collection_specs()
regions()


class ActionModule(ActionBase):
    """Runs M(pipeops.platform.preflight), in the controller's process, where the variables of all hosts are."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        del tmp
        variables = task_vars or {}
        checked = ArgumentSpecValidator({**aws_argument_spec(), **ARGUMENT_SPEC}).validate(dict(self._task.args))
        faults = checked.error_messages if HAS_BOTO3 else [missing_required_lib("boto3 and botocore")]
        if faults:
            return {**result, "failed": True, "msg": "; ".join(faults)}
        options = checked.validated_parameters
        rules = Rulebook(collection_specs(), options["required"], regions())
        host = self._host(str(variables["inventory_hostname"]), variables)
        try:
            verdict = check(host, self._others(host, variables), rules, lambda region: _connect(options, region))
        except EngineError as error:
            message = f"The inventory of {host.name} could not be held against AWS. Nothing was changed.\n{error}"
            return {**result, "changed": False, "failed": True, "msg": message, "problems": []}
        return {**result, "changed": False, **_outcome(host.name, verdict, [*_programs(options["helm"])])}

    def _others(self, host: Host, variables: Mapping[str, Any]) -> Iterable[Host]:
        for name in variables.get("ansible_play_hosts_all", ()):
            if name != host.name and ENVIRONMENT in variables["hostvars"][name]:
                yield self._host(str(name), variables["hostvars"][name])

    def _host(self, name: str, variables: Mapping[str, Any]) -> Host:
        """Fill in the templates of the variables that steer the platform; all others are nobody's business."""
        return Host(name, *filled(variables, self._templar.template, collection_specs()))


def _connect(options: Mapping[str, Any], region: str) -> Aws:
    return Aws({**options, "region": region})


def _programs(helm: str) -> Iterator[Problem]:
    """Yield what this machine lacks."""
    if helm and find(helm) is None:
        reason = "add-ons are installed by Helm 3, and there is no such program on this machine"
        mend = (
            "Install it (helm.sh/docs/intro/install), set cluster_addons_helm to its path, or leave the inside of the "
            "cluster alone with platform_kubernetes_enabled: false."
        )
        yield Problem("cluster_addons_helm", shown(helm), reason, mend)


def _outcome(host: str, verdict: Verdict, missing: Sequence[Problem]) -> dict[str, Any]:
    problems = [*verdict.problems, *missing]
    if problems:
        return {"failed": True, "msg": report(host, problems), "problems": [problem.as_dict() for problem in problems]}
    return {"problems": [], "facts": verdict.facts.as_dict() if verdict.facts else {}}
