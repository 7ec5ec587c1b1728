# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that meet: one works, the others wait or are refused by name, whatever becomes of the one that works."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.platform_runs import LOCK_WRITE, ROOT, Platform, commands_of

TABLE = "pipeops-prod-locks"
#: What a run of prod does that takes a while: a change of the tags of everything.
WORK = {"platform_tags": {"cost-center": "42"}}
LEASE = 12
#: A lease that is not renewed before the run ends, however slow the machine is: its writes can be counted.
LONG = {"deployment_lock_lease_seconds": 3600}


class Started:
    """A run in the background, with all of its processes: the controller, its workers, and who keeps its lease."""

    def __init__(self, stand: Platform, playbook: str = "site.yml", **extra: Any) -> None:
        self.stand, self.mark = stand, uuid.uuid4().hex
        self.folder = tempfile.TemporaryDirectory()
        self.output = Path(self.folder.name) / "output"
        command = ["ansible-playbook", playbook, "-iinventories/prod"]
        extra = {"deployment_lock_lease_seconds": LEASE, "run_mark": self.mark, **extra}
        with self.output.open("w", encoding="utf-8") as output:
            self.process = subprocess.Popen(
                [*command, "-e", json.dumps(extra)],
                cwd=ROOT,
                # The sandbox takes any key: this one tells the calls of this run from those of others.
                env={**stand.environment(), "AWS_ACCESS_KEY_ID": self.mark},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def pids(self) -> set[int]:
        """Return all of its processes: they were forked, so they share its command line."""
        found = set()
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                if self.mark.encode() in path.read_bytes():
                    found.add(int(path.parent.name))
        return found

    def signal(self, number: int) -> None:
        """Send a signal to all of its processes."""
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    @property
    def changes(self) -> int:
        """How much it has changed, its lock left aside."""
        made = [call for call in self.stand.calls() if call["principal"] == self.mark and call["mutating"]]
        return sum(call["status"] == 200 and f"{call['service']}:{call['operation']}" != LOCK_WRITE for call in made)

    def until_it_works(self) -> None:
        """Wait until it is in the middle of its changes."""
        until(lambda: self.changes >= 3)

    def end(self) -> str:
        """Wait for its end and return what it printed."""
        self.process.wait(timeout=240)
        return " ".join(self.output.read_text("utf-8").split())

    def close(self) -> None:
        """Leave nothing behind."""
        self.signal(signal.SIGKILL)
        self.process.wait(timeout=30)
        self.folder.cleanup()


@pytest.fixture
def start(prod: Platform) -> Iterator[Callable[..., Started]]:
    """Start runs of prod, on a platform on which every change takes a moment."""
    runs: list[Started] = []

    def begin(playbook: str = "site.yml", **extra: Any) -> Started:
        runs.append(Started(prod, playbook, **extra))
        return runs[-1]

    prod.control("POST", "faults", effect="latency", latency=400, mutating=True, operation="(?!UpdateItem).*")
    yield begin
    for run in runs:
        run.close()


def until(condition: Callable[[], Any], seconds: float = 180) -> Any:
    """Wait for a condition, and return what it returned."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)
    return found


def outlasts_others(stand: Platform) -> None:
    """Let the run that comes first take longer than it takes to start others, on a slow machine, too."""
    stand.control("POST", "faults", effect="latency", latency=6000, service="ec2", operation="CreateTags")


def item(stand: Platform) -> dict[str, str]:
    """Return the lock of prod as it stands."""
    answer = stand.client("dynamodb").get_item(TableName=TABLE, Key={"lock_id": {"S": "deployment"}})
    return {name: next(iter(value.values())) for name, value in answer.get("Item", {}).items()}


def test_a_run_takes_the_lock_and_frees_it(prod: Platform) -> None:
    run = prod.playbook("prod", extra=LONG)
    assert run.status == 0, run.output[-3000:]
    assert (run.mutations, run.lock_writes) == ([], 2)
    left = item(prod)
    assert "run" not in left
    assert (left["purpose"], int(left["pid"]) > 1, "@" in left["holder"]) == ("site.yml", True, True)
    dry = prod.playbook("prod", check=True, extra=WORK)
    assert (dry.mutations, dry.lock_writes) == ([], 0)


@pytest.mark.thorough
def test_the_first_run_takes_it_as_soon_as_there_is_one(empty: Platform) -> None:
    run = empty.playbook("dev", extra=LONG)
    assert run.status == 0, run.output[-3000:]
    writes = [
        f"{call['service']}:{call['operation']}" for call in run.calls if call["mutating"] and call["status"] == 200
    ]
    before = writes[: writes.index(LOCK_WRITE)]
    assert {name.split(":")[0] for name in before} == {"kms", "dynamodb", "s3"}
    assert run.lock_writes == 3, "one try too early, then taken and freed"


@pytest.mark.parametrize(
    "extra", [{"vpc_cidr": "10.7.0.0/16"}, pytest.param({"eks_version": "1.37"}, marks=pytest.mark.thorough)]
)
def test_a_run_that_fails_frees_it(prod: Platform, extra: dict[str, Any]) -> None:
    run = prod.playbook("prod", extra={**LONG, **extra})
    assert (run.status, run.lock_writes) == (2, 2)
    assert "run" not in item(prod)


@pytest.mark.thorough
def test_of_two_runs_the_second_is_refused_by_name(prod: Platform, start: Callable[..., Started]) -> None:
    outlasts_others(prod)
    first = start(**WORK)
    until(lambda: "run" in item(prod))
    second = prod.playbook("prod", playbook="playbooks/network.yml")
    said = " ".join(second.output.split())
    assert second.status == 2
    assert second.mutations == []
    assert "Refused, nothing was changed. The deployment lock of prod in us-west-2 is held by" in said
    assert f"(process {first.process.pid}) for site.yml" in said
    assert "failed=0" in first.end()
    assert "run" not in item(prod)


def test_of_two_runs_the_second_waits(prod: Platform, start: Callable[..., Started]) -> None:
    outlasts_others(prod)
    first = start(**WORK)
    until(lambda: "run" in item(prod))
    second = start(deployment_lock_wait_seconds=120, **WORK)
    assert "failed=0" in first.end()
    said = second.end()
    assert "failed=0" in said and "changed=0" in said
    assert "Waiting for the deployment lock of prod: held by" in said
    assert "Look again after a wait" in said


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, id="Ctrl-C"),
        pytest.param(signal.SIGTERM, id="SIGTERM", marks=pytest.mark.thorough),
    ],
)
def test_an_interrupted_run_frees_it(prod: Platform, start: Callable[..., Started], number: int) -> None:
    run = start(**WORK)
    run.until_it_works()
    run.process.send_signal(number)
    run.end()
    until(lambda: "run" not in item(prod), seconds=15)
    until(lambda: not run.pids(), seconds=15)


@pytest.mark.thorough
def test_after_a_loss_of_the_machine_the_second_goes_on(prod: Platform, start: Callable[..., Started]) -> None:
    first = start(**WORK)
    first.until_it_works()
    first.signal(signal.SIGKILL)
    killed = time.monotonic()
    assert prod.playbook("prod", playbook="playbooks/network.yml").status == 2, "its lease has not ended"
    second = start(deployment_lock_wait_seconds=180, **WORK)
    said = second.end()
    assert "failed=0" in said
    assert time.monotonic() - killed > LEASE / 2
    assert int(item(prod)["fencing_token"]) > 0


@pytest.mark.thorough
def test_a_killed_controller_leaves_no_worker_with_a_lock(prod: Platform, start: Callable[..., Started]) -> None:
    """Its workers may go on for a while. Nobody renews their lease, and it is freed when they are gone."""
    first = start(**WORK)
    first.until_it_works()
    first.process.kill()
    until(lambda: "run" not in item(prod), seconds=3 * LEASE)
    count = first.changes
    until(lambda: not first.pids(), seconds=3 * LEASE)
    assert first.changes == count, "a change after the lock was freed"


@pytest.mark.parametrize(
    "everything",
    [pytest.param(True, id="machine"), pytest.param(False, id="controller", marks=pytest.mark.thorough)],
)
def test_a_run_that_sleeps_past_its_lease_changes_nothing_more(
    prod: Platform, start: Callable[..., Started], everything: bool
) -> None:
    first = start(**WORK)
    first.until_it_works()
    if everything:
        first.signal(signal.SIGSTOP)
    else:
        first.process.send_signal(signal.SIGSTOP)
    second = start("playbooks/network.yml", deployment_lock_wait_seconds=180)
    assert "failed=0" in second.end()
    count = first.changes
    first.signal(signal.SIGCONT)
    said = first.end()
    assert first.changes == count
    assert first.process.returncode == 2
    assert "this run has lost the deployment lock of prod" in said
    assert "Run it again: it goes on where this one stopped." in said


def test_unlock_stops_a_run_before_its_next_change(prod: Platform, start: Callable[..., Started]) -> None:
    outlasts_others(prod)
    first = start(**WORK)
    first.until_it_works()
    told = prod.playbook("prod", playbook="playbooks/unlock.yml", check=True)
    assert f"(process {first.process.pid}) for site.yml" in " ".join(told.output.split())
    assert told.lock_writes == 0
    refused = prod.playbook("prod", playbook="playbooks/unlock.yml", extra={"confirm": "dev"})
    assert refused.status == 2 and "Not confirmed, nothing was changed" in refused.output
    freed = prod.playbook("prod", playbook="playbooks/unlock.yml", extra={"confirm": "prod"})
    assert freed.status == 0, freed.output[-3000:]
    assert "run" not in item(prod)
    count = first.changes
    said = first.end()
    assert first.changes == count
    assert "for unlock.yml has asked for it" in said
    again = prod.playbook("prod", playbook="playbooks/unlock.yml")
    assert again.status == 0 and "of prod is free" in again.output


@pytest.mark.thorough
def test_a_lock_of_several_environments_is_refused_as_a_whole(pair: Platform) -> None:
    pair.client("dynamodb", "us-east-1").update_item(
        TableName="pipeops-dr-locks",
        Key={"lock_id": {"S": "deployment"}},
        UpdateExpression="SET #run = :run, holder = :holder, ends_at = :end, fencing_token = :token",
        ExpressionAttributeNames={"#run": "run"},
        ExpressionAttributeValues={
            ":run": {"S": "x"},
            ":holder": {"S": "carol@desk"},
            ":end": {"N": str(time.time() + 600)},
            ":token": {"N": "1"},
        },
    )
    run = pair.playbook("prod", "dr", extra=WORK)
    assert (run.status, run.mutations) == (2, [])
    assert "The deployment lock of dr in us-east-1 is held by carol@desk" in " ".join(run.output.split())
    assert "run" not in item(pair)


def test_the_commands_of_the_page_work(prod: Platform) -> None:
    commands = commands_of(ROOT / "docs" / "deployment_lock.md")
    assert len(commands) == 3
    for command in commands:
        done = prod.shell(command)
        assert done.returncode == 0, f"{command}\n{(done.stdout + done.stderr)[-3000:]}"
