"""The data plane of EKS: an API server for each cluster, brought up and down as the control plane tells."""

from __future__ import annotations

import dataclasses
import ipaddress
import logging
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from moto.secretsmanager.exceptions import SecretsManagerClientError
from moto.secretsmanager.models import secretsmanager_backends

from pipeops_sandbox.clock import Timeline
from pipeops_sandbox.overlays.eks.control_plane import Identity, NoDataPlane, oidc_issuer
from pipeops_sandbox.overlays.eks.state import Cluster, ControlPlane, EksState
from pipeops_sandbox.postgres.addresses import free_address
from pipeops_sandbox.postgres.network import Door
from pipeops_sandbox.postgres.wiring import Wiring
from pipeops_sandbox.runtime import runtime

from . import build, programs, webhooks
from .controller import Controller
from .facts import Facts, facts_of
from .gitops import ArgoCd
from .operators import Operators
from .pki import Pki
from .records import Record, stored
from .rollouts import Rollouts
from .seats import Seat
from .server import KubeServer, copy_tree, tidy
from .tokens import VALID_SECONDS

log = logging.getLogger(__name__)
PORT = 6443
"""Of every endpoint, each on a loopback address of its own: so it is free after a restart, whatever else runs here."""
BUILD_POLL_SECONDS = 1.0
TIDY_POLL_SECONDS = 0.2


