# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which AWS calls a module of ours can make, and which IAM actions they ask for: read from the code, not run.

A call is found where a file names both the service (``aws.client("rds")``, ``aws.pages("rds", ...)``, ``service =
"rds"``) and the client's method (as an attribute, or as text that is handed to ``getattr`` or ``pages``). A file that
uses two services with a method of the same name counts as calling both, so the answer is rather too long than too
short; ``tests/sandbox/test_role_actions.py`` holds it against calls that were made.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import yaml
from botocore import xform_name

ROOT = Path(__file__).parent.parent
PLUGINS = ROOT / "plugins"
#: What the engine itself calls needs no permission: sts:GetCallerIdentity.
SHARED = PLUGINS / "module_utils" / "engine"
#: The sandbox authorises calls by the same table.
TABLE = ROOT / "sandbox" / "pipeops_sandbox" / "data" / "iam_actions.yml"
PACKAGE = "ansible_collections.pipeops.platform.plugins"


def calls_of_module(module: str) -> set[str]:
    """Return every call that a module can make, as ``service:Operation``."""
    sources = _imported([PLUGINS / "modules" / f"{module}.py", PLUGINS / "action" / f"{module}.py"])
    return {call for source in sources if SHARED not in source.parents for call in calls_of_source(source.read_text())}


def actions_of(calls: set[str]) -> set[str]:
    """Return the IAM actions that calls are authorised by; most have the name of their call."""
    renamed: dict[str, str] = _table()["renamed"]
    free: list[str] = _table()["free"]
    prefixes: dict[str, str] = _table()["prefixes"]
    named = {renamed.get(call, call) for call in calls if call not in free}
    return {
        f"{prefixes.get(service, service)}:{name}" for service, _colon, name in (one.partition(":") for one in named)
    }


def actions_beside(calls: set[str]) -> dict[str, list[str]]:
    """Return what AWS asks for beside the actions of the calls: each action with the reasons."""
    found: dict[str, list[str]] = {}
    for rule in _table()["beside"]:
        for action in rule["actions"] if calls.intersection(rule["calls"]) else ():
            found.setdefault(action, []).append(rule["because"])
    own = actions_of(calls)
    return {action: found[action] for action in sorted(found) if action not in own}


def calls_of_source(text: str) -> set[str]:
    """Return every call that a file can make, as ``service:Operation``."""
    tree = ast.parse(text)
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} | set(_texts(tree))
    patterns = [re.compile(pattern) for pattern in _templates(tree)]
    return {
        f"{service}:{operation}"
        for service in set(_services(tree))
        for method, operation in _operations(service).items()
        if method in names or any(pattern.fullmatch(method) for pattern in patterns)
    }


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = yaml.safe_load(TABLE.read_text("utf-8"))
    return table


def _imported(begin: list[Path]) -> set[Path]:
    """Return these files and all that they take functions or classes from, directly or not.

    A module has one layer. What it takes from another one is a name or a rule, which calls nothing.
    """
    left, found = [path for path in begin if path.exists()], set[Path]()
    layers = set((PLUGINS / "module_utils" / "layers").glob("[a-z]*.py"))
    own = {path for start in left for path in _imports(start)} & layers
    while left:
        path = left.pop()
        if path not in found:
            found.add(path)
            left += [source for source in _imports(path) if source not in layers - own]
    return found


def _imports(path: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.ImportFrom) or all(_is_value(alias.name) for alias in node.names):
            continue
        if node.level:
            base = path.parents[node.level - 1]
        elif (node.module or "").startswith(PACKAGE):
            base = PLUGINS
        else:
            continue
        inside = (node.module or "").removeprefix(PACKAGE).strip(".")
        target = base.joinpath(*inside.split(".")) if inside else base
        candidates = [target.with_suffix(".py"), *(target / f"{alias.name}.py" for alias in node.names)]
        yield from (candidate for candidate in candidates if candidate.is_file())


def _is_value(name: str) -> bool:
    """Tell whether a name is that of a constant, which calls nothing. The constant LAYER holds the resource types."""
    return name.isupper() and name != "LAYER"


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _templates(tree: ast.AST) -> Iterator[str]:
    """Yield the patterns of names that are put together, as in ``f"revoke_security_group_{direction}"``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            fixed = [part.value if isinstance(part, ast.Constant) else None for part in node.values]
            if all(part is None or re.fullmatch("[a-z_]+", str(part)) for part in fixed) and any(fixed):
                yield "".join("[a-z]+" if part is None else str(part) for part in fixed)


def _services(tree: ast.AST) -> Iterator[str]:
    """Yield the services that a file names where a service is expected."""
    for node in ast.walk(tree):
        first: ast.expr | None = None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            first = node.args[0] if node.func.attr in ("client", "pages") else None
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            first = node.value if node.targets[0].id == "service" else None
        elif isinstance(node, ast.Tuple) and node.elts:
            first = node.elts[0]
        if isinstance(first, ast.Constant) and first.value in _known():
            yield first.value


@cache
def _known() -> frozenset[str]:
    return frozenset(botocore.session.get_session().get_available_services())


@cache
def _operations(service: str) -> dict[str, str]:
    """Return the operations of a service by the name of the client's method."""
    names = botocore.session.get_session().get_service_model(service).operation_names
    return {xform_name(name): name for name in names}
