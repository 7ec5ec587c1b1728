# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the parts of ``roles/*/README.md`` and of ``docs/environments.md`` that follow from other files.

Such a part stands between ``<!-- begin NAME ... -->`` and ``<!-- end NAME -->``. Inputs come from the role's
``meta/argument_specs.yml``, results from the documentation of its modules, IAM actions from the modules' code, and the
table of environments from the inventories.

Exit status: 0 all is up to date (or was written), 1 something is out of date, 2 a file or a part of it is missing.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from aws_calls import actions_beside, actions_of, calls_of_module

ROOT = Path(__file__).parent.parent
ROLES = ROOT / "roles"
ENVIRONMENTS_PAGE = ROOT / "docs" / "environments.md"
ENVIRONMENTS = ("dev", "staging", "prod", "dr")
PART = re.compile(r"(<!-- begin (\w+)[^>]*-->\n)(.*?)(<!-- end \2 -->)", re.DOTALL)
#: Characters of a default that a table shows; longer ones are read where they stand.
WIDTH = 60
#: Ansible's markup of names and values: C() code, V() value, O() option, RV() result, M() module, P() plugin.
MARKUP = re.compile(r"\b(?:C|V|O|RV|M|P)\(([^)]*)\)")


class Missing(Exception):
    """A file, or a part of one, is not there; the message says which."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write all pages, or with ``--check`` say which are out of date."""
    parser = argparse.ArgumentParser(description="Write the generated parts of the roles' and environments' pages.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page is out of date")
    options = parser.parse_args(arguments)
    try:
        stale = [path for path, text in pages() if path.read_text("utf-8") != text]
    except Missing as error:
        print(f"role_docs: {error}", file=sys.stderr)  # noqa: T201 - this is a command
        return 2
    if options.check:
        for path in stale:
            message = (
                f"{path.relative_to(ROOT)} is out of date. Run python scripts/role_docs.py and commit what it writes."
            )
            print(message, file=sys.stderr)  # noqa: T201
        return int(bool(stale))
    for path, text in pages():
        path.write_text(text, "utf-8")
    return 0


def pages() -> Iterator[tuple[Path, str]]:
    """Yield each page with the text that it should have."""
    for folder in sorted(path for path in ROLES.iterdir() if path.is_dir()):
        parts: dict[str, Callable[[], str]] = {
            "inputs": lambda role=folder.name: inputs(role),  # type: ignore[misc]
            "results": lambda role=folder.name: results(role),  # type: ignore[misc]
            "actions": lambda role=folder.name: actions(role),  # type: ignore[misc]
        }
        yield folder / "README.md", filled(folder / "README.md", parts)
    yield ENVIRONMENTS_PAGE, filled(ENVIRONMENTS_PAGE, {"environments": environments})


def filled(path: Path, parts: Mapping[str, Callable[[], str]]) -> str:
    """Return a page with its generated parts renewed.

    Raises:
        Missing: if the page, or the place of one of the parts in it, does not exist.
    """
    if not path.exists():
        raise Missing(f"{path.relative_to(ROOT)} does not exist. Write it, as CONTRIBUTING.md says.")
    text = path.read_text("utf-8")
    lacking = sorted(parts.keys() - {match[2] for match in PART.finditer(text)})
    if lacking:
        raise Missing(f"{path.relative_to(ROOT)} has no lines <!-- begin NAME --> and <!-- end NAME --> for {lacking}.")
    return PART.sub(lambda match: f"{match[1]}\n{parts[match[2]]()}\n{match[4]}", text)


def modules_of(role: str) -> dict[str, str]:
    """Return the modules by which a role does its work, by where its result has theirs.

    The result of a role with one module is that of the module. One with several has theirs side by side, under the
    names by which its tasks register them: ``__ROLE_NAME``.
    """
    tasks = yaml.safe_load((ROLES / role / "tasks" / "main.yml").read_text("utf-8"))
    used = {task["register"]: key for task in tasks for key in task if key.startswith("pipeops.platform.")}
    if not used:
        raise Missing(f"roles/{role}/tasks/main.yml has no task with a module of ours.")
    names = {register: str(key.rpartition(".")[2]) for register, key in used.items()}
    if len(names) == 1:
        return {f"{role}_result": name for name in names.values()}
    return {f"{role}_result.{register.removeprefix(f'__{role}_')}": name for register, name in names.items()}


def options_of(role: str) -> dict[str, Any]:
    """Return the options of a role's only entry point."""
    document = yaml.safe_load((ROLES / role / "meta" / "argument_specs.yml").read_text("utf-8"))
    (entry_point,) = document["argument_specs"].values()
    options: dict[str, Any] = entry_point["options"]
    return options


def inputs(role: str) -> str:
    """Return the table of a role's inputs."""
    rows = [row for name, spec in options_of(role).items() for row in _input_rows(name, spec)]
    return table(("Variable", "Type", "Default", "Meaning"), rows)


