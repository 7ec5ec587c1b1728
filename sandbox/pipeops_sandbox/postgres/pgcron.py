"""pg_cron as an extension: its files beside the programs, and its parameters. ``cron`` runs the jobs."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from .server import PgServer

log = logging.getLogger(__name__)
LIBRARY = "pg_cron"
FILES = ("pg_cron.control", "pg_cron--1.6.sql")
SETTINGS = {
    "cron.database_name": "postgres",
    "cron.host": "localhost",
    "cron.log_run": "1",
    "cron.log_statement": "1",
    "cron.max_running_jobs": "5",
    "cron.use_background_workers": "1",
}
"""The extension's own parameters, as RDS has them unless a group says otherwise."""

_installed: set[Path] = set()


def preloaded(parameters: Mapping[str, str]) -> bool:
    """Tell whether a parameter group preloads the extension."""
    return LIBRARY in [one.strip() for one in parameters.get("shared_preload_libraries", "").split(",")]


def settings(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the extension's own parameters for a server that preloads it."""
    given = {name: value for name, value in parameters.items() if name in SETTINGS}
    return {**SETTINGS, **given} if preloaded(parameters) else {}


def install(server: PgServer) -> None:
    """Put the extension among those of the server's programs, where it is not yet."""
    if server.binaries.directory not in _installed:
        _installed.add(server.binaries.directory)
        _put(Path(server.run("pg_config", "--sharedir").strip()) / "extension")


def _put(place: Path) -> None:
    for name in FILES:
        text = resources.files(__package__).joinpath("data", name).read_text("utf-8")
        target = place / name
        if target.is_file() and target.read_text("utf-8") == text:
            continue
        try:
            scratch = place / f".{name}.{os.getpid()}"
            scratch.write_text(text, "utf-8")
            scratch.chmod(0o644)
            scratch.replace(target)
        except OSError as error:
            log.warning("there is no pg_cron: %s cannot be written: %s", target, error)
            return
