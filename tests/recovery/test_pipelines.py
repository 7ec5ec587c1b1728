# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scheduled jobs of GitHub that look at both sides of the pair, run here."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.delivery.jobs import Runner, deployer
from tests.platform_runs import ROOT
from tests.recovery.conftest import Recovery

pytestmark = pytest.mark.thorough


@pytest.mark.parametrize(
    ("job", "told"), [("readiness", "## Readiness for a failover"), ("drill", "## Recovery drill")]
)
def test_a_scheduled_job_tells_what_it_found(pair: Recovery, tmp_path: Path, job: str, told: str) -> None:
    shutil.rmtree(ROOT / "build" / "reports", ignore_errors=True)
    runner = deployer(Runner(tmp_path), pair, "dr")
    assert runner.run(job, job), runner.output[-6000:]
    assert told in runner.summary
    assert any((runner.artifact(job) / "reports").glob("*.html"))
