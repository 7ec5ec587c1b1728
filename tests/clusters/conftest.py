# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""dev on a sandbox with Kubernetes API servers, stood up once for all tests."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.kube.api import Api, Cluster
from pipeops_sandbox.kubernetes import programs

from tests.platform_runs import ROOT, Platform, Run

KEYS = {"access_key": "operator", "secret_key": "operator"}


class Clusters(Platform):
    """A sandbox whose EKS clusters are API servers."""

    def environment(self, **more: str) -> dict[str, str]:
        """Return the process environment that leads to it, with its charts and the program helm."""
        have = programs.found()
        assert have is not None
        own = {
            "PIPEOPS_KUBERNETES_ENABLED": "true",
            "PIPEOPS_CHART_SOURCE": str(ROOT / "sandbox" / "charts"),
            "PATH": f"{Path(have.paths['helm']).parent}{os.pathsep}{os.environ['PATH']}",
        }
        return super().environment(**own, **more)

    def addons(self, check: bool = False, **variables: Any) -> Run:
        """Run the playbook of the add-ons for dev."""
        return self.playbook("dev", check=check, playbook="playbooks/addons.yml", extra=variables)

    def api(self, name: str = "pipeops-dev", region: str = "us-west-2") -> Api:
        """Return the way to a cluster, in the name of the one who stood it up."""
        shown = self.client("eks", region).describe_cluster(name=name)["cluster"]
        cluster = Cluster(name, shown["endpoint"], shown["certificateAuthority"]["data"])
        keys = {**KEYS, "region": region, "endpoint_url": self.url, "wait_timeout": 30, "wait_delay": 0.2}
        return Api(Aws(keys), cluster)


@pytest.fixture(scope="session")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clusters]:
    if programs.found() is None:
        pytest.skip("no programs of Kubernetes: python -m pipeops_sandbox kubernetes build")
    os.environ["PATH"] = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sandbox = [sys.executable, "-m", "pipeops_sandbox"]
    place = tmp_path_factory.mktemp("sandbox")
    start = [*sandbox, "up", f"--port={port}", f"--state-dir={place}", "--data-plane=kubernetes", "--profile=instant"]
    subprocess.run(start, check=True, cwd=ROOT)
    try:
        yield Clusters(f"http://127.0.0.1:{port}")
    finally:
        subprocess.run([*sandbox, "down", f"--port={port}"], check=False, cwd=ROOT)


@pytest.fixture(scope="session")
def dev(stand: Clusters) -> tuple[Clusters, Run, Run]:
    """Stand up dev, and return what was announced and what was done."""
    announced = stand.playbook("dev", check=True)
    return stand, announced, stand.playbook("dev")
