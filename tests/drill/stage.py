# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every part of a drill needs: the load, the watch, the operator's hands, and a check of the history."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.drill import history
from tests.drill.door import Closed, Door
from tests.drill.guards import Guards
from tests.drill.load import SCHEMA, Insider, Load
from tests.drill.prober import Prober
from tests.drill.records import Journal, Milestone, Phase, Row, Write
from tests.drill.stand import PlaybookRun, Stand, StandFailure

WEST, EAST = "us-west-2", "us-east-1"
INVENTORIES = ("prod", "dr")
#: In a disaster the operator sits at the side that is left.
LEFT_FIRST = ("dr", "prod")
NAME, SECRET = "database.prod.pipeops.internal", "pipeops/prod/database"
#: Add-ons that no application needs to come; without them a drill with API servers takes half the time.
LEFT_OUT = ("prometheus_operator_crds", "kube_prometheus_stack", "cloudwatch_exporter", "cloudwatch")
#: Seconds between two looks of a playbook that waits: RDS is asked every 15 s, in the sandbox's own time.
DELAY, MODEL_DELAY = 0.5, 15.0
#: The longest wait for the load to find its database, in seconds.
PATIENCE = 60.0
#: Whether both kinds of proof have come in.
LEASED = "SELECT isfinite(named_at) AND isfinite(followed_at) FROM pipeops.write_lease"


@dataclass(frozen=True)
class Plan:
    """What a drill consists of.

    Attributes:
        rate: writes a second, of all writers together.
        circles: planned moves to the other region and back.
        scale: how much faster than real time the clock of the second disaster runs.
    """

    seed: int
    parts: tuple[str, ...] = ("disaster", "circles", "clock")
    circles: int = 1
    writers: int = 4
    readers: int = 2
    rate: float = 150.0
    scale: float = 20.0


