"""The sandbox: moto with overlays behind one lock, and what surrounds each call."""

from __future__ import annotations

import importlib
import logging
import os
import pkgutil
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.routing import get_service_router
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import run_wsgi_app

from . import faults, origins, overlays, own, quick, state
from .access.gate import gate
from .control import PREFIX, Control, known_regions
from .http_server import CutConnection, Environ, Response, Server
from .journal import Entry, Journal
from .overlays import cloudtrail, scheduler
from .overlays.eks import control_plane
from .overlays.rds.dataplane import plane as rds_plane
from .protocol import error_code, error_response
from .routing import Call, identify, move_signature
from .runtime import runtime
from .state import Snapshots, StateFile
from .tokens import token_of

if TYPE_CHECKING:
    from .kubernetes.plane import KubernetesPlane
    from .postgres.plane import PostgresPlane

log = logging.getLogger(__name__)
_registered = threading.Event()
# Their models and first backends take a second together, so they are loaded behind the open port.
PRELOADED = ("ec2", "iam", "s3", "kms", "rds", "eks", "dynamodb", "logs", "secretsmanager", "route53", "sts")


def register_overlays() -> None:
    """Import every module of ``overlays`` and call its ``register``, once a process."""
    if _registered.is_set():
        return
    # EC2's errors are in no service model, and others answer some that theirs leaves out: nothing to warn of.
    warnings.filterwarnings("ignore", message=".*does not match an error shape.*", category=UserWarning)
    state.share_managed_policies()
    quick.install()
    for module in sorted(pkgutil.iter_modules(overlays.__path__), key=lambda found: found.name):
        loaded = importlib.import_module(f"{overlays.__name__}.{module.name}")
        if hasattr(loaded, "register"):
            loaded.register()
    _registered.set()


class Dispatcher(DomainDispatcherApplication):
    """moto's choice of a service for a request, without listing moto's directory on disk each time."""

    def __init__(self, create_app: Callable[[Any], Any]) -> None:
        super().__init__(create_app)
        self._backends: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        """Return the service behind a host name."""
        if host not in self._backends:
            self._backends[host] = super().get_backend_for_host(host)
        return self._backends[host]


