"""What is done with a server: making, following, restoring, promoting. Runs on the seat's own thread."""

from __future__ import annotations

import logging
import secrets
import shutil
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql

from . import pgcron, settings
from .account import Account
from .addresses import LINK_PORT
from .bootstrap import Templates, make_master, set_password
from .files import unpack
from .records import Record, Spec
from .server import ADMIN, PgServer, ServerError, wait_until

log = logging.getLogger(__name__)
PROMOTE_SECONDS, ARCHIVE_SECONDS, RECOVERY_SECONDS = 60, 20.0, 120.0
BEYOND_THE_LOGS = "recovery ended before configured recovery target was reached"


@dataclass
class Shared:
    """What all servers of a sandbox share: directories, the account, the templates, the superuser's password."""

    place: Path
    who: Account
    secret: str
    templates: Templates

    def discard(self, path: Path) -> None:
        """Remove a directory: it is gone at once, its files are in a while, because there are a thousand and more."""
        trash = self.who.own(self.place / "trash")
        if path.exists():
            path.rename(trash / f"{path.name}.{secrets.token_hex(4)}")
            threading.Thread(target=shutil.rmtree, args=(trash, True), name="trash", daemon=True).start()

    def archive(self, resource_id: str) -> Path:
        """Return where an instance's transaction logs are kept."""
        return self.who.own(self.place / "wal" / resource_id)


def configure(server: PgServer, record: Record, spec: Spec, shared: Shared) -> None:
    """Write the server's configuration."""
    pgcron.install(server)
    known = shared.templates.known(server.binaries)
    archive = shared.archive(record.resource_id)
    text = settings.configuration(server, record, spec, known, archive)
    if record.source:
        text += settings.following(record, shared.secret)
    server.write("postgresql.conf", text)
    server.write("pg_hba.conf", settings.hba())


def start(server: PgServer, record: Record, spec: Spec, shared: Shared) -> None:
    """Start with the present configuration."""
    configure(server, record, spec, shared)
    server.start()


def create(server: PgServer, record: Record, spec: Spec, shared: Shared) -> None:
    """Make an empty database with its master user."""
    shared.discard(server.data)
    shared.templates.give(server)
    start(server, record, spec, shared)
    make_master(server, spec)


def replicate(server: PgServer, record: Record, spec: Spec, shared: Shared, source: PgServer) -> None:
    """Copy the source through the link, and follow it from there on with a slot of its own."""
    shared.discard(server.data)
    make_slot(source, record.slot)
    server.run(
        "pg_basebackup", "-h", record.address, "-p", str(LINK_PORT), "-U", ADMIN, "-D", str(server.data),
        "--checkpoint=fast", "-X", "stream", "-S", record.slot, "--no-sync", password=True,
    )  # fmt: skip
    (server.data / "postgresql.auto.conf").write_text("", "utf-8")
    server.write("standby.signal", "")
    start(server, record, spec, shared)


def make_slot(source: PgServer, name: str) -> None:
    """Make a physical slot, which keeps the source's logs from now on."""
    source.sql(
        sql.SQL(
            "SELECT pg_create_physical_replication_slot({0}, true) "
            "WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = {0})"
        ).format(sql.Literal(name))
    )


def slots(source: PgServer) -> set[str]:
    """Return the physical slots that RDS made for replicas."""
    query = "SELECT slot_name FROM pg_replication_slots WHERE slot_type = 'physical' AND slot_name LIKE 'rds\\_db\\_%'"
    return {str(name) for (name,) in source.sql(query)}


def drop_slot(source: PgServer, name: str) -> None:
    """Drop a slot that nobody uses any more, so that the source keeps no logs for it."""
    source.sql(
        sql.SQL("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = {}").format(
            sql.Literal(name)
        )
    )
    query = sql.SQL("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = {}")

    def dropped() -> bool:
        try:
            source.sql(query.format(sql.Literal(name)))
        except Exception as error:
            if "is active" not in str(error):
                raise
            return False
        return True

    if not wait_until(dropped, 5):
        log.warning("the slot %s of %s stays: it is in use", name, source.address)


