# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cost as people ask for it: by inventories, against budgets, against a base. No AWS is there, and none is asked."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.platform_runs import ROOT, Platform

ENVIRONMENTS = ("dev", "staging", "prod", "dr")


def cost(
    folder: Path, *inventories: str, playbook: str = "cost", **extra: Any
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Run the playbook where there is no AWS, and return how it ended, and its report."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{kept['PATH']}"
    done = subprocess.run(
        [
            "ansible-playbook",
            f"playbooks/{playbook}.yml",
            *(f"-iinventories/{name}" for name in inventories),
            *("-e", json.dumps({"cost_directory": str(folder), **extra})),
        ],
        check=False,
        cwd=ROOT,
        env={**kept, "PATH": path, "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
    )
    report = folder / "cost.json"
    return done, json.loads(report.read_text("utf-8")) if report.exists() else {}


def test_all_environments_in_one_run(tmp_path: Path) -> None:
    done, report = cost(tmp_path, *ENVIRONMENTS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [one["environment"] for one in report["environments"]] == list(ENVIRONMENTS)
    assert report["monthly"] == {"minimum": 3711.3, "desired": 4040.4, "maximum": 6163.05}
    assert report["over_budget"] == []
    assert {path.name for path in tmp_path.iterdir()} == {"cost.json", "cost.html", "cost.md"}
    for shown in ("$6,163.05", "would be $935.74 over it with the most nodes", "✓ add up to $1,157.99"):
        assert shown in done.stdout


def test_a_budget_that_is_not_kept_ends_the_run_in_a_failure(tmp_path: Path) -> None:
    done, report = cost(tmp_path, "staging", "prod", cost_budget_basis="maximum")
    assert done.returncode == 2
    assert len(report["over_budget"]) == 2
    assert "its budget is $800.00, so it is over by $221.79" in done.stdout
    assert "Raise platform_budget_usd_month, or spend less" in done.stdout
    told, _report = cost(tmp_path, "staging", cost_budget_basis="maximum", cost_fail_over_budget=False)
    assert told.returncode == 0


def test_something_without_a_price_fails_a_strict_run_alone(tmp_path: Path) -> None:
    unknown = {"rds_instance_class": "db.r8g.large"}
    done, report = cost(tmp_path, "staging", **unknown)
    assert done.returncode == 0
    assert report["environments"][0]["unpriced"] == ["Primary, db.r8g.large Multi-AZ"]
    strict, _report = cost(tmp_path, "staging", cost_strict=True, **unknown)
    assert strict.returncode == 2
    assert "There is no price of staging: Primary, db.r8g.large Multi-AZ" in strict.stdout


def test_what_a_change_costs_more_than_a_commit(tmp_path: Path) -> None:
    done, report = cost(tmp_path, "dev", cost_base="HEAD", eks_node_maximum=9)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = {one["name"]: one["change"]["maximum"] for one in report["difference"]["lines"]}
    assert lines["EC2 t3.medium"] > 0
    assert "Compared with `HEAD`" in (tmp_path / "cost.md").read_text("utf-8")


def test_what_a_change_costs_more_than_an_earlier_report(tmp_path: Path) -> None:
    cost(tmp_path / "before", "dev", "prod")
    base = str(tmp_path / "before" / "cost.json")
    done, report = cost(tmp_path / "after", "prod", cost_base=base, rds_replicas=[])
    assert done.returncode == 0, done.stdout + done.stderr
    # Two replicas of 328.50, each with 11.50 of storage, and their alarms.
    assert report["difference"]["change"]["desired"] == pytest.approx(-680 - 0.1 * 14, abs=0.005)


def test_an_inventory_that_cannot_be_priced_is_refused_by_name(tmp_path: Path) -> None:
    done, report = cost(tmp_path, "dev", vpc_zones="us-west-2a", cost_usage={"nodes": 99})
    assert done.returncode == 2
    assert report == {}
    assert "dev cannot be priced." in done.stdout
    assert "vpc_zones is us-west-2a: it must be a list" in done.stdout


def test_all_refused_says_so_of_a_quantity_too(tmp_path: Path) -> None:
    done, _report = cost(tmp_path, "dev", cost_usage={"nodes": 99})
    assert done.returncode == 2
    assert "cost_usage.nodes is 99: there are 2 to 4 nodes" in done.stdout


def test_prices_are_renewed_and_used(empty: Platform, tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    renewed = empty.playbook(playbook="playbooks/refresh_prices.yml", extra={"prices_path": str(path)})
    assert renewed.status == 0, renewed.output
    assert "ondemand:linux:t3.large" in renewed.output
    done, report = cost(tmp_path, "staging", cost_prices_file=str(path))
    assert done.returncode == 0, done.stdout
    (staging,) = report["environments"]
    assert staging["categories"]["Nodes"]["minimum"] == 124.1
    assert report["prices"]["age_days"] == 0


def test_a_plan_says_what_it_costs(empty: Platform) -> None:
    run = empty.playbook("prod", check=True)
    assert run.status == 0, run.output[-4000:]
    monthly = {action["action"]: action.get("monthly") for action in run.hosts["prod"]["actions"]}
    assert monthly["create/rds_instance/primary"] == {"usd": 679.27, "note": ""}
    assert monthly["create/eks_cluster/main"] == {"usd": 73.0, "note": "and nodes"}
    assert monthly["create/ec2_vpc/main"] is None
    assert "what is created costs $1,4" in run.output


def test_the_shipped_budgets_are_the_products() -> None:
    budgets = {
        name: yaml.safe_load((ROOT / f"inventories/{name}/host_vars/{name}/platform.yml").read_text("utf-8"))[
            "platform_budget_usd_month"
        ]
        for name in ENVIRONMENTS
    }
    assert budgets == {"dev": 500, "staging": 800, "prod": 2500, "dr": 2041}