class Sandbox:
    """One AWS: all services and Regions of it.

    Args:
        state_dir: where the state, the journal and the snapshots are kept; without one they end with the process.
    """

    def __init__(self, state_dir: Path | None = None) -> None:
        register_overlays()
        # moto's backends have no locks of their own, so one call at a time is inside them.
        self.lock = threading.RLock()
        self.state_file = StateFile(state_dir, self.lock) if state_dir else None
        self.snapshots = Snapshots(state_dir, self.lock)
        self.journal = Journal(state_dir / "journal.jsonl" if state_dir else None)
        self.faults = faults.Faults()
        self.account = os.environ.get("MOTO_ACCOUNT_ID", DEFAULT_ACCOUNT_ID)
        self._control = Control(self)
        self._regions = frozenset(known_regions())
        self._moto = Dispatcher(create_backend_app)
        if self.state_file:
            self.state_file.start()
        self.servers: PostgresPlane | None = None
        self.clusters: KubernetesPlane | None = None

    def put_servers(self, state_dir: Path, dns_port: int) -> None:
        """Put PostgreSQL servers behind RDS, bring up those that stood, and answer DNS on a UDP port."""
        # Imported here because the database driver takes a moment to load, which a sandbox of names does not need.
        from .postgres.plane import PostgresPlane  # noqa: PLC0415

        servers = PostgresPlane(state_dir, self.lock, self.account, self.faults.down)
        rds_plane.install(servers)
        servers.answer_names(dns_port)
        servers.resume()
        self.servers = servers

    def put_clusters(self, state_dir: Path, url: str) -> None:
        """Put API servers behind EKS, which ask the sandbox at ``url`` who somebody is; bring up those that stood."""
        from .kubernetes.plane import KubernetesPlane  # noqa: PLC0415 - as above

        clusters = KubernetesPlane(state_dir, self.lock, self.account, self.faults.down, url)
        control_plane.use(clusters)
        clusters.resume()
        self.clusters = clusters

    def __call__(self, environ: Environ, body: bytes) -> Response:
        """Answer one request.

        Raises:
            CutConnection: if the client gets no answer.
        """
        if environ["PATH_INFO"].startswith(PREFIX):
            return self._control(environ, body)
        origin = origins.take(environ)
        if origin and origin not in self._regions:
            return Response(404, f"there is no Region {origin!r} to call from\n".encode())
        move_signature(environ)
        call = identify(environ, body)
        struck = self.faults.struck(call)
        apart = origins.apart(origin, call.region, self.faults.down)
        effects = ["region_down"] if apart else [rule.effect for rule in struck]
        began, wall, response = time.perf_counter(), time.time(), None
        try:
            if apart:
                raise CutConnection
            response = self._answer(call, environ, body, struck)
            return response
        finally:
            status, error = (response.status, error_code(response)) if response else (0, "")
            ms = round((time.perf_counter() - began) * 1000, 2)
            self.journal.add(
                Entry(0, runtime.clock.now(), wall, ms, call.service, call.operation, call.region, call.mutating,
                      status, error, call.principal, ",".join(effects))
            )  # fmt: skip

    def _answer(self, call: Call, environ: Environ, body: bytes, struck: list[faults.Rule]) -> Response:
        """Run a call between what its faults do before it and after it."""
        refused = faults.before(struck, call, environ)
        if refused:
            return refused
        with self.lock:
            self._fire_schedules()
            response = gate.admit(self.account, call, environ, body) or self._once(call, environ, body)
            if call.mutating and response.status < 300:
                cloudtrail.note(self.account, call, environ, body)
        if call.mutating:
            self.changed()
        faults.after(struck, environ)
        return response

    def _fire_schedules(self) -> None:
        """Let schedules that are due make their calls, each at its time, before the present call is looked at."""
        for fired in scheduler.settle(self.account, runtime.clock.now()):
            status = 400 if fired.error else 200
            self.journal.add(
                Entry(0, fired.at, time.time(), 0.0, fired.service, fired.operation, fired.region, True, status,
                      fired.error, fired.role_arn, "")
            )  # fmt: skip
            self.changed()

    def _once(self, call: Call, environ: Environ, body: bytes) -> Response:
        """Run a call, or answer as before if its client token says that it has run already."""
        token = token_of(call, environ["PATH_INFO"], body)
        known = token.answer(self.account) if token else None
        if known:
            return known
        response = self._dispatch(call, environ, body)
        if token:
            token.remember(self.account, response)
        return response

    def _dispatch(self, call: Call, environ: Environ, body: bytes) -> Response:
        """Run a call in moto, and turn what moto lacks into one clear error that no SDK retries."""
        if call.service in own.SERVICES:
            return own.SERVICES[call.service](call, body) or not_emulated(call)
        try:
            chunks, status, headers = run_wsgi_app(self._moto, environ, buffered=True)
        except NotImplementedError:
            return not_emulated(call)
        except Exception as error:
            log.exception("moto failed in %s", call.name)
            text = f"The sandbox failed in {call.name} in {call.region}: {type(error).__name__}: {error}"
            return error_response(call.protocol, "SandboxFailure", text)
        response = Response(int(status.split()[0]), b"".join(chunks), list(headers.items()))
        head = environ["REQUEST_METHOD"] == "HEAD"
        return not_emulated(call) if _unanswered(response) and not head else response

    def changed(self) -> None:
        """Say that the state differs from the stored one; servers and network follow."""
        if self.state_file:
            self.state_file.touch()
        if self.servers:
            self.servers.roads.refresh()

    def regions_changed(self) -> None:
        """Say that a Region went down or came up."""
        if self.servers:
            self.servers.roads.refresh()
        if self.clusters:
            self.clusters.refresh()

    def snapshot(self, name: str) -> int:
        """Keep the whole state under a name, the servers' data included; return the state's size in bytes."""
        planes = [plane for plane in (self.servers, self.clusters) if plane is not None]
        for each in planes:
            each.settle()
        with self.lock:
            size = self.snapshots.take(name)
            for each in planes:
                each.save(name)
        return size

    def restore(self, name: str) -> None:
        """Go back to what a snapshot has.

        Raises:
            KeyError: if there is none of that name.
        """
        if name not in self.snapshots.names():
            raise KeyError(name)
        if self.clusters:
            self.clusters.settle()
            self.clusters.stop()
        if self.servers:
            self.servers.settle()
            self.servers.go_back(name, lambda: self._go_back(name))
        else:
            with self.lock:
                self._go_back(name)
        if self.clusters:
            self.clusters.resume()
        self.changed()

    def _go_back(self, name: str) -> None:
        """Put the state, and the clusters' data, in place of the present ones. The caller holds the lock."""
        self.snapshots.restore(name)
        if self.clusters:
            self.clusters.bring_back(name)

    def reset(self) -> None:
        """Go back to an empty account, with no faults and an empty journal; the clock's profile stays."""
        with self.lock:
            state.reset()
        for plane in (self.servers, self.clusters):
            if plane:
                plane.clear()
        self.faults.clear()
        self.journal.clear()
        gate.clear()
        self.changed()

    def preload(self) -> None:
        """Touch the services that every run needs, so that no client waits for a model to be parsed."""
        for service in PRELOADED:
            with self.lock:
                self._moto.get_application(_minimal_environ(service))
                get_service_router(service)

    def close(self) -> None:
        """Stop the servers, and write the state a last time."""
        for plane in (self.clusters, self.servers):
            if plane:
                plane.close()
        if self.state_file:
            self.state_file.stop()


def _minimal_environ(service: str) -> Environ:
    """Just what moto reads of a request to choose the service's application."""
    scope = f"AWS4-HMAC-SHA256 Credential=x/20260101/us-west-2/{service}/aws4_request, x"
    return {"HTTP_AUTHORIZATION": scope, "HTTP_X_AMZ_TARGET": "a_20120810.b", "HTTP_HOST": "127.0.0.1"}


def _unanswered(response: Response) -> bool:
    """Tell moto's and Flask's answers to a path that nobody serves: an empty 404, or an HTML page."""
    return response.status in (404, 405) and (not response.body or response.body[:15].lower() == b"<!doctype html>")


def not_emulated(call: Call) -> Response:
    """Return the answer to an operation that the sandbox does not have."""
    return error_response(call.protocol, "NotEmulated", f"not emulated: {call.name}")


def serve(sandbox: Sandbox, port: int = 0) -> Server:
    """Bind the port and answer in threads; the caller stops it with ``shutdown()``."""
    server = Server(sandbox, port)
    threading.Thread(target=server.serve_forever, name="sandbox", daemon=True).start()
    return server
