# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that cannot be are refused by the run that people type, before it has changed anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ansible.plugins.loader import init_plugin_loader

from tests.platform_runs import ROOT, Platform
from tests.resilience.proof import Case, Proof

#: What somebody may try, or paste by mistake, into anything that becomes a name.
HOSTILE = {
    "a command": "$(touch owned)",
    "a second command": "prod; aws s3 rb s3://everything --force",
    "SQL": "app'; DROP TABLE orders; --",
    "JSON": '{"Statement": []}',
    "a path": "../../etc/passwd",
    "a line break": "prod\nplatform_region: us-east-1",
    "letters that look alike": "\u0440r\u043ed",
    "letters from right to left": "\u202eprod",
    "a face": "prod\U0001f600",
    "a zero byte": "prod\x00",
    "too much": "x" * 10_000,
    "nothing but blanks": "   ",
}
#: What becomes a name in AWS or in PostgreSQL.
NAMES = ("platform_name", "platform_environment", "rds_database_name", "rds_master_username", "eks_cluster_name")


def prepare(stand: Platform) -> Sequence[Case]:
    """Return the wrong inventories that extra variables can express, and hostile names."""
    stand.begin()
    cases = list(_known())
    for variable in NAMES:
        cases += [_case(f"{variable}: {what}", "prod", {variable: text}, variable) for what, text in HOSTILE.items()]
    return cases


def _known() -> Iterator[Case]:
    """Yield those of ``tests/inventories/cases.yml`` that leave nothing out and need no second environment."""
    init_plugin_loader([str(ROOT / "collections")])
    from tests.inventories import WRONG, shipped  # noqa: PLC0415 - it imports the collection, found only now

    for wrong in WRONG:
        given, base = wrong.inventory.values, shipped(wrong.inventory.name).values
        if not wrong.others and base.keys() <= given.keys():
            changes = {name: value for name, value in given.items() if base.get(name, ...) != value}
            variable = wrong.variable.partition("[")[0].partition(".")[0]
            yield _case(wrong.case, wrong.inventory.name, changes, variable)


def _case(name: str, environment: str, extra: dict[str, Any], variable: str) -> Case:
    def refused(stand: Platform) -> list[str]:
        run = stand.playbook(environment, extra=extra)
        faults = [] if run.status else ["it was not refused"]
        if run.mutations or run.lock_writes:
            faults.append(f"it changed {run.mutations}")
        if variable not in run.output:
            faults.append(f"the message does not name {variable}: {run.output[-600:]}")
        return faults

    return Case(name, refused)


PROOF = Proof("bad_input", prepare, sample=6)
