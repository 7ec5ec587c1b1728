"""A server's configuration: what the sandbox needs, and the DB parameter group as far as PostgreSQL knows it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from . import pgcron
from .addresses import LINK_PORT, SERVER_PORT
from .records import Record, Spec
from .server import ADMIN, PgServer

BASE = {
    "unix_socket_directories": "",
    "shared_buffers": "16MB",
    "max_connections": "100",
    # PostgreSQL's own defaults, written out: a standby may have more, and nothing else differs after its promotion.
    "max_worker_processes": "8",
    "max_prepared_transactions": "0",
    "max_locks_per_transaction": "64",
    "max_wal_size": "256MB",
    "min_wal_size": "16MB",
    "wal_level": "replica",
    "max_wal_senders": "20",
    "max_replication_slots": "20",
    "hot_standby": "on",
    "wal_retrieve_retry_interval": "200ms",
    "archive_mode": "on",
    "archive_timeout": "300",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m %u@%d [%p] ",
    # A crash of the machine may cost a sandbox's data, a crash of a server does not.
    "fsync": "off",
}
"""What a parameter group may override, apart from ``RESERVED``."""

RESERVED = frozenset(
    {
        # Sizes that RDS computes for the class: this machine is another one.
        "shared_buffers", "effective_cache_size", "maintenance_work_mem", "work_mem", "autovacuum_work_mem",
        "temp_buffers", "wal_buffers", "max_wal_size", "min_wal_size", "huge_pages", "logical_decoding_work_mem",
        "max_stack_depth", "vacuum_buffer_usage_limit", "effective_io_concurrency", "io_method",
        # What the sandbox itself relies on.
        "listen_addresses", "port", "unix_socket_directories", "unix_socket_group", "unix_socket_permissions",
        "data_directory", "hba_file", "ident_file", "config_file", "external_pid_file", "fsync", "archive_mode",
        "archive_command", "archive_library", "restore_command", "primary_conninfo", "primary_slot_name",
        "ssl", "ssl_ca_file", "ssl_cert_file", "ssl_key_file", "ssl_ciphers", "ssl_min_protocol_version",
        "ssl_max_protocol_version", "logging_collector", "log_destination", "log_directory", "log_filename",
        "log_file_mode", "log_line_prefix", "stats_temp_directory", "hot_standby", "wal_level",
        "wal_retrieve_retry_interval", "shared_preload_libraries", "session_preload_libraries",
        "lc_messages", "lc_monetary", "lc_numeric", "lc_time", "client_encoding", "max_wal_senders",
        "max_replication_slots",
    }
)  # fmt: skip
AT_LEAST = {
    "max_connections": "max_connections",
    "max_worker_processes": "max_worker_processes",
    "max_prepared_transactions": "max_prepared_xacts",
    "max_locks_per_transaction": "max_locks_per_xact",
}
"""What a standby must have at least as high as its source, and its name in the control file; RDS raises them."""

HBA = """# type database user address method
host all all 127.0.0.0/8 scram-sha-256
host replication {admin} 127.0.0.0/8 scram-sha-256
"""


def quoted(value: str) -> str:
    """Return a value as a configuration file has it."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def from_group(parameters: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of a DB parameter group that a server takes.

    Formulas of the instance class, sizes of memory, ``rds.*`` and what PostgreSQL does not know are left out.
    """
    return {
        name: value
        for name, value in parameters.items()
        if name.lower() in known and name.lower() not in RESERVED and not re.search(r"[{(]", value)
    }


def libraries(parameters: Mapping[str, str], server: PgServer) -> str:
    """Return those of the group's ``shared_preload_libraries`` that these binaries have."""
    wanted = [one.strip() for one in parameters.get("shared_preload_libraries", "").split(",") if one.strip()]
    if not wanted:
        return ""
    place = Path(server.run("pg_config", "--pkglibdir").strip())
    return ",".join(one for one in wanted if (place / f"{one}.so").exists())


def required(server: PgServer) -> dict[str, int]:
    """Return what a standby's source runs with, as the control file has it."""
    shown = server.run("pg_controldata", "-D", str(server.data))
    found = {}
    for name, label in AT_LEAST.items():
        match = re.search(rf"^{label} setting:\s*(\d+)", shown, re.MULTILINE)
        found[name] = int(match[1]) if match else 0
    return found


def configuration(server: PgServer, record: Record, spec: Spec, known: Mapping[str, str], archive: Path) -> str:
    """Return ``postgresql.conf``."""
    values = BASE | from_group(spec.parameters, known) | pgcron.settings(spec.parameters)
    if spec.parameters.get("rds.logical_replication") == "1":
        values["wal_level"] = "logical"
    if server.standby:
        for name, least in required(server).items():
            values[name] = str(max(int(values.get(name, "0") or 0), least)) if least else values.get(name, "")
    values = {name: value for name, value in values.items() if value or name in BASE}
    own = {
        "listen_addresses": server.address,
        "port": str(SERVER_PORT),
        "shared_preload_libraries": libraries(spec.parameters, server),
        "archive_command": _archive_command(archive) if spec.archives else "/bin/true",
    }
    return "".join(f"{name} = {quoted(value)}\n" for name, value in (values | own).items())


def _archive_command(archive: Path) -> str:
    place = shlex.quote(str(archive))
    return f"cp %p {place}/.%f.new && mv {place}/.%f.new {place}/%f"


def following(record: Record, secret: str) -> str:
    """Return the lines that make a standby follow its source, through the link that the network keeps for it."""
    link = (
        f"host={record.address} port={LINK_PORT} user={ADMIN} password={secret} application_name={record.slot} "
        "keepalives_idle=10"
    )
    return f"primary_conninfo = {quoted(link)}\nprimary_slot_name = {quoted(record.slot)}\n"


def hba() -> str:
    """Return ``pg_hba.conf``: passwords for everyone, RDS's own user included."""
    return HBA.format(admin=ADMIN)
