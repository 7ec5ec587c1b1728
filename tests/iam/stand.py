# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sandbox that enforces IAM, on which playbooks run under the deploy identities of their environments."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config

from tests.iam.scenario import QUICK, Step
from tests.platform_runs import ROOT, Platform, Run

ACCOUNT = "123456789012"
ISSUER = "https://token.actions.githubusercontent.com"


class Stand(Platform):
    """The sandbox, and who runs the next command: the administrator, until a deploy identity is taken on."""

    def __init__(self, url: str, reports: Path) -> None:
        super().__init__(url)
        self.reports = reports
        self.credentials: dict[str, str] = {}
        self.dns = str(self.control("GET", "health")["dns"])

    def environment(self, **more: str) -> dict[str, str]:
        """Return the process environment that leads to the sandbox, as whoever runs the command."""
        own = {"PIPEOPS_REPORT_DIR": str(self.reports)}
        if self.dns:
            own["PIPEOPS_DNS_SERVERS"] = self.dns
        return super().environment(**{**own, **self.credentials, **more})

    def run(self, step: Step) -> Run:
        """Run a step of the scenario as whoever it is the part of."""
        self.become(step.identity)
        playbook = f"playbooks/{step.playbook}.yml"
        return self.playbook(*step.inventories, check=step.check, playbook=playbook, extra={**QUICK, **step.extra})

    def provide(self, *environments: str) -> None:
        """Have the administrator make the deploy identities of environments."""
        self.credentials = {}
        for name in environments:
            made = self.playbook(name, playbook="playbooks/ci_access.yml", extra=QUICK)
            assert made.status == 0, made.output[-3000:]

    def enforce(self) -> None:
        """Hold everybody but the administrator to their policies."""
        self.control("POST", "iam", enforced=True)

    def become(self, environment: str) -> None:
        """Sign in as a job of GitHub that runs for an environment: with its token, and nothing else."""
        client = boto3.client("sts", "us-west-2", endpoint_url=self.url, config=Config(signature_version=UNSIGNED))
        name = f"pipeops-{environment}-deploy"
        keys = client.assume_role_with_web_identity(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/pipeops/{environment}/deploy/{name}",
            RoleSessionName="pipeline",
            WebIdentityToken=token(f"repo:pipeops/platform:environment:{environment}"),
        )["Credentials"]
        self.credentials = {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }

    def asked(self) -> Counter[str]:
        """Return how often each IAM action has been asked for."""
        found: Counter[str] = Counter()
        for row in self.control("GET", "iam")["asked"]:
            found[row["action"]] += row["times"]
        return found

    def refused(self) -> list[dict[str, Any]]:
        """Return what was refused."""
        return list(self.control("GET", "iam")["refused"])


def token(subject: str) -> str:
    """Return a token as GitHub gives it to a job, but for the signature."""
    claims = {"iss": ISSUER, "aud": "sts.amazonaws.com", "sub": subject}
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, claims)]
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), "c2lnbmF0dXJl"])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def stand() -> Iterator[Stand]:
    """Start a sandbox in a directory that the servers' account can enter, for as long as the block runs."""
    os.environ["PATH"] = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    directory, port = Path(tempfile.mkdtemp(prefix="iam-")), _free_port()
    directory.chmod(0o755)

    def sandbox(*words: str) -> None:
        command = [sys.executable, "-m", "pipeops_sandbox", *words, "--port", str(port)]
        subprocess.run(command, cwd=directory, check=True, capture_output=True, timeout=120)

    try:
        sandbox("up", "--data-plane", "postgres")
        yield Stand(f"http://127.0.0.1:{port}", directory / "reports")
    finally:
        sandbox("down")
        shutil.rmtree(directory)