def modify(server: PgServer, record: Record, spec: Spec, shared: Shared) -> None:
    """Take over dynamic parameters and the master password."""
    configure(server, record, spec, shared)
    server.reload()
    if server.running and not server.standby:
        set_password(server, spec)


def promote(server: PgServer, record: Record, spec: Spec, shared: Shared) -> None:
    """End the standby's recovery, and restart if parameters of the group wait for that."""
    server.sql(f"SELECT pg_promote(true, {PROMOTE_SECONDS})")
    if not wait_until(lambda: not in_recovery(server), PROMOTE_SECONDS):
        raise ServerError(f"the standby was not promoted: {server.log_end()}")
    configure(server, record, spec, shared)
    server.reload()

    def waiting() -> bool:
        return bool(server.sql("SELECT 1 FROM pg_settings WHERE pending_restart LIMIT 1"))

    if waiting():
        server.stop()
        server.start()


def in_recovery(server: PgServer) -> bool:
    """Tell whether a server is a standby or still recovering."""
    return bool(server.sql("SELECT pg_is_in_recovery()")[0][0])


def restore(server: PgServer, record: Record, spec: Spec, shared: Shared, base: Path) -> None:
    """Start from a packed data directory; with ``point["wall"]`` recover the logs up to that moment."""
    wall = float(record.point.get("wall") or 0)
    until = datetime.fromtimestamp(wall, tz=UTC).isoformat(sep=" ") if wall else ""
    try:
        _recover(server, record, spec, shared, base, until)
    except ServerError as error:
        if not until or BEYOND_THE_LOGS not in str(error):
            raise
        # Nothing happened after that moment: then all there is, is right.
        _recover(server, record, spec, shared, base, "latest")
    set_password(server, spec)


def _recover(server: PgServer, record: Record, spec: Spec, shared: Shared, base: Path, until: str) -> None:
    shared.discard(server.data)
    unpack(base, server.data, shared.who)
    # A copy of a standby ends its recovery as a database of its own.
    recovers = bool(until) or server.standby
    (server.data / "standby.signal").unlink(missing_ok=True)
    for slot in (server.data / "pg_replslot").iterdir():
        shutil.rmtree(slot)
    configure(server, record, spec, shared)
    if recovers:
        logs = shared.archive(str(record.point["resource_id"])) if until else Path("/nonexistent")
        lines = f"restore_command = {settings.quoted(f'cp {logs}/%f %p')}\nrecovery_target_action = 'promote'\n"
        if until not in ("", "latest"):
            lines += f"recovery_target_time = {settings.quoted(until)}\n"
        with (server.data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(lines)
        server.write("recovery.signal", "")
    server.start()
    if not wait_until(lambda: _recovered(server), RECOVERY_SECONDS) or not server.running:
        raise ServerError(f"recovery did not end: {server.log_end()}")
    configure(server, record, spec, shared)
    server.reload()


def _recovered(server: PgServer) -> bool:
    """Tell whether a server is through with its recovery, be it that it ended over it."""
    try:
        return not server.running or not in_recovery(server)
    except psycopg.OperationalError:
        # It takes connections before its recovery ends, and closes them if that fails: the next look sees it gone.
        return False


def beat(server: PgServer) -> None:
    """Commit something, as RDS's heartbeat does every five minutes."""
    server.sql(f"UPDATE {ADMIN}.heartbeat SET at = now()")  # noqa: S608 - the word is ours


def archive_now(server: PgServer) -> None:
    """Bring all logs up to this moment into the archive."""
    beat(server)
    (wanted,) = server.sql("SELECT pg_walfile_name(pg_current_wal_lsn())")[0]
    server.sql("SELECT pg_switch_wal()")

    def done() -> bool:
        (last,) = server.sql("SELECT last_archived_wal FROM pg_stat_archiver")[0]
        return last is not None and str(last)[8:] >= str(wanted)[8:]

    if not wait_until(done, ARCHIVE_SECONDS, 0.05):
        log.warning("the logs of %s are not archived yet", server.address)
