"""The sandbox: moto with overlays behind one lock, and what surrounds each call."""

from __future__ import annotations

import importlib
import logging
import pkgutil
import threading
import time
from pathlib import Path

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import run_wsgi_app

from . import overlays
from .http_server import CutConnection, Environ, Response, Server
from .journal import Entry, Journal
from .protocol import error_code, error_response
from .routing import Call, identify
from .runtime import runtime

log = logging.getLogger(__name__)
_registered = threading.Event()


def register_overlays() -> None:
    """Import every module of ``overlays`` and call its ``register``, once a process."""
    if _registered.is_set():
        return
    for module in sorted(pkgutil.iter_modules(overlays.__path__), key=lambda found: found.name):
        loaded = importlib.import_module(f"{overlays.__name__}.{module.name}")
        if hasattr(loaded, "register"):
            loaded.register()
    _registered.set()


class Sandbox:
    """One AWS: all services and regions of it."""

    def __init__(self, state_dir: Path | None = None) -> None:
        register_overlays()
        # moto's backends have no locks of their own, so one call at a time is inside them.
        self.lock = threading.RLock()
        self.journal = Journal(state_dir / "journal.jsonl" if state_dir else None)
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: Environ, body: bytes) -> Response:
        """Answer one request.

        Raises:
            CutConnection: if a fault says that the client gets no answer.
        """
        call = identify(environ, body)
        began, wall = time.perf_counter(), time.time()
        with self.lock:
            response = self._dispatch(call, environ)
        ms = round((time.perf_counter() - began) * 1000, 2)
        self.journal.add(
            Entry(0, runtime.clock.now(), wall, ms, call.service, call.operation, call.region, call.mutating,
                  response.status, error_code(response), call.principal, "")
        )  # fmt: skip
        return response

    def _dispatch(self, call: Call, environ: Environ) -> Response:
        """Run the call in moto, and turn what moto lacks into one clear error that no SDK retries."""
        try:
            chunks, status, headers = run_wsgi_app(self._moto, environ, buffered=True)
        except NotImplementedError:
            return not_emulated(call)
        except Exception as error:
            log.exception("moto failed in %s", call.name)
            text = f"The sandbox failed in {call.name} in {call.region}: {type(error).__name__}: {error}"
            return error_response(call.protocol, "SandboxFailure", text)
        response = Response(int(status.split()[0]), b"".join(chunks), list(headers.items()))
        return not_emulated(call) if _unanswered(response) else response


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


__all__ = ["CutConnection", "Sandbox", "register_overlays", "serve"]
