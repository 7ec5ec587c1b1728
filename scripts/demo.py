# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The newcomer's first run: environments stood up on the sandbox, and then once more to see that nothing changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests
from pipeops_sandbox.kubernetes import build
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build"
ENVIRONMENTS = ("dev", "staging", "prod", "dr")
#: How a run takes and frees the deployment lock: it changes an item of the lock table, and no resource.
LOCK = frozenset({"UpdateItem"})

console = Console(highlight=False)


def start_sandbox() -> dict[str, str]:
    """Start the sandbox, or take the one that runs, and return the variables that lead to it."""
    subprocess.run([sys.executable, "-m", "pipeops_sandbox", "up"], check=True, cwd=ROOT)
    lines = subprocess.run(
        [sys.executable, "-m", "pipeops_sandbox", "env"], check=True, cwd=ROOT, capture_output=True, text=True
    ).stdout.splitlines()
    pairs = (line.removeprefix("export ").partition("=") for line in lines if line.startswith("export "))
    return {name: value.strip("\"'") for name, _, value in pairs}


def begin_kubernetes() -> subprocess.Popen[bytes]:
    """Begin to get the Kubernetes programs, beside everything else; return once the sandbox can count on them."""
    getting = subprocess.Popen([sys.executable, "-m", "pipeops_sandbox", "kubernetes", "build"], cwd=ROOT)
    while getting.poll() is None and not build.under_way():
        time.sleep(0.05)
    return getting


def kubernetes_lines(url: str) -> list[str]:
    """Return what stands behind the clusters, a line each."""
    found = requests.get(f"{url}/_sandbox/kubernetes", timeout=10).json()
    if not found["version"]:
        return ["Kubernetes API servers:               none, their programs cannot be had here"]
    return [
        f"Kubernetes {found['version']} of {one['name']} in {one['region']}: {one['endpoint']} is {one['state']}, "
        f"{one.get('nodes', 0)} nodes, {one.get('pods', 0)} pods"
        for one in found["clusters"]
    ]


def site_command(environment: str, *, helm_comes: bool) -> list[str]:
    """Return the command of a run.

    Args:
        helm_comes: whether helm is being built beside the run. It is there before the cluster is, so that the preflight
            need not look for it yet.
    """
    command = ["ansible-playbook", "site.yml", "-i", f"inventories/{environment}"]
    return [*command, "-e", json.dumps({"preflight_helm": ""})] if helm_comes else command


def run_site(environment: str, variables: dict[str, str], *, helm_comes: bool) -> dict[str, Any]:
    """Run the main playbook for one environment and return what it did."""
    plan = BUILD / "plans" / f"{environment}.json"
    plan.unlink(missing_ok=True)
    journal = f"{variables['AWS_ENDPOINT_URL']}/_sandbox/journal"
    requests.delete(journal, timeout=10).raise_for_status()
    started = time.monotonic()
    status = subprocess.run(
        site_command(environment, helm_comes=helm_comes),
        cwd=ROOT,
        env={**os.environ, **variables, "PIPEOPS_PLAN_JSON": str(plan)},
        check=False,
    ).returncode
    seconds = time.monotonic() - started
    calls = requests.get(journal, timeout=30).json()["calls"]
    host = json.loads(plan.read_text("utf-8"))["hosts"].get(environment, {}) if plan.exists() else {}
    return {
        "status": status,
        "ok": host.get("stats", {}).get("ok", 0),
        "changed": host.get("stats", {}).get("changed", 0),
        "failed": host.get("stats", {}).get("failures", 0) or int(status != 0),
        "seconds": round(seconds, 1),
        "calls": len(calls),
        "mutating_calls": sum(call["mutating"] and call["operation"] not in LOCK for call in calls),
        "lock_calls": sum(call["operation"] in LOCK for call in calls),
        "addons": host.get("addons", []),
    }


def summary(report: dict[str, dict[str, dict[str, Any]]]) -> Table:
    """Return both runs of each environment side by side."""
    table = Table(title="Demo", title_justify="left", box=None, pad_edge=False, header_style="dim")
    titles = (
        "environment",
        "run",
        "ok",
        "changed",
        "failed",
        "seconds",
        "API calls",
        "of them mutating",
        "for the lock",
    )
    for title in titles:
        table.add_column(title, justify="left" if title in ("environment", "run") else "right")
    for environment, runs in report.items():
        for name, run in runs.items():
            numbers = ("ok", "changed", "failed", "seconds", "calls", "mutating_calls", "lock_calls")
            table.add_row(environment, name, *(str(run[number]) for number in numbers))
    return table


