# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""With an environment the servers behind it end: PostgreSQL and Kubernetes. Its cluster is drained first."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Patience, wait_until
from ansible_collections.pipeops.platform.plugins.module_utils.kube.api import Api, Cluster
from pipeops_sandbox.kubernetes import programs

from tests.destroy.conftest import QUICK, Doomed
from tests.platform_runs import ROOT

pytestmark = pytest.mark.thorough

SERVERS = frozenset({"postgres", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"})
KEYS = {"access_key": "operator", "secret_key": "operator", "region": "us-west-2"}
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
}


class Served(Doomed):
    """A sandbox with servers, and what is inside clusters managed."""

    place: Path

    def environment(self, **more: str) -> dict[str, str]:
        """Return the process environment that leads to it."""
        return super().environment(**{"PIPEOPS_KUBERNETES_ENABLED": "true", **more})

    def running(self) -> list[str]:
        """Return the command line of each server that the sandbox runs."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                directory = str((entry / "cwd").readlink())
            except OSError:
                # It has ended meanwhile, or is somebody else's.
                continue
            if Path(words[0]).name in SERVERS and directory.startswith(str(self.place)):
                found.append(" ".join(words))
        return found

    def api(self) -> Api:
        """Return the way into the cluster of dev."""
        shown = self.client("eks").describe_cluster(name="pipeops-dev")["cluster"]
        cluster = Cluster("pipeops-dev", shown["endpoint"], shown["certificateAuthority"]["data"])
        return Api(Aws({**KEYS, "endpoint_url": self.url, "wait_timeout": 60, "wait_delay": 0.2}), cluster)


@pytest.fixture
def served() -> Iterator[Served]:
    if programs.found() is None:
        pytest.skip("no programs of Kubernetes: python -m pipeops_sandbox kubernetes build")
    os.environ["PATH"] = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    place = Path(tempfile.mkdtemp(prefix="destroy-"))
    # The servers' account has to get in.
    place.chmod(0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    words = ["serve", f"--port={port}", f"--state-dir={place}", "--data-plane=all", "--profile=instant"]
    # Beside the test, and not by "up", which waits for half a minute only.
    server = subprocess.Popen([sys.executable, "-m", "pipeops_sandbox", *words], cwd=ROOT)
    stand = Served(f"http://127.0.0.1:{port}")
    stand.place = place

    def answers() -> tuple[bool | None, str]:
        try:
            stand.control("GET", "health")
        except requests.RequestException as error:
            return None, str(error)
        return True, ""

    try:
        wait_until(answers, "the sandbox", 5, Patience(timeout=180, delay=0.5), lambda _text: None)
        yield stand
    finally:
        server.terminate()
        server.wait(timeout=60)
        shutil.rmtree(place, ignore_errors=True)


def test_the_servers_end_with_their_environment(served: Served) -> None:
    # The add-ons are not needed for this, and take minutes.
    first = served.playbook("dev", extra={**QUICK, "platform_kubernetes_enabled": False})
    assert first.status == 0, first.output[-3000:]
    assert {Path(line.split()[0]).name for line in served.running()} == SERVERS
    served.api().apply("/api/v1/namespaces/default/services/web", SERVICE, dry_run=False)
    done = served.destroy("dev")
    assert done.status == 0, done.output[-3000:]
    assert "delete/Service/default/web" in done.actions("dev")
    assert served.standing("dev") == []
    assert served.running() == []
    assert served.control("GET", "kubernetes")["clusters"] == []
