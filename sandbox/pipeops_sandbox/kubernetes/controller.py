"""What brings a cluster to life beside Kubernetes' own controllers: nodes, pods that run, volumes, load balancers."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from . import bootstrap, pods, volumes
from .api import Api, ApiError, Object
from .facts import Facts
from .nodes import host_of
from .playing import Part
from .provisioner import NODE_CLASSES, NODE_POOLS, NODES, Provisioner
from .watching import Mirror, key_of

log = logging.getLogger(__name__)
ROUND_SECONDS = 1.0
GATHER_SECONDS = 0.03
"""Changes come in crowds: one round does for all that arrive within so long."""
AGAIN_SECONDS = 2.0
PATHS = {
    "pods": "/api/v1/pods",
    "nodes": NODES,
    "claims": "/api/v1/persistentvolumeclaims",
    "volumes": "/api/v1/persistentvolumes",
    "services": "/api/v1/services",
    "daemonsets": "/apis/apps/v1/daemonsets",
    "storageclasses": "/apis/storage.k8s.io/v1/storageclasses",
    "ingresses": "/apis/networking.k8s.io/v1/ingresses",
    "ingressclasses": "/apis/networking.k8s.io/v1/ingressclasses",
    "nodepools": NODE_POOLS,
    "nodeclasses": NODE_CLASSES,
}


class Controller:
    """Works in a thread of its own, for one cluster.

    Args:
        facts: returns what AWS knows of the cluster, or None if it is gone.
        operators: what the pods of add-ons would do, started and stopped together with this.
    """

    def __init__(self, name: str, api: Api, facts: Callable[[], Facts | None], operators: Sequence[Part] = ()) -> None:
        self._name, self._api, self._facts, self._operators = name, api, facts, operators
        self._bell, self._stopping = threading.Event(), threading.Event()
        self._mirrors = {kind: Mirror(api, path, self._bell) for kind, path in PATHS.items()}
        self._provisioner = Provisioner(api, self._mirrors)
        self._told: dict[str, float] = {}
        self._built_in: tuple[str, ...] | None = None
        self._prepared = False
        self._thread: threading.Thread | None = None

    @property
    def capacity(self) -> bool:
        """Tell whether pods that need a node have one, or would get one."""
        return self._provisioner.capacity

    def count(self) -> dict[str, int]:
        """Return how many nodes and pods there are."""
        return {kind: len(self._mirrors[kind].all()) for kind in ("nodes", "pods")}

    def prepare(self) -> None:
        """Make what every cluster has from its first moment on.

        Raises:
            ApiError: if the server refuses it.
        """
        facts = self._facts()
        if facts and facts.auto_mode:
            bootstrap.prepare(self._api)
            self._prepared = True

    def start(self) -> None:
        """Begin to work."""
        for mirror in self._mirrors.values():
            mirror.start()
        self._thread = threading.Thread(target=self._work, name=f"controller {self._name}", daemon=True)
        self._thread.start()
        for operator in self._operators:
            operator.start()

    def stop(self) -> None:
        """Work no more."""
        self._stopping.set()
        self._bell.set()
        for operator in self._operators:
            operator.stop()
        for mirror in self._mirrors.values():
            mirror.stop()
        if self._thread:
            self._thread.join(ROUND_SECONDS)

    def _work(self) -> None:
        while not self._stopping.is_set():
            self._bell.wait(ROUND_SECONDS)
            if self._stopping.wait(GATHER_SECONDS):
                return
            self._bell.clear()
            try:
                self._round()
            except ApiError as error:
                log.debug("cluster %s: %s", self._name, error)
            except Exception:
                log.exception("cluster %s", self._name)

    def _round(self) -> None:
        facts = self._facts()
        if facts is None or not all(self._mirrors[kind].synced.is_set() for kind in ("pods", "nodes")):
            return
        if facts.auto_mode and not self._prepared:
            # It was switched on later.
            self.prepare()
        if facts.auto_mode and facts.built_in != self._built_in:
            bootstrap.built_in_pools(self._api, facts)
            self._built_in = facts.built_in
        self._keep_pods()
        self._provisioner.round(facts)
        self._keep_volumes(facts)
        self._keep_balancers(facts)

    def _keep_pods(self) -> None:
        """Do a kubelet's part for every pod."""
        nodes = {node["metadata"]["name"]: node for node in self._mirrors["nodes"].all()}
        now = time.monotonic()
        self._told = {key: at for key, at in self._told.items() if now - at < AGAIN_SECONDS}
        for pod in self._mirrors["pods"].all():
            name = pod["spec"].get("nodeName")
            key = f"{pod['metadata']['uid']} {pod['metadata']['resourceVersion']}"
            if not name or key in self._told:
                continue
            path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
            if pod["metadata"].get("deletionTimestamp") or name not in nodes:
                self._told[key] = now
                self._api.delete(path, grace=0)
            elif pods.due(pod):
                self._told[key] = now
                self._api.patch(f"{path}/status", {"status": pods.status_of(pod, host_of(nodes[name]))}, "strategic")

    def _keep_volumes(self, facts: Facts) -> None:
        """Do the EBS driver's part."""
        nodes = {node["metadata"]["name"]: node for node in self._mirrors["nodes"].all()}
        for claim in self._mirrors["claims"].all():
            chosen = self._mirrors["storageclasses"].get(claim["spec"].get("storageClassName") or "")
            if chosen and volumes.wants_volume(claim, chosen, facts.auto_mode):
                node = nodes.get(claim["metadata"].get("annotations", {}).get(volumes.SELECTED_NODE, ""))
                labels = node["metadata"]["labels"] if node else {}
                zone = labels.get("topology.kubernetes.io/zone") or next(iter(facts.subnets.values())).zone
                self._api.create("/api/v1/persistentvolumes", volumes.volume_for(claim, chosen, zone))
        for volume in self._mirrors["volumes"].all():
            if volumes.released(volume):
                self._api.delete(f"/api/v1/persistentvolumes/{volume['metadata']['name']}")

    def _keep_balancers(self, facts: Facts) -> None:
        """Do the load balancer controller's part."""
        for service in self._mirrors["services"].all():
            host = volumes.service_name(service, facts.region, facts.auto_mode)
            if host:
                self._balance(service, "/api/v1", "services", host)
        classes = {key_of(one): one for one in self._mirrors["ingressclasses"].all()}
        for ingress in self._mirrors["ingresses"].all():
            host = volumes.ingress_name(ingress, classes, facts.region, facts.auto_mode)
            if host:
                self._balance(ingress, "/apis/networking.k8s.io/v1", "ingresses", host)

    def _balance(self, item: Object, group: str, kind: str, host: str) -> None:
        metadata = item["metadata"]
        path = f"{group}/namespaces/{metadata['namespace']}/{kind}/{metadata['name']}/status"
        self._api.patch(path, {"status": {"loadBalancer": {"ingress": [{"hostname": host}]}}})