class Stage:
    """A platform that stands, with an application that writes to it.

    Args:
        say: is told, in a sentence, what happens.
    """

    def __init__(self, stand: Stand, plan: Plan, journal: Journal, say: Callable[[str], None]) -> None:
        self.stand, self.plan, self.journal, self.say = stand, plan, journal, say
        self.random = random.Random(plan.seed)
        dns_server = stand.variables["PIPEOPS_DNS_SERVERS"].split(",")[0]
        self.door = Door(stand.url, dns_server, NAME, SECRET, (WEST, EAST))
        self.load = Load(self.door, journal, plan.writers, plan.readers, plan.rate)
        self.prober = Prober(self.door, journal)
        self.guards = Guards(stand, SECRET)
        self.insider: Insider | None = None
        self.lost: set[history.Key] = set()
        self.verdict = history.Verdict()

    def begin(self) -> None:
        """Stand the platform up, and let the load and the watch begin."""
        with self.phase("Stand up prod and dr", "setup"):
            self.operate("site.yml", INVENTORIES)
            with self.door.connect("drill")[0] as connection:
                for statement in SCHEMA:
                    connection.execute(statement)
            self._guard()
            self.until(self._guarded, "both guards")
        self.prober.start()
        self.load.start()
        with self.phase("Calm", "calm"):
            self.until(lambda: bool(self.journal.acknowledged_count and self.journal.named_probes), "the first writes")
            self.rest(3)

    def _guard(self) -> None:
        """Let a guard begin in each region, and a client that sits in the region that will be lost."""
        places = {"pipeops-prod": WEST, "pipeops-dr": EAST}
        endpoints = {}
        for identifier, region in places.items():
            (found,) = self.door.client("rds", region).describe_db_instances(DBInstanceIdentifier=identifier)[
                "DBInstances"
            ]
            endpoints[identifier] = found["Endpoint"]["Address"]
        self.guards.start("prod", "dr", WEST, endpoints["pipeops-prod"])
        self.guards.start("dr", "prod", EAST, endpoints["pipeops-dr"])
        inside = self.stand.variables_in(WEST)
        dns_server = inside["PIPEOPS_DNS_SERVERS"]
        door = Door(inside["AWS_ENDPOINT_URL"], dns_server, endpoints["pipeops-prod"], SECRET, (WEST,))
        self.insider = Insider("pipeops-prod", door, self.journal)
        self.insider.start()

    def _guarded(self) -> bool:
        """Tell whether the leader has a lease that both the witness and the replica prolong."""
        options = self.door.options(NAME, self.door.resolve(NAME), "drill") | {"dbname": "postgres"}
        with psycopg.connect(**options) as connection:
            (there,) = connection.execute("SELECT to_regclass('pipeops.write_lease') IS NOT NULL").fetchone() or (0,)
            found = connection.execute(LEASED).fetchone() if there else None
            return bool(found and found[0])

    def end(self) -> None:
        """Stop the load, the watch and the guards."""
        self.load.stop()
        self.prober.stop()
        if self.insider:
            self.insider.stopped.set()
            self.insider.join(timeout=10)
        self.guards.stop()

    @contextmanager
    def phase(self, name: str, kind: str) -> Iterator[Phase]:
        """Note when a part begins and ends."""
        phase = Phase(name, kind, time.monotonic())
        self.journal.phases.append(phase)
        self.say(f"[bold]{name}[/]")
        try:
            yield phase
        finally:
            phase.ended = time.monotonic()

    def mark(self, text: str, at: float | None = None) -> float:
        """Note a moment of the present part, and return it."""
        moment = time.monotonic() if at is None else at
        self.journal.phases[-1].milestones.append(Milestone(moment, text))
        self.say(text)
        return moment

    def operate(self, playbook: str, inventories: Sequence[str], *, check: bool = False, **extra: str) -> PlaybookRun:
        """Run a playbook as the operator, and return what came of it.

        Raises:
            StandFailure: if it fails.
        """
        self.mark(f"{playbook}{' --check' if check else ''} begins")
        own = {"cluster_addons_settings": {name: {"enabled": False} for name in LEFT_OUT}}
        run = self.stand.playbook(playbook, inventories, check=check, **own, **extra)
        if run.status:
            tail = "\n".join(run.log.read_text("utf-8", "replace").splitlines()[-25:])
            raise StandFailure(f"{playbook} failed with exit status {run.status}, see {run.log}:\n{tail}")
        self.mark(f"{playbook} is done, {run.seconds:.1f} s", run.ended)
        return run

    def operate_around(
        self, playbook: str, inventories: Sequence[str], task: str, act: Callable[[], object], **extra: str
    ) -> PlaybookRun:
        """Begin a playbook, do something once it has come to a task, and return what came of it.

        Raises:
            StandFailure: if it fails, or never comes there.
        """
        with ThreadPoolExecutor(1) as hands:
            running = hands.submit(lambda: self.operate(playbook, inventories, check=False, **extra))
            try:
                self.until(lambda: running.done() or f"TASK [{task}]" in self.stand.output(), task)
                act()
                return running.result()
            except BaseException:
                self.stand.end_playbook()
                raise

    def until(self, condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> None:
        """Wait for a condition.

        Raises:
            StandFailure: if it does not come about in time, or the watch or the load broke off.
        """
        deadline = time.monotonic() + seconds
        while True:
            self._see_that_all_work()
            if condition():
                return
            if time.monotonic() > deadline:
                raise StandFailure(f"waited {seconds:.0f} s in vain for {what}")
            time.sleep(0.02)

    def _see_that_all_work(self) -> None:
        if self.prober.failure:
            raise StandFailure(f"the watch broke off: {self.prober.failure!r}")
        if broken := self.load.broken() or self.guards.broken():
            raise StandFailure(f"a part of the load broke off: {broken}")
        if self.insider and self.insider.failure:
            raise StandFailure(f"the client inside {WEST} broke off: {self.insider.failure!r}")

    def rest(self, seconds: float) -> None:
        """Let the load go on for a while: until that many seconds' worth of writes more are acknowledged."""
        wanted = self.journal.acknowledged_count + seconds * self.plan.rate * 0.5
        begun = time.monotonic()
        self.until(
            lambda: time.monotonic() - begun >= seconds and self.journal.acknowledged_count >= wanted,
            "the load to go on",
            seconds + PATIENCE,
        )

    def set_clock(self, profile: str, scale: float) -> None:
        """Choose how long things take in the sandbox, and how often playbooks look, to match."""
        self.stand.control("clock", profile=profile, scale=scale)
        self.stand.delay = DELAY if profile == "instant" else MODEL_DELAY / scale

    def first_write(self, after: float, former: str) -> Write | None:
        """Return the first write that another server than the former one acknowledged after a moment."""
        made = (one for one in self.journal.acknowledged if one.ended > after and one.server != former)
        return min(made, key=lambda one: one.ended, default=None)

    def last_inside(self, after: float, before: float) -> float | None:
        """Return when a client inside the lost region had its last write acknowledged between two moments."""
        made = (one.ended for one in self.journal.inside_probes if after < one.ended < before)
        return max(made, default=None)

    def serving(self) -> str:
        """Return the address of the server that acknowledged the latest write."""
        return self.journal.acknowledged_since(-1)[0].server

    def check_history(self, phase: Phase, cut: float | None = None) -> history.Verdict:
        """Let the load rest, hold all its writes against the rows of the present leader, and let it go on."""
        self.load.hold(self.until)
        rows = self._rows()
        writes = [one for one in self.journal.writes if (one.writer, one.number) not in self.lost]
        verdict = history.check(writes, rows, cut)
        self.load.resume()
        self.lost |= {(one.writer, one.number) for one in verdict.lost}
        phase.figures |= {
            "acknowledged_writes": verdict.acknowledged,
            "lost_writes": len(verdict.lost),
            "lost_span_seconds": round(verdict.span_seconds, 3),
            # Those of earlier parts were counted then.
            "unknown_present": verdict.unknown_present - self.verdict.unknown_present,
            "unknown_absent": verdict.unknown_absent - self.verdict.unknown_absent,
            "history": "whole" if verdict.whole else "broken",
            "doubled": len(verdict.doubled),
            "resurrected": len(verdict.resurrected),
            "foreign": len(verdict.foreign),
            "disordered_writers": len(verdict.disordered),
            "holes": len(verdict.holes),
        }
        self.verdict = verdict
        self.say(f"{verdict.acknowledged} acknowledged writes looked for, {len(verdict.lost)} lost")
        return verdict

    def _rows(self) -> list[Row]:
        found: list[Row] = []

        def read() -> bool:
            try:
                with self.door.connect("drill")[0] as connection:
                    rows = connection.execute("SELECT writer, number, position FROM drill.writes").fetchall()
            except Closed:
                return False
            found.extend(Row(*row) for row in rows)
            return True

        self.until(read, "a connection to look at the rows")
        return found
