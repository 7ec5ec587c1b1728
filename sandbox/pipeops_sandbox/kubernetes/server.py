"""The processes of one cluster: etcd, kube-apiserver, and the controllers that make objects come true."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from .api import Api
from .pki import Pki
from .programs import Programs

log = logging.getLogger(__name__)
START_SECONDS = 90.0
"""A server takes some five seconds; on a machine that is busy with other things much longer."""
STOP_SECONDS = 5.0
LOG_BYTES = 20_000_000
ETCD_SOCKET = "etcd.sock"
NO_NODE_HEARTBEATS = "87600h"


class ServerFailed(Exception):
    """A process of a cluster did not come up; the message has the end of its log."""


class KubeServer:
    """A control plane in a directory.

    Args:
        directory: holds ``pki``, ``etcd``, logs and the ids of the processes.
        webhook: the URL below which the sandbox answers the server's questions about this cluster.
        issuer: of the cluster's service account tokens.
    """

    def __init__(self, directory: Path, programs: Programs, webhook: str, issuer: str) -> None:
        self.directory = directory
        self.pki = Pki(directory / "pki")
        self._programs, self._webhook, self._issuer = programs, webhook, issuer
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._closing = threading.Event()
        self.port = 0

    @property
    def running(self) -> bool:
        """Tell whether all processes of it stand."""
        return bool(self._processes) and all(process.poll() is None for process in self._processes.values())

    def api(self) -> Api:
        """Return the sandbox's own way in, past the endpoint and whatever keeps clients from it."""
        return Api("127.0.0.1", self.port, self.pki)

    def start(self, version: str, service_cidr: str) -> None:
        """Start everything, and return when the API is ready.

        Args:
            version: the cluster's, e.g. ``1.36``: an older one than the programs' is emulated.

        Raises:
            ServerFailed: if it does not become ready.
        """
        self._closing.clear()
        deadline = time.monotonic() + START_SECONDS
        (self.directory / "etcd").mkdir(mode=0o700, parents=True, exist_ok=True)
        for socket_file in (ETCD_SOCKET, "peers.sock"):
            (self.directory / socket_file).unlink(missing_ok=True)
        self._run("etcd", self._etcd_words())
        self._await((self.directory / ETCD_SOCKET).exists, "etcd", deadline)
        self.port = _free_port()
        self._run("kube-apiserver", self._apiserver_words(version, service_cidr))
        api = self.api()
        self._await(api.ready, "kube-apiserver", deadline)
        self._run("kube-controller-manager", self._controller_words(version, service_cidr))
        self._run("kube-scheduler", self._scheduler_words())

    def _await(self, condition: Callable[[], bool], name: str, deadline: float) -> None:
        while not condition():
            if self._closing.is_set():
                raise ServerFailed("it is being stopped")
            if self._processes[name].poll() is not None or time.monotonic() > deadline:
                raise ServerFailed(f"{name} did not come up: {self.log_end(name)}")
            time.sleep(0.05)

    def _run(self, name: str, words: list[str]) -> None:
        path = self.directory / f"{name}.log"
        if path.exists() and path.stat().st_size > LOG_BYTES:
            path.unlink()
        own = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.directory), "NO_PROXY": "127.0.0.1"}
        with path.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - programs that we found, arguments of ours
                [self._programs.program(name), *words], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                cwd=self.directory, env=own, start_new_session=True,
            )  # fmt: skip
        self._processes[name] = process
        (self.directory / f"{name}.pid").write_text(f"{process.pid} {started(process.pid)}", "utf-8")

    def _etcd_words(self) -> list[str]:
        # It listens on sockets in its directory only. What it tells others of itself must look like an address.
        nobody = "http://127.0.0.1:1"
        return [
            "--name=default", "--data-dir=etcd", f"--listen-client-urls=unix://{ETCD_SOCKET}",
            f"--advertise-client-urls={nobody}", "--listen-peer-urls=unix://peers.sock",
            f"--initial-advertise-peer-urls={nobody}", f"--initial-cluster=default={nobody}",
            "--unsafe-no-fsync=true", "--log-level=error", "--quota-backend-bytes=2147483648",
        ]  # fmt: skip

    def _apiserver_words(self, version: str, service_cidr: str) -> list[str]:
        pki = self.pki
        return [
            f"--etcd-servers=unix://{ETCD_SOCKET}",
            "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", f"--secure-port={self.port}",
            "--endpoint-reconciler-type=none", f"--service-cluster-ip-range={service_cidr}",
            f"--tls-cert-file={pki.certificate('server')}", f"--tls-private-key-file={pki.key('server')}",
            f"--client-ca-file={pki.ca}", f"--cert-dir={self.directory}",
            f"--service-account-issuer={self._issuer}", f"--api-audiences={self._issuer},sts.amazonaws.com",
            f"--service-account-key-file={pki.account_public}", f"--service-account-signing-key-file={pki.account_key}",
            f"--authentication-token-webhook-config-file={self._webhook_config('authenticate')}",
            "--authentication-token-webhook-version=v1", "--authentication-token-webhook-cache-ttl=1s",
            "--authorization-mode=RBAC,Webhook",
            f"--authorization-webhook-config-file={self._webhook_config('authorize')}",
            "--authorization-webhook-version=v1", "--authorization-webhook-cache-authorized-ttl=1s",
            "--authorization-webhook-cache-unauthorized-ttl=1s",
            # Nothing listens behind a Service here, so webhooks of charts could not be called.
            "--disable-admission-plugins=MutatingAdmissionWebhook,ValidatingAdmissionWebhook,TaintNodesByCondition",
            "--allow-privileged=true", "--profiling=false", "--v=0",
            *self._emulation(version),
        ]  # fmt: skip

    def _emulation(self, version: str) -> list[str]:
        """Let the server be an older one than its program is."""
        major, minor = (int(part) for part in version.split(".")[:2])
        if (major, minor) >= self._programs.minor:
            return []
        return [f"--emulated-version={major}.{minor}"]

    def _controller_words(self, version: str, service_cidr: str) -> list[str]:
        pki = self.pki
        return [
            f"--kubeconfig={self._kubeconfig('controllers')}", "--leader-elect=false", "--secure-port=0",
            f"--service-account-private-key-file={pki.account_key}", f"--root-ca-file={pki.ca}",
            f"--cluster-signing-cert-file={pki.ca}", f"--cluster-signing-key-file={pki.ca_key}",
            f"--service-cluster-ip-range={service_cidr}", "--allocate-node-cidrs=false",
            # Nodes here have no kubelet that says that it lives.
            f"--node-monitor-grace-period={NO_NODE_HEARTBEATS}",
            "--kube-api-qps=300", "--kube-api-burst=500", "--v=0",
            *self._emulation(version),
        ]  # fmt: skip

    def _scheduler_words(self) -> list[str]:
        path = self.directory / "scheduler.json"
        connection = {"kubeconfig": str(self._kubeconfig("scheduler")), "qps": 300, "burst": 500}
        config = {
            "apiVersion": "kubescheduler.config.k8s.io/v1",
            "kind": "KubeSchedulerConfiguration",
            "clientConnection": connection,
            "leaderElection": {"leaderElect": False},
            # What waits for a node is looked at again soon, not after up to ten seconds.
            "podInitialBackoffSeconds": 1,
            "podMaxBackoffSeconds": 2,
        }
        path.write_text(json.dumps(config), "utf-8")
        return [f"--config={path}", "--secure-port=0", "--v=0"]

    def _webhook_config(self, question: str) -> Path:
        path = self.directory / f"{question}.json"
        cluster = {"name": "sandbox", "cluster": {"server": f"{self._webhook}/{question}"}}
        path.write_text(json.dumps(_client_config(cluster, {"name": "kube-apiserver", "user": {}})), "utf-8")
        return path

    def _kubeconfig(self, name: str) -> Path:
        path = self.directory / f"{name}.kubeconfig"
        server = {"server": f"https://127.0.0.1:{self.port}", "certificate-authority": str(self.pki.ca)}
        user = {"client-certificate": str(self.pki.certificate(name)), "client-key": str(self.pki.key(name))}
        config = _client_config({"name": "cluster", "cluster": server}, {"name": name, "user": user})
        path.write_text(json.dumps(config), "utf-8")
        return path

    def stop(self) -> None:
        """End all processes. Only etcd holds anything, so the others are ended at once."""
        self._closing.set()
        for name, process in list(self._processes.items()):
            if name != "etcd":
                process.kill()
        for name, process in list(self._processes.items()):
            if name == "etcd":
                process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            (self.directory / f"{name}.pid").unlink(missing_ok=True)
        self._processes.clear()

    def copy_data(self, target: Path) -> None:
        """Copy what etcd has, as it is at one moment: it is held still meanwhile."""
        target.mkdir(mode=0o700)
        etcd = self._processes.get("etcd")
        held = etcd is not None and etcd.poll() is None
        if etcd and held:
            etcd.send_signal(signal.SIGSTOP)
        try:
            copy_tree(self.directory / "etcd", target / "etcd")
            copy_tree(self.pki.directory, target / "pki")
        finally:
            if etcd and held:
                etcd.send_signal(signal.SIGCONT)

    def log_end(self, name: str) -> str:
        """Return the last lines that a process said."""
        path = self.directory / f"{name}.log"
        if not path.exists():
            return ""
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 2000))
            return file.read().decode("utf-8", "replace").strip()


def copy_tree(source: Path, target: Path) -> None:
    """Copy a directory; etcd's logs are mostly space for what is to come, which is not written out."""
    sparse = ["--sparse=always"] if sys.platform == "linux" else []
    subprocess.run(["/bin/cp", "-a", *sparse, str(source), str(target)], check=True)  # noqa: S603 - paths of ours


def _client_config(cluster: Mapping[str, object], user: Mapping[str, object]) -> dict[str, object]:
    context = {"name": "only", "context": {"cluster": cluster["name"], "user": user["name"]}}
    return {
        "apiVersion": "v1", "kind": "Config", "clusters": [cluster], "users": [user], "contexts": [context],
        "current-context": "only",
    }  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def started(pid: int) -> float:
    """Return when a process began, which with its id names it for good; 0 if there is none."""
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return 0.0


def tidy(clusters: Path) -> int:
    """End what is left of the processes below a directory; return how many there were."""
    ended = 0
    for path in clusters.glob("*/*.pid"):
        pid, _, began = path.read_text("utf-8").partition(" ")
        if pid.isdigit() and began and abs(started(int(pid)) - float(began)) < 0.5:
            os.kill(int(pid), signal.SIGKILL)
            ended += 1
        path.unlink(missing_ok=True)
    return ended