def _input_rows(name: str, spec: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    kind = f"{spec['type']} of {spec['elements']}" if "elements" in spec else str(spec["type"])
    yield f"`{name}`", kind, _default(spec), _meaning(spec)
    inner = f"{name}[]" if spec["type"] == "list" else name
    for option, suboption in spec.get("options", {}).items():
        yield from _input_rows(f"{inner}.{option}", suboption)


def _default(spec: Mapping[str, Any]) -> str:
    if spec.get("required"):
        return "required"
    if "default" not in spec:
        return "none"
    text = flow(spec["default"])
    return f"`{text}`" if len(text) <= WIDTH else "see `defaults/main.yml`"


def _meaning(spec: Mapping[str, Any]) -> str:
    choices = [f"`{flow(choice)}`" for choice in spec.get("choices", ())]
    more = f" {'Any' if spec['type'] == 'list' else 'One'} of {', '.join(choices)}." if choices else ""
    return prose(spec["description"]) + more


def results(role: str) -> str:
    """Return the table of what a role publishes."""
    rows = [row for result, module in modules_of(role).items() for row in _result_rows(result, module)]
    return table(("Result", "Type", "Meaning"), rows)


def _result_rows(result: str, module: str) -> Iterator[tuple[str, ...]]:
    text = (ROOT / "plugins" / "modules" / f"{module}.py").read_text("utf-8")
    found = re.search(r'^RETURN = r?"""\n(.*?)"""', text, re.DOTALL | re.MULTILINE)
    documented: dict[str, Any] = yaml.safe_load(found[1]) if found else {}
    for name, returned in documented.items():
        for key, spec in returned.get("contains", {}).items():
            yield f"`{result}.{name}.{key}`", str(spec["type"]), prose(spec["description"])


def actions(role: str) -> str:
    """Return the IAM actions of a role, and those that AWS asks for beside."""
    calls = {call for module in modules_of(role).values() for call in calls_of_module(module)}
    if not calls:
        return "None: AWS is not asked.\n"
    own = "\n".join(["```text", *sorted(actions_of(calls)), "```", ""])
    beside = [(f"`{action}`", "; ".join(reasons)) for action, reasons in actions_beside(calls).items()]
    return f"{own}\n{table(('And', 'For'), beside)}" if beside else own


def environments() -> str:
    """Return the table of the shipped environments; a value that an inventory leaves out is the role's default."""
    hosts = {name: values_of(name) for name in ENVIRONMENTS}
    rows = [(title, *(show(values) for values in hosts.values())) for title, show in ROWS.items()]
    return table(("", *ENVIRONMENTS), rows)


def values_of(environment: str) -> dict[str, Any]:
    """Return the variables of an environment, with the defaults of all roles."""
    values: dict[str, Any] = {}
    folder = ROOT / "inventories" / environment / "host_vars" / environment
    for path in (*sorted(ROLES.glob("*/defaults/main.yml")), *sorted(folder.glob("*.yml"))):
        values |= yaml.safe_load(path.read_text("utf-8")) or {}
    return values


def _replicas(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{one['name']} in {one['availability_zone']}" for one in values["rds_replicas"]) or "none"


#: The rows of the table of environments, each with what it shows of an environment's variables.
ROWS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "Region": lambda v: v["platform_region"],
    "Zones": lambda v: ", ".join(zone.removeprefix(v["platform_region"]) for zone in v["vpc_zones"]),
    "VPC": lambda v: v["vpc_cidr"],
    "Way out (NAT)": lambda v: f"`{v['vpc_nat']}`",
    "Nodes": lambda v: f"{v['eks_node_minimum']} to {v['eks_node_maximum']}",
    "Instance types": lambda v: ", ".join(v["eks_node_instance_types"]),
    "Cluster refuses deletion": lambda v: yes_or_no(v["eks_deletion_protection"]),
    "Applications": lambda v: "yes" if v["platform_database_role"] == "primary" else "not until activated",
    "Add-ons stand twice": lambda v: yes_or_no(v["cluster_addons_high_availability"]),
    "Metrics": lambda v: f"{v['cluster_addons_metrics_retention_days']} days",
    "Database": lambda v: v["platform_database_role"],
    "Database class": lambda v: v["rds_instance_class"],
    "Multi-AZ": lambda v: yes_or_no(v["rds_multi_az"]),
    "Read replicas": _replicas,
    "Backups, days": lambda v: str(v["rds_backup_retention_days"]),
    "Database refuses deletion": lambda v: yes_or_no(v["rds_deletion_protection"]),
    "Names of the database": lambda v: v.get("platform_service_environment", v["platform_environment"]),
    "Pair": lambda v: v["platform_pair"]["environment"] if "platform_pair" in v else "none",
    "Budget, USD a month": lambda v: str(v["platform_budget_usd_month"]),
}


def yes_or_no(value: bool) -> str:
    """Return a switch as a table shows it."""
    return "yes" if value else "no"


def flow(value: Any) -> str:
    """Return a value as it would be written in one line of YAML."""
    text: str = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False)
    return text.removesuffix("\n...\n").removesuffix("\n")


def prose(description: str | Sequence[str]) -> str:
    """Return a description of Ansible's kind as one paragraph of Markdown."""
    sentences = [description] if isinstance(description, str) else description
    return MARKUP.sub(lambda match: f"`{match[1].removeprefix('ignore:')}`", " ".join(sentences))


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [titles, ["---"] * len(titles), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
