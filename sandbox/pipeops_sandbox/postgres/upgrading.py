"""A server's way to another major version: pg_upgrade, as RDS does it."""

from __future__ import annotations

from . import pgcron
from .binaries import Binaries
from .server import ADMIN, PgServer
from .work import Shared

CHECKSUMS_SINCE = 18
"""The first major version that has checksums unless it is told otherwise."""

LOCAL = f"local all {ADMIN} trust\n"
"""pg_upgrade talks to both clusters over a socket of its own, while nobody else gets in."""


def upgrade(server: PgServer, old: Binaries, shared: Shared) -> None:
    """Bring the data of a stopped server to the major version of its present programs.

    Raises:
        ServerError: if pg_upgrade refuses or fails; the old data are back then.
    """
    before = server.directory / "data.before"
    shared.discard(before)
    server.data.rename(before)
    try:
        _make_empty(server)
        for data in (before, server.data):
            (data / "pg_hba.conf").write_text(LOCAL, "utf-8")
        pgcron.install(server)
        server.run(
            "pg_upgrade", "-U", ADMIN, "-b", str(old.directory), "-B", str(server.binaries.directory),
            "-d", str(before), "-D", str(server.data), "-s", str(server.directory), "--copy", "--no-sync",
        )  # fmt: skip
    except Exception:
        shared.discard(server.data)
        before.rename(server.data)
        raise
    shared.discard(before)


def _make_empty(server: PgServer) -> None:
    """Make a new cluster like those of the templates, but with nobody in it: pg_upgrade takes no other."""
    words = ["-D", str(server.data), "-U", ADMIN, "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]
    if server.binaries.major >= CHECKSUMS_SINCE:
        words.append("--no-data-checksums")
    server.run("initdb", *words, "--wal-segsize=4")
