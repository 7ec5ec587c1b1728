"""Keeping the sandbox's whole state: in a directory over restarts, and in named snapshots for crash sweeps.

One pickle holds moto's backends of every service, the overlays' stores and the clock, so that
references between them stay what they were. A state file is code to whoever loads it: it is
read from the sandbox's own directory only, and a snapshot's name cannot lead out of there.
"""

from __future__ import annotations

import copyreg
import functools
import importlib
import io
import logging
import os
import pickle
import threading
import time
from pathlib import Path
from typing import Any

import moto
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from moto.core.base_backend import BackendDict
from moto.iam.models import AWSManagedPolicy, IAMBackend

from .runtime import runtime

log = logging.getLogger(__name__)

FORMAT = f"pipeops-sandbox 1, moto {moto.__version__}"
# A busy sandbox writes its state at most this often, in real seconds.
SAVE_INTERVAL = 2.0
_STATIC_ATTRIBUTES = {"backend", "service_name", "_use_boto3_regions", "_additional_regions", "_id"}


class StateError(Exception):
    """The state cannot be read; the message says which file and what to do."""


class _Pickler(pickle.Pickler):
    """Pickles what moto holds: private keys as DER, and AWS's 1,500 managed policies by name."""

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, (RSAPrivateKey, EllipticCurvePrivateKey)):
            return _private_key, (obj.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),)
        if isinstance(obj, AWSManagedPolicy):
            return _managed_policy, (obj.account_id, obj.name, obj.attachment_count)
        return NotImplemented


def _private_key(der: bytes) -> Any:
    """Read a private key back; cryptography's own function has no importable name."""
    return load_der_private_key(der, None)


_load_managed_policies = IAMBackend._init_aws_policies


@functools.cache
def _managed_policies(account: str) -> dict[str, AWSManagedPolicy]:
    """AWS's managed policies as moto ships them, parsed once a process: it takes a quarter of a second."""
    backend = IAMBackend.__new__(IAMBackend)
    backend.account_id, backend.region_name = account, "aws"
    return {policy.name: policy for policy in _load_managed_policies(backend)}  # type: ignore[misc]


def _managed_policy(account: str, name: str, attachments: int = 0) -> AWSManagedPolicy:
    policy: AWSManagedPolicy = copyreg.__newobj__(AWSManagedPolicy)  # type: ignore[attr-defined]
    policy.__dict__.update(_managed_policies(account)[name].__dict__, attachment_count=attachments)
    return policy


def share_managed_policies() -> None:
    """Let each new IAM backend copy the parsed managed policies instead of parsing them again."""

    def copies(self: IAMBackend) -> list[AWSManagedPolicy]:
        return [_managed_policy(self.account_id, name) for name in _managed_policies(self.account_id)]

    IAMBackend._init_aws_policies = copies  # type: ignore[method-assign,assignment]


# Those that hold anything; moto keeps this list for its own reset.
_IN_USE: list[BackendDict[Any]] = BackendDict._instances  # type: ignore[misc]


def reset() -> None:
    """Forget everything but the clock's profile and scale."""
    for backends in list(_IN_USE):
        backends.clear()
        for name, value in vars(backends).items():
            if name not in _STATIC_ATTRIBUTES and hasattr(value, "clear"):
                value.clear()
    _IN_USE.clear()
    runtime.reset()


def dump() -> bytes:
    """Return the whole state. The caller holds the lock."""
    services = {}
    for backends in list(_IN_USE):
        kind = backends.backend
        extra = {name: value for name, value in vars(backends).items() if name not in _STATIC_ATTRIBUTES}
        regions = {account: dict(regional) for account, regional in backends.items()}
        services[kind.__module__, kind.__qualname__] = (regions, extra)
    clock = {
        "profile": runtime.clock.profile,
        "scale": runtime.clock.scale,
        "time": runtime.clock.now(),
        "history": list(runtime.clock.history),
    }
    buffer = io.BytesIO()
    _Pickler(buffer, pickle.HIGHEST_PROTOCOL).dump((FORMAT, services, runtime.stores, clock))
    return buffer.getvalue()


