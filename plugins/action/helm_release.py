# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.lease import bind, insist
from ansible_collections.pipeops.platform.plugins.module_utils.kube.api import CLUSTER_ARGUMENT_SPEC, Api, Cluster
from ansible_collections.pipeops.platform.plugins.module_utils.kube.charts import chart_of
from ansible_collections.pipeops.platform.plugins.module_utils.kube.manifests import Name, action, manifests_of
from ansible_collections.pipeops.platform.plugins.module_utils.kube.objects import Order, carry_out
from ansible_collections.pipeops.platform.plugins.module_utils.kube.passing import is_passing
from ansible_collections.pipeops.platform.plugins.module_utils.kube.releases import (
    Revision,
    forget,
    is_installed,
    revisions,
    stale,
    stands,
    unready,
)
from ansible_collections.pipeops.platform.plugins.plugin_utils.programs import find
from ansible_collections.pipeops.platform.plugins.plugin_utils.run_life import leases_folder

ARGUMENT_SPEC: dict[str, Any] = {
    **CLUSTER_ARGUMENT_SPEC,
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "chart": {"type": "str"},
    "repo_url": {"type": "str"},
    "version": {"type": "str"},
    "values": {"type": "dict", "default": {}},
    "crds": {"type": "bool", "default": False},
    "history_max": {"type": "int", "default": 3},
    "helm": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
KIND = "HelmRelease"
#: Seconds that a release usually takes until all of its pods are ready.
USUALLY = 60
#: How often a release is taken up again that a server going away has interrupted.
RETRIES = 3
#: What kubernetes.core.helm says wherever helm-diff is not installed. Here it is not wanted.
NOT_NEEDED = "The default idempotency check"

display = Display()


class Interrupted(EngineError):
    """The API server went away while Helm worked. What is left of it is taken up by the next try."""


@dataclass
class Tried:
    """What tries before have begun.

    Attributes:
        times: how many were interrupted.
        verb: what they may have done already without having seen it: it counts as done by this task.
    """

    times: int = 0
    verb: str = ""


class ActionModule(ActionBase):
    """Runs M(pipeops.platform.helm_release), by M(kubernetes.core.helm)."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        del tmp
        validator = ArgumentSpecValidator(
            {**aws_argument_spec(), **ARGUMENT_SPEC}, required_if=[("state", "present", ("chart",))]
        )
        checked = validator.validate(dict(self._task.args))
        if checked.error_messages:
            return {**result, "failed": True, "msg": "; ".join(checked.error_messages)}
        bind(leases_folder())
        try:
            return {**result, **self._manage(checked.validated_parameters, task_vars or {})}
        except EngineError as error:
            return {**result, "failed": True, "changed": False, "msg": str(error)}

    def _manage(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        cluster = Cluster.from_params(options)
        if cluster.is_planned and self._task.check_mode:
            return _told(options, "create" if options["state"] == "present" else "", [])
        cluster.insist_that_it_stands()
        api = Api(Aws(options, lambda text: display.display(f"{self._task.get_name()}: {text}")), cluster)
        work = self._remove if options["state"] == "absent" else self._bring
        tried = Tried()
        while True:
            found = revisions(api, options["namespace"], options["name"])
            try:
                return work(options, api, found, task_vars, tried)
            except Interrupted as error:
                tried.times += 1
                if tried.times > RETRIES:
                    raise
                display.display(f"{self._task.get_name()}: Trying again: {error}")
                # Comes back as soon as the server answers, or fails with words of its own.
                api.get("/readyz")

    def _bring(
        self, options: dict[str, Any], api: Api, found: list[Revision], task_vars: dict[str, Any], tried: Tried
    ) -> dict[str, Any]:
        left, upgrade = stale(found), is_installed(found)
        verb = tried.verb or ("update" if upgrade else "create")
        if left and self._task.check_mode:
            return _told(options, verb, left)
        forget(api, options["namespace"], left)
        if upgrade and self._is_as_wanted(options, api, found, task_vars):
            return _told(options, verb if left or tried.verb else "", left)
        if self._task.check_mode:
            return _told(options, verb, left)
        if upgrade and options["crds"]:
            self._renew_crds(options, api)
        tried.verb = verb
        self._helm(options, api, task_vars, check_mode=False, atomic=upgrade)
        return _told(options, verb, left)

    def _is_as_wanted(
        self, options: dict[str, Any], api: Api, found: list[Revision], task_vars: dict[str, Any]
    ) -> bool:
        chart = chart_of(options["chart"], options["version"])
        if chart and stands(api, options["namespace"], found[-1], chart, options["values"]):
            return True
        return not self._helm(options, api, task_vars, check_mode=True)["changed"]

    def _remove(
        self, options: dict[str, Any], api: Api, found: list[Revision], task_vars: dict[str, Any], tried: Tried
    ) -> dict[str, Any]:
        if not found:
            return _told(options, tried.verb, [])
        if not self._task.check_mode:
            tried.verb = "delete"
            # Of a release that was never finished Helm removes what its last revision tells of.
            self._helm(options, api, task_vars, check_mode=False)
        return _told(options, "delete", [])

    def _helm(
        self, options: Mapping[str, Any], api: Api, task_vars: dict[str, Any], *, check_mode: bool, atomic: bool = False
    ) -> dict[str, Any]:
        """Run kubernetes.core.helm, and return its result without what it tells of values and commands.

        Raises:
            Interrupted: if the server went away meanwhile, or took the token no more.
            EngineError: with what Helm said, and what is not ready in the namespace.
        """
        program = _helm(options["helm"])
        if not check_mode:
            insist(f"{_subject(options)} in {api.where}")
        with self._place(api, check_mode) as authority:
            done: dict[str, Any] = self._execute_module(
                module_name="kubernetes.core.helm",
                module_args={**_arguments(options, program, atomic), "host": api.cluster.endpoint, "ca_cert": authority}
                | {"api_key": api.fresh_token()},
                task_vars=task_vars,
            )
        if done.get("failed"):
            said = str(done.get("stderr") or done.get("msg") or "no reason given").strip()
            if is_passing(said, api.cluster.endpoint):
                raise Interrupted(f"{_subject(options)} in {api.where} was interrupted: {said}")
            lines = unready(api, options["namespace"]) if not check_mode else []
            raise EngineError("\n".join([f"{_subject(options)} in {api.where} failed: {said}", *lines]))
        for warning in done.get("warnings") or []:
            if NOT_NEEDED not in str(warning):
                display.warning(str(warning))
        return {"changed": bool(done.get("changed"))}

    @contextmanager
    def _place(self, api: Api, check_mode: bool) -> Iterator[str]:
        """Prepare a run of the module: the file with certificates, and surroundings without plugins and kubeconfig."""
        task = self._task
        before = task.check_mode, task.environment
        with tempfile.TemporaryDirectory(prefix="pipeops-helm-") as folder:
            authority = Path(folder) / "authority.pem"
            authority.write_text(api.cluster.pem(), "ascii")
            task.check_mode = check_mode
            task.environment = [*(before[1] or []), {"HELM_PLUGINS": folder, "KUBECONFIG": "/dev/null"}]
            try:
                yield str(authority)
            finally:
                task.check_mode, task.environment = before

    def _renew_crds(self, options: Mapping[str, Any], api: Api) -> None:
        """Apply the CRDs of the chart's folder, which Helm itself only ever installs."""
        command = [_helm(options["helm"]), "show", "crds", options["chart"], *_source(options)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - no shell
        if done.returncode:
            raise EngineError(f"The CRDs of {_subject(options)} could not be read: {done.stderr.strip()}")
        order = Order(
            f"crds-{options['name']}", manifests_of(done.stdout), conditions={"CustomResourceDefinition": "Established"}
        )
        carry_out(api, order, check_mode=False, progress=display.display)


def _helm(program: str | None) -> str:
    """Return the path of Helm 3.

    Raises:
        EngineError: if there is none, or it is of another major version.
    """
    path = find(program or "helm")
    if path is None:
        raise EngineError(
            f"There is no program {program or 'helm'}. Install Helm 3 (helm.sh/docs/intro/install), or set "
            "cluster_addons_helm to its path."
        )
    command = [path, "version", "--template", "{{ .Version }}"]
    said = subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()  # noqa: S603 - no shell
    if not said.startswith("v3."):
        raise EngineError(
            f"{path} is Helm {said or 'of unknown version'}, and Helm 3 is needed. Set cluster_addons_helm."
        )
    return path


def _arguments(options: Mapping[str, Any], program: str, atomic: bool) -> dict[str, Any]:
    common = {
        "release_name": options["name"],
        "release_namespace": options["namespace"],
        "binary_path": program,
        "wait": True,
    }
    if options["state"] == "absent":
        return {**common, "release_state": "absent", "wait_timeout": f"{options['wait_timeout']}s"}
    optional = {"chart_repo_url": options["repo_url"], "chart_version": options["version"]}
    return {
        **common,
        **{name: value for name, value in optional.items() if value},
        "chart_ref": options["chart"],
        "release_values": options["values"],
        "history_max": options["history_max"],
        "timeout": f"{options['wait_timeout']}s",
        "atomic": atomic,
    }


def _source(options: Mapping[str, Any]) -> list[str]:
    repository = ["--repo", options["repo_url"]] if options["repo_url"] else []
    return repository + (["--version", options["version"]] if options["version"] else [])


def _subject(options: Mapping[str, Any]) -> str:
    return f"Helm release {options['namespace']}/{options['name']}"


def _told(options: Mapping[str, Any], verb: str, left: list[Revision]) -> dict[str, Any]:
    """Return the task's result: one action, or none."""
    name = Name("", KIND, options["namespace"], options["name"])
    actions = [{**action(verb, name, [], USUALLY), "label": "Helm release"}] if verb else []
    return {
        "changed": bool(actions),
        "actions": actions,
        "recovered": [f"{revision.number} {revision.status}" for revision in left],
    }