def cost(environments: list[str]) -> Table | None:
    """Return what the environments cost a month on AWS; None if that cannot be told, which the playbook then says."""
    options = {"cost_details": False, "cost_fail_over_budget": False, "cost_directory": str(BUILD / "cost")}
    inventories = [f"-iinventories/{environment}" for environment in environments]
    command = ["ansible-playbook", "playbooks/cost.yml", *inventories, "-e", json.dumps(options)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode:
        console.print(done.stdout, done.stderr)
        return None
    found = json.loads((BUILD / "cost" / "cost.json").read_text("utf-8"))
    title = "What it would cost on AWS, USD a month"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="dim")
    for column in ("environment", "fewest nodes", "ordinary month", "most nodes", "budget", ""):
        table.add_column(column, justify="left" if column in ("environment", "") else "right")
    for one in found["environments"]:
        monthly = (f"{one['monthly'][scenario]:,.2f}" for scenario in ("minimum", "desired", "maximum"))
        table.add_row(one["environment"], *monthly, f"{one['budget']:,.2f}", one["verdict"])
    return table


def addons(report: dict[str, dict[str, dict[str, Any]]], variables: dict[str, str]) -> Table | str:
    """Return the add-ons of each environment, with versions and health; or why there are none."""
    if variables.get("PIPEOPS_KUBERNETES_ENABLED") == "false":
        return (
            "Add-ons are not installed: there is no Kubernetes API server behind EKS. "
            "python -m pipeops_sandbox kubernetes build makes it, once."
        )
    table = Table(title="Add-ons", title_justify="left", box=None, pad_edge=False, header_style="dim")
    for title in ("environment", "add-on", "chart", "app", "state"):
        table.add_column(title)
    for environment, runs in report.items():
        for addon in list(runs.values())[-1]["addons"]:
            state = "ready" if addon["ready"] else "; ".join(addon["unready"]) or addon["status"]
            chart = f"{addon['chart']} {addon['version']}"
            table.add_row(environment, addon["release"], chart, addon["app_version"], state)
    if variables.get("PIPEOPS_CHART_SOURCE", "").endswith("sandbox/charts"):
        table.caption = (
            "These charts stand in for those of upstream: the same names, and pods that do nothing. "
            "CHARTS=upstream, or a directory of charts, installs the real ones."
        )
        table.caption_justify = "left"
    return table


def main(environments: list[str]) -> int:
    """Run the demo and return the exit status: 0 only if the second runs changed nothing."""
    unknown = [name for name in environments if name not in ENVIRONMENTS]
    if unknown or not environments:
        console.print(f"ENV is {' '.join(environments)!r}, must be among: {', '.join(ENVIRONMENTS)}")
        return 2
    getting = begin_kubernetes()
    try:
        variables = start_sandbox()
    except subprocess.CalledProcessError as error:
        # The sandbox has said why.
        return error.returncode
    console.print("The demo begins with an empty account: what stood in the sandbox is removed.")
    requests.post(f"{variables['AWS_ENDPOINT_URL']}/_sandbox/reset", timeout=10).raise_for_status()
    report: dict[str, dict[str, dict[str, Any]]] = {}
    for environment in environments:
        report[environment] = {}
        for name in ("first", "second"):
            console.rule(f"[bold]{environment}[/], {name} run", align="left")
            report[environment][name] = run_site(environment, variables, helm_comes=getting.poll() is None)
            if report[environment][name]["status"]:
                break
    BUILD.mkdir(exist_ok=True)
    (BUILD / "demo.json").write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    console.print(summary(report))
    costs = cost(environments)
    if costs:
        console.print()
        console.print(costs)
        console.print("The report with a chart and what could be saved: [bold]build/cost/cost.html[/]")
    console.print()
    console.print(addons(report, variables))
    console.print('\nIt all still stands. To look around:  [bold]eval "$(make -s sandbox-env)"[/]')
    if "prod" in environments:
        psql = "python -m pipeops_sandbox psql database.prod.pipeops.internal --secret pipeops/prod/database"
        console.print(f"The database is a real one:           [bold].venv/bin/{psql}[/]")
    getting.wait()
    for line in kubernetes_lines(variables["AWS_ENDPOINT_URL"]):
        console.print(line)
    runs = [run for pair in report.values() for run in pair.values()]
    second = [pair.get("second") for pair in report.values()]
    good = not any(run["failed"] for run in runs)
    return 0 if good and all(run and run["changed"] == run["mutating_calls"] == 0 for run in second) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
