# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a job of a workflow on this machine: its steps in order, with what GitHub would give them.

Commands run as they stand. Of the actions of others, a checkout is the one that the test is in, the tools are there
already, signing in to AWS gives credentials of the sandbox, and artifacts are kept in a folder. Expressions are looked
up in a table that the test gives; one that is not in it fails the test.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.platform_runs import Platform

ROOT = Path(__file__).parents[2]
EXPRESSION = re.compile(r"\$\{\{ (.*?) \}\}")
#: Conditions of steps that run after one that failed, too.
ALWAYS = ("${{ !cancelled() }}", "${{ always() }}")


@dataclass
class Runner:
    """A machine of GitHub's.

    Attributes:
        folder: for what GitHub keeps: artifacts and the summary.
        expressions: what each expression is.
        aws: the variables that whoever has signed in to AWS has.
        variables: those that every step has.
        signed_in: as which role, and where.
    """

    folder: Path
    expressions: dict[str, str] = field(default_factory=dict)
    aws: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    signed_in: tuple[str, str] | None = None
    output: str = ""

    @property
    def summary(self) -> str:
        path = self.folder / "summary.md"
        return path.read_text("utf-8") if path.exists() else ""

    def artifact(self, name: str) -> Path:
        return self.folder / "artifacts" / name

    def run(self, workflow: str, job: str) -> bool:
        """Run a job and return whether it passed."""
        whole = yaml.safe_load((ROOT / ".github" / "workflows" / f"{workflow}.yml").read_text("utf-8"))
        passed = True
        for step in whole["jobs"][job]["steps"]:
            condition = step.get("if")
            assert condition in (None, *ALWAYS), condition
            if passed or condition:
                passed &= self._use(step) if "uses" in step else self._command(step)
        return passed

    def resolve(self, text: Any) -> str:
        """Return a text with its expressions looked up."""
        return EXPRESSION.sub(lambda found: self.expressions[found[1]], str(text))

    def _command(self, step: dict[str, Any]) -> bool:
        own = {name: self.resolve(value) for name, value in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=ROOT,
            env={**self._base(), **own},
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output += f"\n$ {step['run']}\n{done.stdout}"
        return done.returncode == 0

    def _base(self) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GITHUB_", "PIPEOPS_"))
        }
        own = {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md")}
        return {**kept, **own, **self.variables, **(self.aws if self.signed_in else {})}

    def _use(self, step: dict[str, Any]) -> bool:
        name = step["uses"].partition("@")[0]
        options = {key: self.resolve(value) for key, value in step.get("with", {}).items()}
        if name == "aws-actions/configure-aws-credentials":
            self.signed_in = options["role-to-assume"], options["aws-region"]
        elif name == "actions/upload-artifact":
            return self._upload(options)
        elif name == "actions/download-artifact":
            shutil.copytree(self.artifact(options["name"]), ROOT / options["path"], dirs_exist_ok=True)
        else:
            assert name in ("actions/checkout", "./.github/actions/tools"), name
        return True

    def _upload(self, options: dict[str, str]) -> bool:
        target = self.artifact(options["name"])
        target.mkdir(parents=True)
        for path in (ROOT / line for line in options["path"].split()):
            if path.is_dir():
                shutil.copytree(path, target / path.name)
            elif path.exists():
                shutil.copy(path, target)
        return True


def deployer(runner: Runner, stand: Platform, environment: str) -> Runner:
    """Let a runner sign in to the sandbox for an environment."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL", "AWS_EC2_METADATA_DISABLED")
    whole = stand.environment()
    runner.aws = {name: whole[name] for name in names}
    runner.variables |= {name: value for name, value in whole.items() if name.startswith("PIPEOPS_")}
    # Reports go where the job looks for them.
    runner.variables.pop("PIPEOPS_REPORT_DIR", None)
    role = f"arn:aws:iam::123456789012:role/pipeops/{environment}/deploy/pipeops-{environment}-deploy"
    runner.expressions |= {
        "inputs.environment": environment,
        "matrix.environment": environment,
        "vars.AWS_ROLE_ARN": role,
        "vars.AWS_REGION": "us-west-2",
    }
    return runner
