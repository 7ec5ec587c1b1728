"""One PostgreSQL server: its process, its files, and SQL as RDS's own superuser."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg

from .account import Account
from .addresses import SERVER_PORT
from .binaries import Binaries

log = logging.getLogger(__name__)
ADMIN = "rdsadmin"
START_SECONDS, STOP_SECONDS = 60.0, 20.0
STOP_SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
# A parameter group may make sessions read-only or short; RDS's own are not touched by it.
SESSION = "-c default_transaction_read_only=off -c statement_timeout=0 -c lock_timeout=0 -c synchronous_commit=local"


class ServerError(Exception):
    """A server did not do what it should; the message has the end of its log."""


def wait_until(done: Callable[[], bool], seconds: float, interval: float = 0.01) -> bool:
    """Wait for a condition, and tell whether it came about in time."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(interval)
    return True


class PgServer:
    """A server in ``directory/data`` that listens on ``address``."""

    def __init__(self, directory: Path, address: str, binaries: Binaries, who: Account, secret: str) -> None:
        self.directory, self.data = directory, directory / "data"
        self.address = address
        self.binaries = binaries
        self._who, self._secret = who, secret
        self._process: subprocess.Popen[bytes] | None = None
        self._helper: subprocess.Popen[str] | None = None

    @property
    def running(self) -> bool:
        """Tell whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def standby(self) -> bool:
        """Tell whether the data directory is a replica's."""
        return (self.data / "standby.signal").exists()

    def run(self, program: str, *words: str, password: bool = False) -> str:
        """Run one of PostgreSQL's programs to its end, and return its output.

        Raises:
            ServerError: if it fails.
        """
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
        if password:
            environment["PGPASSWORD"] = self._secret
        self._helper = subprocess.Popen(  # noqa: S603 - PostgreSQL's own programs
            [self.binaries.program(program), *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, cwd=self.directory, env=environment, **self._who.options,
        )  # fmt: skip
        output, errors = self._helper.communicate()
        if self._helper.returncode:
            raise ServerError(f"{program} failed: {errors.strip()[-800:]}")
        return output

    def write(self, name: str, text: str) -> None:
        """Put a file into the data directory, in one step."""
        scratch = self.data / f".{name}.new"
        scratch.write_text(text, "utf-8")
        scratch.chmod(0o600)
        if self._who.user:
            os.chown(scratch, self._who.uid, self._who.gid)
        scratch.replace(self.data / name)

    def start(self) -> None:
        """Start, and wait until it takes connections.

        Raises:
            ServerError: if it ends or does not come up.
        """
        if self.running:
            return
        remove_stale_lock(self.data)
        with (self.directory / "server.log").open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - PostgreSQL's own program
                [self.binaries.program("postgres"), "-D", str(self.data)], stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, cwd=self.directory, start_new_session=True, **self._who.options,
            )  # fmt: skip
        if not wait_until(lambda: self._answers() or not self.running, START_SECONDS) or not self.running:
            self.stop("immediate")
            raise ServerError(f"the server did not start: {self.log_end()}")

    def _answers(self) -> bool:
        """Tell whether the lock file says that connections are taken."""
        try:
            lines = (self.data / "postmaster.pid").read_text("utf-8").splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[0] == str(self._pid()) and lines[7].strip() == "ready"

    def _pid(self) -> int:
        return self._process.pid if self._process else 0

    def log_end(self) -> str:
        """Return the last lines of the server's log."""
        try:
            return " | ".join((self.directory / "server.log").read_text("utf-8", "replace").splitlines()[-6:])
        except OSError:
            return "it wrote no log"

    def last_error(self) -> str:
        """Return what the server complained of last."""
        try:
            lines = (self.directory / "server.log").read_text("utf-8", "replace").splitlines()
        except OSError:
            lines = []
        errors = [line.split(mark, 1)[1].strip() for line in lines for mark in (" FATAL:", " ERROR:") if mark in line]
        return errors[-1] if errors else "the server says nothing of it"

    def stop(self, mode: str = "fast") -> None:
        """Stop: ``fast`` ends sessions and writes everything, ``immediate`` is a crash."""
        if mode == "immediate" and self._helper and self._helper.poll() is None:
            self._helper.kill()
        if self._process is None:
            return
        if self.running:
            self._process.send_signal(STOP_SIGNALS[mode])
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            log.warning("the server in %s did not stop, it is killed", self.directory)
            self._process.kill()
            self._process.wait()
        self._process = None

    def reload(self) -> None:
        """Let it read its configuration again."""
        if self._process and self.running:
            self._process.send_signal(signal.SIGHUP)

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """Return a session as RDS's superuser, each statement a transaction of its own."""
        return psycopg.connect(
            host=self.address, port=SERVER_PORT, user=ADMIN, password=self._secret, dbname=database,
            autocommit=True, connect_timeout=5, options=SESSION, application_name=ADMIN,
        )  # fmt: skip

    def sql(self, *statements: Any, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run statements in one session, and return the rows of the last one."""
        with self.connect(database) as session:
            for statement in statements[:-1]:
                session.execute(statement)
            cursor = session.execute(statements[-1])
            return cursor.fetchall() if cursor.description else []

    def processes(self) -> list[psutil.Process]:
        """Return the server's processes, the first one first."""
        if not self.running:
            return []
        first = psutil.Process(self._pid())
        return [first, *first.children(recursive=True)]


def remove_stale_lock(data: Path) -> None:
    """Remove the lock file of a server that is gone: its number may belong to another process now."""
    (data / "postmaster.pid").unlink(missing_ok=True)


@contextmanager
def frozen(servers: Iterable[PgServer]) -> Iterator[None]:
    """Hold servers still, all at one moment, as a snapshot of their disks sees them; nobody is disconnected."""
    stopped: list[psutil.Process] = []
    try:
        for server in servers:
            # Until nobody is left who could have started another one meanwhile.
            while running := [process for process in server.processes() if process not in stopped]:
                for process in running:
                    try:
                        process.suspend()
                    except psutil.NoSuchProcess:
                        continue
                    finally:
                        stopped.append(process)
        yield
    finally:
        for process in reversed(stopped):
            try:
                process.resume()
            except psutil.NoSuchProcess:
                continue


def tidy(servers: Path) -> int:
    """End what an earlier sandbox left running below a directory, and return how many servers that was."""
    ended = [process for data in servers.glob("*/data") if (process := _left_behind(data))]
    for process in ended:
        for one in [process, *process.children(recursive=True)]:
            one.resume()
        process.send_signal(signal.SIGQUIT)
    _gone, alive = psutil.wait_procs(ended, timeout=5)
    for process in alive:
        process.kill()
    return len(ended)


def _left_behind(data: Path) -> psutil.Process | None:
    """Return the server that runs in a data directory."""
    try:
        process = psutil.Process(int((data / "postmaster.pid").read_text("utf-8").split()[0]))
        mine = str(data) in process.cmdline()
    except (OSError, ValueError, IndexError, psutil.Error):
        return None
    return process if mine else None