class KubernetesPlane:
    """Keeps a control plane for each cluster.

    Args:
        state_dir: the sandbox's; all data are below its ``kubernetes``.
        lock: the one around the emulated AWS. Work in the background takes it for moments only.
        owner: the account id.
        down: the Regions that are down, kept by the sandbox.
        url: of the sandbox, for the questions that API servers ask it.
    """

    def __init__(self, state_dir: Path, lock: threading.RLock, owner: str, down: set[str], url: str) -> None:
        self.place = state_dir / "kubernetes"
        self._clusters, self._snapshots = self.place / "clusters", self.place / "snapshots"
        self._clusters.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock, self._owner, self._down, self._url = lock, owner, down, url
        self._wiring = Wiring(self.place, "pipeops_sandbox.kubernetes.keeper")
        # Taken before the lock and never inside it: whoever looked last also tells last.
        self._order = threading.Lock()
        self._wired = False
        self._stopping, self._tidied = threading.Event(), threading.Event()
        self._enders = ThreadPoolExecutor(4, thread_name_prefix="eks-ending")
        self._ending: list[Future[None]] = []
        self.seats: dict[str, Seat] = {}

    # What the control plane tells. It holds the lock, so nothing here waits.

    def launch(self, identity: Identity, created_at: float, service_cidr: str) -> ControlPlane:
        """Choose the endpoint, make the certificates, and begin to start the processes.

        Without programs, and nobody who builds them, the cluster gets a name to which nothing answers.
        """
        if not any(build.look()):
            return NoDataPlane().launch(identity, created_at, service_cidr)
        number = identity.hex_id.lower()
        address = free_address(self.place, [seat.record.address for seat in self.seats.values()], [PORT])
        record = Record(number, identity.region, identity.name, address, oidc_issuer(identity))
        host = f"{identity.hex_id}.gr7.{identity.region}.eks.amazonaws.com"
        first = str(next(ipaddress.ip_network(service_cidr).hosts()))
        directory = self._clusters / number
        shutil.rmtree(directory, ignore_errors=True)
        authority = Pki(directory / "pki").make([host.lower()], [address, first])
        seat = self._take(record)
        seat.submit(lambda: self._start(seat))
        return ControlPlane(f"https://{address}:{PORT}", authority, record.issuer)

    def ready(self, cluster: Cluster) -> bool:
        """Tell whether nothing is under way for the cluster."""
        seat = self._seat(cluster)
        return seat is None or not seat.busy

    def trouble(self, cluster: Cluster) -> str:
        """Return why the control plane does not stand, if it does not."""
        seat = self._seat(cluster)
        return seat.trouble if seat else ""

    def upgraded(self, cluster: Cluster) -> None:
        """Let the servers be of the cluster's version."""
        self.restart(cluster)

    def restart(self, cluster: Cluster) -> None:
        """Start again, with the version that the cluster has now."""
        seat = self._seat(cluster)
        if seat is not None:
            seat.submit(lambda: self._restart(seat))

    def limit_tokens(self, cluster: Cluster, seconds: float) -> None:
        """Let tokens of IAM identities be good for so long, those that are in use too."""
        seat = self._seat(cluster)
        if seat is not None:
            seat.token_seconds = seconds

    def terminate(self, cluster: Cluster) -> None:
        """End the processes and remove the data."""
        seat = self._seat(cluster)
        if seat is not None:
            del self.seats[seat.record.id]
            self._ending.append(self._enders.submit(self._remove, seat))

    def can_run_pods(self, cluster: Cluster) -> bool:
        """Tell whether there are nodes, or would be for pods that wait."""
        seat = self._seat(cluster)
        return seat is None or seat.controller is None or seat.controller.capacity

    def _seat(self, cluster: Cluster) -> Seat | None:
        identity = Identity(cluster.account, cluster.region, cluster.name, cluster.id)
        return self.seats.get(identity.hex_id.lower())

    def _take(self, record: Record) -> Seat:
        seat = Seat(record, self._clusters, self._failed)
        self.seats[record.id] = seat
        return seat

    # The work, each on its cluster's own thread.

    def _start(self, seat: Seat) -> None:
        while not self._tidied.wait(TIDY_POLL_SECONDS):
            if seat.closing:
                return
        have = self._programs(seat)
        with self._lock:
            cluster = self.cluster(seat.record.id)
            settings = _settings(cluster) if cluster else None
        if have is None or settings is None:
            return
        webhook = f"{self._url}/_sandbox/kubernetes/{seat.record.id}"
        seat.server = KubeServer(seat.directory, have, webhook, seat.record.issuer)
        try:
            seat.server.start(*settings)
            name = seat.record.name
            operators = [
                Operators(name, seat.server.api(), self._secret),
                ArgoCd(name, seat.server.api(), self.place / "repositories" / seat.record.id),
                Rollouts(name, seat.server.api()),
            ]
            controller = Controller(name, seat.server.api(), lambda: self._facts(seat.record.id), operators)
            controller.prepare()
        except Exception:
            seat.server.stop()
            raise
        controller.start()
        seat.controller, seat.trouble, seat.open = controller, "", True
        self.refresh()

    def _facts(self, number: str) -> Facts | None:
        with self._lock:
            cluster = self.cluster(number)
            return facts_of(cluster, runtime.clock.now()) if cluster else None

    def _secret(self, region: str, name: str) -> str:
        """Return the text of a secret of Secrets Manager.

        Raises:
            LookupError: if there is no such secret in the Region.
        """
        with self._lock:
            backend = secretsmanager_backends[self._owner][region]
            try:
                return str(backend.get_secret_value(name, "", "")["SecretString"])
            except SecretsManagerClientError as error:
                raise LookupError(f"could not get secret data from provider: {name} in {region}: {error}") from error

    def _programs(self, seat: Seat) -> programs.Programs | None:
        """Return the programs; while somebody is building them, wait."""
        while (seen := build.look())[1]:
            if seat.closing or self._stopping.wait(BUILD_POLL_SECONDS):
                return None
        have = seen[0]
        if have is None:
            log.warning("%s in %s has no API server: no programs", seat.record.name, seat.record.region)
        return have

    def _restart(self, seat: Seat) -> None:
        self._halt(seat)
        self._start(seat)

    def _halt(self, seat: Seat) -> None:
        seat.halt()
        self.refresh()
        if seat.server:
            seat.server.stop()

    def _remove(self, seat: Seat) -> None:
        try:
            seat.close()
            self.refresh()
            shutil.rmtree(seat.directory, ignore_errors=True)
        except Exception:
            log.exception("the control plane of %s, which is to go away", seat.record.name)

    def _failed(self, seat: Seat, error: Exception) -> None:
        """Let the cluster show it: one that never came up is FAILED, one that was up has an issue."""
        seat.trouble = f"The Kubernetes API server does not run: {error}"[:800]
        with self._lock:
            cluster = self.cluster(seat.record.id)
            if cluster is not None and not cluster.up:
                cluster.timeline, cluster.up = Timeline([], "FAILED"), True

    # The network, and what API servers ask.

    def refresh(self) -> None:
        """Bring the network up to date; it is, on return. The caller does not hold the lock."""
        if not self.seats and not self._wired:
            return
        with self._order:
            self._wired = True
            self._wiring.put({seat.record.id: self._door(seat) for seat in list(self.seats.values())})

    def _door(self, seat: Seat) -> Door:
        port = seat.server.port if seat.server and seat.open else 1
        alive = seat.record.region not in self._down
        return Door(seat.record.address, PORT, "127.0.0.1", port, open=seat.open, alive=alive)

    def answer(self, number: str, question: str, review: dict[str, Any]) -> dict[str, Any]:
        """Answer an API server's question about a cluster.

        Raises:
            KeyError: if there is no such cluster or question.
        """
        with self._lock:
            cluster = self.cluster(number)
        if cluster is None:
            raise KeyError(number)
        if question == "authenticate":
            seat = self.seats.get(number)
            seconds = seat.token_seconds if seat else VALID_SECONDS
            return webhooks.authenticate(self._owner, self._lock, cluster, review, seconds)
        if question == "authorize":
            return webhooks.authorize(self._lock, cluster, review)
        raise KeyError(question)

    def cluster(self, number: str) -> Cluster | None:
        """Return the cluster of an id. The caller holds the lock."""
        for cluster in self._all():
            identity = Identity(cluster.account, cluster.region, cluster.name, cluster.id)
            if identity.hex_id.lower() == number:
                return cluster
        return None

    def _all(self) -> Iterator[Cluster]:
        for (service, _account, _region), store in list(runtime.stores.items()):
            if service == "eks" and isinstance(store, EksState):
                yield from list(store.clusters.values())

    def describe(self) -> list[dict[str, Any]]:
        """Return what there is, for the control interface."""
        return [
            {
                **{name: value for name, value in dataclasses.asdict(seat.record).items() if name != "issuer"},
                "endpoint": f"https://{seat.record.address}:{PORT}",
                "state": "up" if seat.open else "failed" if seat.trouble else "starting" if seat.busy else "none",
                "trouble": seat.trouble,
                "directory": str(seat.directory),
                **(seat.controller.count() if seat.controller else {}),
            }
            for seat in list(self.seats.values())
        ]

    # The sandbox's own life.

    def resume(self) -> None:
        """Bring up what stood when the sandbox was stopped or killed, in the background."""
        self._tidied.clear()
        records = stored(self._clusters)
        with self._lock:
            for record in records.values():
                if self.cluster(record.id) is None:
                    shutil.rmtree(self._clusters / record.id, ignore_errors=True)
                    continue
                seat = self._take(record)
                seat.submit(lambda seat=seat: self._start(seat))  # type: ignore[misc]
        threading.Thread(target=self._tidy, args=(bool(records),), name="eks-tidy", daemon=True).start()

    def _tidy(self, used: bool) -> None:
        """Wait until an earlier sandbox's network has gone, and end what it left running."""
        try:
            if used:
                self._wired = True
                self._wiring.start()
            left = tidy(self._clusters)
            if left:
                log.warning("%d processes of an earlier sandbox's clusters were still running; they are ended", left)
        except OSError:
            log.exception("what an earlier sandbox left")
        finally:
            self._tidied.set()
        self.refresh()

    def close(self) -> None:
        """End all processes, and the network."""
        self._stopping.set()
        self.stop()
        self._enders.shutdown()
        self._wiring.close()

    def stop(self) -> None:
        """End all processes; the data stay. The caller does not hold the lock."""
        seats = list(self.seats.values())
        self.seats.clear()
        with ThreadPoolExecutor(8) as stopping:
            list(stopping.map(Seat.close, seats))

    def clear(self) -> None:
        """Remove every cluster and its data."""
        seats = list(self.seats.values())
        self.seats.clear()
        with ThreadPoolExecutor(8) as removing:
            list(removing.map(self._remove, seats))
        self.refresh()

    def settle(self) -> None:
        """Wait until no work is under way."""
        for seat in list(self.seats.values()):
            seat.wait()
        for ending in self._ending:
            ending.result()
        self._ending.clear()

    def save(self, name: str) -> None:
        """Keep all clusters' data under a name, as they are at one moment. The caller holds the lock."""
        target = self._snapshots / name
        scratch = self._snapshots / f".{name}"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(mode=0o700, parents=True)
        for seat in self.seats.values():
            if seat.server:
                seat.server.copy_data(scratch / seat.record.id)
                seat.record.save(scratch / seat.record.id)
        shutil.rmtree(target, ignore_errors=True)
        scratch.rename(target)

    def bring_back(self, name: str) -> None:
        """Put kept data in place of the present ones, while nothing runs."""
        shutil.rmtree(self._clusters, ignore_errors=True)
        self._clusters.mkdir(mode=0o700)
        kept = self._snapshots / name
        for record in stored(kept).values() if kept.is_dir() else ():
            copy_tree(kept / record.id, self._clusters / record.id)


def _settings(cluster: Cluster) -> tuple[str, str]:
    network: dict[str, Any] = cluster.document["kubernetesNetworkConfig"]
    return str(cluster.document["version"]), str(network["serviceIpv4Cidr"])