def load(data: bytes, *, with_clock: bool = True) -> None:
    """Put a state in place of the present one. The caller holds the lock.

    Raises:
        StateError: if the state was written by another version.
    """
    written, services, stores, clock = pickle.loads(data)  # noqa: S301 - see the module's docstring
    if written != FORMAT:
        raise StateError(f"the state was written by {written}, this is {FORMAT}")
    reset()
    for (module, name), (regions, extra) in services.items():
        backends = _backend_dict(module, name)
        vars(backends).update(extra)
        for account, regional in regions.items():
            dict.update(backends[account], regional)
    runtime.stores.update(stores)
    runtime.clock.history = list(clock.get("history", runtime.clock.history))
    if with_clock:
        runtime.clock.set(clock["profile"], clock["scale"])
    runtime.clock.restore(clock["time"])


def _backend_dict(module: str, name: str) -> BackendDict[Any]:
    """Find the dictionary that holds the backends of a class."""
    candidates = vars(importlib.import_module(module)).values()
    found = [row for row in candidates if isinstance(row, BackendDict) and row.backend.__qualname__ == name]
    if not found:
        raise StateError(f"moto {moto.__version__} has no {module}.{name}, which the state needs")
    return found[0]


class StateFile:
    """Writes the state to a directory, soon after each change and on a clean stop."""

    def __init__(self, directory: Path, lock: threading.RLock) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / "state.pickle"
        self.error = ""
        self._lock = lock
        self._dirty = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep_saving, name="state", daemon=True)

    def start(self) -> None:
        """Load what is there, and keep it up to date from now on.

        Raises:
            StateError: if there is a state and it cannot be read.
        """
        if self.path.exists():
            try:
                with self._lock:
                    load(self.path.read_bytes())
            except Exception as error:
                advice = "remove the file, or start with another --state-dir"
                raise StateError(f"cannot read {self.path}: {error}; {advice}") from error
        self._thread.start()

    def touch(self) -> None:
        """Say that something has changed."""
        self._dirty.set()

    def stop(self) -> None:
        """Write the latest state, and stop."""
        self._stopping.set()
        self._dirty.set()
        self._thread.join()

    def _keep_saving(self) -> None:
        while not self._stopping.is_set():
            self._dirty.wait()
            self._dirty.clear()
            self.save()
            self._stopping.wait(SAVE_INTERVAL)
        self.save()

    def save(self) -> None:
        """Write the state now; a reader sees the old file or the new one, never half of one."""
        try:
            with self._lock:
                data = dump()
            write_atomically(self.path, data)
            self.error = ""
        except Exception as error:
            self.error = f"{time.strftime('%H:%M:%S')} state not saved: {type(error).__name__}: {error}"
            log.exception("state not saved to %s", self.path)


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file in one step, readable by its owner only."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
    scratch.replace(path)


class Snapshots:
    """States by name: in memory, and beside the state when there is a directory."""

    def __init__(self, directory: Path | None, lock: threading.RLock) -> None:
        self._directory = directory / "snapshots" if directory else None
        self._lock = lock
        self._kept: dict[str, bytes] = {}
        if self._directory:
            self._directory.mkdir(parents=True, exist_ok=True)

    def names(self) -> list[str]:
        """Return the names of the snapshots there are."""
        stored = {path.stem for path in self._directory.glob("*.pickle")} if self._directory else set()
        return sorted(stored | set(self._kept))

    def take(self, name: str) -> int:
        """Keep the present state under a name, and return its size in bytes."""
        with self._lock:
            data = dump()
        self._kept[name] = data
        if self._directory:
            write_atomically(self._directory / f"{name}.pickle", data)
        return len(data)

    def restore(self, name: str) -> None:
        """Go back to a snapshot.

        Raises:
            KeyError: if there is none of that name.
        """
        data = self._kept.get(name) or self._stored(name)
        with self._lock:
            load(data)

    def _stored(self, name: str) -> bytes:
        path = self._directory / f"{name}.pickle" if self._directory else None
        if path is None or not path.exists():
            raise KeyError(name)
        return path.read_bytes()
