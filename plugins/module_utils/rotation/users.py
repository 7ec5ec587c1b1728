# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two users of a database that take turns: equal in what they may, and one owner of everything.

Neither RDS's master user nor its twin is a superuser, and since PostgreSQL 15 nobody but one can make others members
of the master user. So it is the twin that owns everything, and the master user acts as the twin from the moment it
signs in (``ALTER ROLE ... SET role``): whoever of the two makes a table, both own it.

All statements are those that RDS lets its master user run, and all can be run again.
"""

from __future__ import annotations

from typing import Any

from ..engine.errors import EngineError
from ..engine.lease import insist
from ..engine.waiting import Patience, Progress, wait_until
from ..postgres.connection import MAINTENANCE, Server, Unreachable

try:
    import psycopg
    from psycopg import sql
except ImportError:
    # server_of refuses to begin, in Ansible's usual words.
    pass

#: Statements that wait for a lock hold up whoever comes behind them, so they give up soon and try again: sooner than
#: PostgreSQL looks for deadlocks (deadlock_timeout, 1 s), or a client could be the one that it ends.
LOCK_MILLISECONDS = 500
#: Who one is on the server, and whether that is as good as the owner of a database.
STANDING = """
    SELECT session_user::text, coalesce((
        SELECT pg_has_role(current_user, datdba, 'USAGE') FROM pg_database WHERE datname = %s), false)
"""
#: What the master user may hand on to the twin, and whether as something to hand on: what it was given that way, and
#: RDS's own role, which RDS lets it hand on in any case.
GRANTABLE = """
    SELECT given.rolname, bool_or(own.admin_option) FROM pg_auth_members AS own
        JOIN pg_roles AS given ON given.oid = own.roleid JOIN pg_roles AS member ON member.oid = own.member
    WHERE member.rolname = %(master)s AND (own.admin_option OR given.rolname = 'rds_superuser')
        AND given.rolname <> %(twin)s
        AND NOT EXISTS (SELECT FROM pg_auth_members AS had JOIN pg_roles AS twin ON twin.oid = had.member
                        WHERE twin.rolname = %(twin)s AND had.roleid = own.roleid
                            AND had.admin_option >= own.admin_option)
    GROUP BY given.rolname ORDER BY given.rolname
"""
#: Where a user owns something, and the databases that it owns itself.
OWNED = """
    SELECT DISTINCT place.datname FROM pg_shdepend AS tie
        JOIN pg_database AS place ON place.oid = tie.dbid OR (tie.dbid = 0 AND place.oid = tie.objid
                                                             AND tie.classid = 'pg_database'::regclass)
        JOIN pg_roles AS owner ON owner.oid = tie.refobjid
    WHERE tie.refclassid = 'pg_authid'::regclass AND tie.deptype = 'o' AND owner.rolname = %s
    ORDER BY place.datname
"""
DATABASES = """
    SELECT datname FROM pg_database JOIN pg_roles AS owner ON owner.oid = datdba WHERE owner.rolname = %s
    ORDER BY datname
"""
SCHEMAS = """
    SELECT nspname FROM pg_namespace JOIN pg_roles AS owner ON owner.oid = nspowner
    WHERE owner.rolname = %s AND nspname NOT LIKE 'pg\\_%%' ORDER BY nspname
"""
SETTING = """
    SELECT 1 FROM pg_db_role_setting AS own JOIN pg_roles AS one ON one.oid = own.setrole
    WHERE one.rolname = %s AND own.setdatabase = 0 AND %s = ANY (own.setconfig)
"""
#: Jobs are those of the user that made them, and nobody else sees them.
JOBS = """
    SELECT jobid, coalesce(jobname, 'job ' || jobid), schedule, command, database, active,
           active AND database = current_database()
    FROM cron.job WHERE username = %s ORDER BY jobid
