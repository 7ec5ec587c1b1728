"""New databases: a template for each major version, and the users that RDS makes in it."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any

from psycopg import sql

from .account import Account
from .binaries import Binaries
from .files import copy_tree
from .records import Spec
from .server import ADMIN, PgServer, ServerError

log = logging.getLogger(__name__)
SUPERUSER = "rds_superuser"
MEMBER_OF = ("pg_monitor", "pg_signal_backend", "rds_password", "rds_replication")
CHECKPOINT_SINCE = 15
UNNAMED = "unnamed"
"""A database that a new instance gives its own name: that is quicker than making one."""
# Single-user mode takes one statement a line.
ROLES = f"""CREATE ROLE {SUPERUSER} NOLOGIN
CREATE ROLE rds_password NOLOGIN
CREATE ROLE rds_replication NOLOGIN
CREATE ROLE rds_iam NOLOGIN
GRANT {{member_of}} TO {SUPERUSER} WITH ADMIN OPTION
CREATE SCHEMA {ADMIN}
CREATE TABLE {ADMIN}.heartbeat (at timestamptz NOT NULL)
INSERT INTO {ADMIN}.heartbeat VALUES (now())
CREATE DATABASE {UNNAMED}
COPY (SELECT lower(name) || ' ' || context FROM pg_settings) TO '{{names}}'
"""  # noqa: S608 - the words are ours


class Templates:
    """Data directories right after ``initdb``, one for each major version, to be copied."""

    def __init__(self, place: Path, who: Account, secret: str) -> None:
        self._place, self._who, self._secret = place, who, secret
        self._lock, self._spares = threading.Lock(), threading.Lock()

    def template(self, binaries: Binaries) -> Path:
        """Return the template of a major version, made on first use."""
        template = self._place / str(binaries.major)
        with self._lock:
            if not (template / "names").exists():
                shutil.rmtree(template, ignore_errors=True)
                self._make(self._who.own(template), binaries)
        return template

    def known(self, binaries: Binaries) -> dict[str, str]:
        """Return the parameters that a major version knows, with their context, e.g. ``sighup``."""
        lines = (self.template(binaries) / "names").read_text("utf-8").split("\n")
        return {name: context for name, _space, context in (line.partition(" ") for line in lines if line)}

    def give(self, server: PgServer) -> None:
        """Give a server a new, empty data directory: the spare copy, or one made now. Then another spare is made."""
        template = self.template(server.binaries)
        try:
            (template / "spare").rename(server.data)
        except OSError:
            copy_tree(template / "data", server.data, self._who)
        threading.Thread(target=self._make_spare, args=(template,), name="spare", daemon=True).start()

    def _make_spare(self, template: Path) -> None:
        with self._spares:
            if (template / "spare").exists():
                return
            scratch = template / "spare.new"
            shutil.rmtree(scratch, ignore_errors=True)
            try:
                copy_tree(template / "data", scratch, self._who, patient=True)
                scratch.rename(template / "spare")
            except OSError as error:
                log.warning("no spare data directory: %s", error)

    def _make(self, template: Path, binaries: Binaries) -> None:
        data, password = template / "data", template / "password"
        password.write_text(self._secret + "\n", "utf-8")
        if self._who.user:
            os.chown(password, self._who.uid, self._who.gid)
        words = ["-D", str(data), "-U", ADMIN, "--pwfile", str(password), "--auth=scram-sha-256", "--no-sync"]
        words += ["--encoding=UTF8", "--locale=C", "--wal-segsize=4"]
        self._run(binaries, "initdb", words)
        password.unlink()
        names = template / "names.new"
        member_of = [*MEMBER_OF, *(["pg_checkpoint"] if binaries.major >= CHECKPOINT_SINCE else [])]
        roles = ROLES.format(member_of=", ".join(member_of), names=names)
        words = ["--single", "-j", "-D", str(data), "-c", "fsync=off", "-c", "exit_on_error=on", "postgres"]
        self._run(binaries, "postgres", words, roles.replace("\n", ";\n\n"))
        names.rename(template / "names")

    def _run(self, binaries: Binaries, program: str, words: list[str], statements: str = "") -> None:
        done = subprocess.run(  # noqa: S603 - PostgreSQL's own programs
            [binaries.program(program), *words], input=statements, capture_output=True, text=True, check=False,
            cwd=self._place, env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}, **self._who.options,
        )  # fmt: skip
        if done.returncode or "ERROR" in done.stderr:
            raise ServerError(f"{program} failed: {done.stderr.strip()[-800:]}")


def make_master(server: PgServer, spec: Spec) -> None:
    """Make the master user, as RDS does: no superuser, but member of ``rds_superuser``, and owner of the databases."""
    master = sql.Identifier(spec.username)
    statements: list[Any] = [
        sql.SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD {}").format(master, sql.Literal(spec.password)),
        sql.SQL("GRANT {} TO {} WITH ADMIN OPTION").format(sql.Identifier(SUPERUSER), master),
        sql.SQL("ALTER DATABASE postgres OWNER TO {}").format(master),
    ]
    if spec.database and spec.database != "postgres":
        name = sql.Identifier(spec.database)
        statements.append(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(UNNAMED), name))
        statements.append(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(name, master))
    else:
        statements.append(sql.SQL("DROP DATABASE {}").format(sql.Identifier(UNNAMED)))
    server.sql(*statements)


def set_password(server: PgServer, spec: Spec) -> None:
    """Let the master password be the one that the API was given."""
    master = sql.Identifier(spec.username)
    server.sql(sql.SQL("ALTER ROLE {} PASSWORD {}").format(master, sql.Literal(spec.password)))