"""
SCHEDULE = "SELECT cron.schedule(%s, %s, %s)"
#: Not everybody may call this one, so it is for jobs only that need it.
SCHEDULE_ELSEWHERE = "SELECT cron.schedule_in_database(%s, %s, %s, %s, NULL, %s)"


def signs_in(server: Server, database: str) -> str:
    """Return why a server does not let somebody in, or not as one who owns the database; empty if all is well."""
    try:
        with server.connect() as connection:
            user, owns = connection.execute(STANDING, [database]).fetchone()
    except Unreachable as error:
        return str(error)
    return "" if user == server.user and owns else f"{user} does not own the database {database} there"


def prepare_twin(master: Server, twin: Server, patience: Patience, progress: Progress) -> None:
    """Make the twin, with its password, and let it own what the master user owned.

    Args:
        master: the server, as the master user.
        twin: the server, as the twin, with the password that it shall have.
    """
    with master.connect() as connection:
        connection.execute("SET ROLE NONE")
        _make(connection, twin)
        names = {"master": master.user, "twin": twin.user}
        for role, handed_on in connection.execute(GRANTABLE, names).fetchall():
            _run(connection, "GRANT {} TO {}" + " WITH ADMIN OPTION" * handed_on, role, twin.user)
        if not connection.execute("SELECT pg_has_role(%s, %s, 'USAGE')", [master.user, twin.user]).fetchone()[0]:
            _run(connection, "GRANT {} TO {}", twin.user, master.user)
        for (database,) in connection.execute(DATABASES, [master.user]).fetchall():
            _run(connection, "ALTER DATABASE {} OWNER TO {}", database, twin.user)
        places = [place for (place,) in connection.execute(OWNED, [master.user]).fetchall()]
    for place in dict.fromkeys([MAINTENANCE, *places]):
        _hand_over(master, twin.user, place, patience, progress)
    with master.connect() as connection:
        if not connection.execute(SETTING, [master.user, f"role={twin.user}"]).fetchone():
            _run(connection, "ALTER ROLE {} SET role TO {}", master.user, twin.user)


def _make(connection: Any, twin: Server) -> None:
    """Make the twin, or give it the password: hashed here, so that no log of the server gets to see it."""
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [twin.user]).fetchone()
    words = "ALTER ROLE {} LOGIN" if known else "CREATE ROLE {} LOGIN CREATEDB CREATEROLE"
    hashed = connection.pgconn.encrypt_password(twin.password.encode(), twin.user.encode(), b"scram-sha-256").decode()
    insist(f"setting the password of {twin.user}")
    connection.execute(sql.SQL(words + " PASSWORD {}").format(sql.Identifier(twin.user), sql.Literal(hashed)))


def _run(connection: Any, words: str, *names: str) -> None:
    insist(words.format(*names))
    connection.execute(sql.SQL(words).format(*map(sql.Identifier, names)))


def _hand_over(master: Server, twin: str, database: str, patience: Patience, progress: Progress) -> None:
    """Let the twin own everything that the master user owns in one database, and run its jobs."""

    def check() -> tuple[bool | None, str]:
        try:
            with master.connect(database) as connection:
                return _handed_over(connection, master.user, twin), ""
        except Unreachable as error:
            in_use = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)
            if isinstance(error.__cause__, in_use):
                return None, "in use by sessions that hold locks"
            raise

    what = f"what {master.user} owns in the database {database} at {master.host} to become that of {twin}"
    mend = "Nothing that applications use was changed. End long transactions, e.g. a dump, then run again."
    wait_until(check, what, 1, patience, progress, mend)


def _handed_over(connection: Any, master: str, twin: str) -> bool:
    connection.execute("SET ROLE NONE")
    connection.execute(f"SET lock_timeout = '{LOCK_MILLISECONDS}ms'")
    with connection.transaction():
        # Schemas first: who shall own something in one must be able to make things there.
        for (schema,) in connection.execute(SCHEMAS, [master]).fetchall():
            _run(connection, "ALTER SCHEMA {} OWNER TO {}", schema, twin)
        if (connection.info.dbname,) in connection.execute(OWNED, [master]).fetchall():
            _run(connection, "REASSIGN OWNED BY {} TO {}", master, twin)
        if connection.execute("SELECT to_regclass('cron.job') IS NOT NULL").fetchone()[0]:
            _hand_over_jobs(connection, master, twin)
    return True


def _hand_over_jobs(connection: Any, master: str, twin: str) -> None:
    """Let the twin run the jobs that the master user has scheduled."""
    jobs = connection.execute(JOBS, [master]).fetchall()
    if not jobs:
        return
    if not connection.execute("SELECT has_schema_privilege(%s, 'cron', 'USAGE')", [twin]).fetchone()[0]:
        _run(connection, "GRANT USAGE ON SCHEMA cron TO {}", twin)
    for number, *job, plain in jobs:
        insist(f"handing the job {number} over")
        connection.execute("SELECT cron.unschedule(%s::bigint)", [number])
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(twin)))
        connection.execute(SCHEDULE if plain else SCHEDULE_ELSEWHERE, job[:3] if plain else job)
        connection.execute("SET LOCAL ROLE NONE")


def refuse_closed(server: Server, database: str, is_open: bool | None) -> None:
    """Refuse to begin on a database that is closed: it is being moved, or its lease has run out.

    Raises:
        EngineError: if it is.
    """
    if is_open:
        return
    state = "closed to its clients" if is_open is False else "not there"
    raise EngineError(
        f"The database {database} at {server.host} is {state}, so its credentials are not rotated now. Nothing was "
        "changed. See who leads with playbooks/dr_status.yml."
    )
