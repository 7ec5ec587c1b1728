# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Holds our values against charts: ``python -m tests.addons CHARTS``, a directory with a folder for each chart.

For each add-on, in a plain environment and in one with everything switched on:

- the chart has the version of the catalogue,
- each value that we set is one that the chart has, or a member of one that it leaves open,
- the chart renders with them (its schema included), the same twice,
- what it renders of Kubernetes's own kinds is valid, and so are our objects of the kinds that charts define,
- the components and service accounts have the names that the documentation gives them.

Charts of upstream are no part of this repository: get them by ``helm pull --untar``. Needs helm 3.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml
from ansible_collections.pipeops.platform.plugins.module_utils.kube.manifests import manifests_of
from rich.console import Console

from tests.addons.definitions import Kind, faults, schemas_of
from tests.addons.rendering import FULL, PLAIN, ROOT, render

console = Console(highlight=False, width=200)
VERSION = "1.36"
#: APIs that a chart asks for, and that an earlier add-on has brought.
APIS = ("monitoring.coreos.com/v1", "policy/v1")
#: Where a chart takes members that it does not name.
OPEN = frozenset({"configs.cm.", "configs.params."})
#: What has to come out of each add-on, by kind: the names of the design, and the accounts that have AWS roles.
EXPECTED: dict[str, tuple[tuple[str, str], ...]] = {
    "prometheus_operator_crds": (("CustomResourceDefinition", "prometheuses.monitoring.coreos.com"),),
    "aws_load_balancer_controller": (
        ("Deployment", "aws-load-balancer-controller"),
        ("ServiceAccount", "aws-load-balancer-controller"),
    ),
    "external_secrets": (
        ("Deployment", "external-secrets-operator"),
        ("ServiceAccount", "external-secrets-operator"),
    ),
    "kube_prometheus_stack": (
        ("Service", "prometheus-server"),
        ("Service", "prometheus-alertmanager"),
        ("Alertmanager", "prometheus-alertmanager"),
        ("Prometheus", "prometheus-prometheus"),
        ("Deployment", "grafana"),
        ("ServiceAccount", "grafana"),
        ("DaemonSet", "node-exporter"),
    ),
    "cloudwatch_exporter": (("Deployment", "cloudwatch-exporter"), ("ServiceAccount", "cloudwatch-exporter")),
    "cloudwatch": (("AmazonCloudWatchAgent", "cloudwatch-agent"), ("ServiceAccount", "cloudwatch-agent")),
    "fluentd": (("DaemonSet", "fluentd"), ("ServiceAccount", "fluentd")),
    "argo_rollouts": (("Deployment", "argo-rollouts"),),
    "argo_cd": (
        ("Deployment", "argocd-server"),
        ("Deployment", "argocd-repo-server"),
        ("StatefulSet", "argocd-application-controller"),
        ("Deployment", "argocd-redis"),
        ("Deployment", "argocd-applicationset-controller"),
        ("ServiceAccount", "argocd-repo-server"),
    ),
}


def unknown_values(given: Mapping[str, Any], chart: Path) -> Iterator[str]:
    """Yield the path of each value that neither a chart nor its subchart has."""
    text = _text(chart)
    known = yaml.safe_load((chart / "values.yaml").read_text("utf-8")) or {}
    for key, value in given.items():
        inner = chart / "charts" / key
        own = set(_unknown(key, value, known, text, ""))
        if (inner / "values.yaml").is_file():
            own &= {f"{key}.{path}" for path in unknown_values(value, inner)}
        yield from sorted(own)


def _text(chart: Path) -> str:
    """Return the values with their comments, and the helpers, which know values that stand in neither."""
    files = [chart / "values.yaml", *sorted((chart / "templates").glob("**/_*.tpl"))]
    return "\n".join(file.read_text("utf-8") for file in files)


def _unknown(key: str, value: Any, known: Any, text: str, path: str) -> Iterator[str]:
    if not isinstance(known, Mapping) or not known or path in OPEN:
        # An empty dictionary, none, or one with examples in it: the chart takes anything there.
        return
    if f".Values.{path}{key}" in text:
        return
    if key not in known:
        if f"# {key}:" not in text and f"#{key}:" not in text:
            yield f"{path}{key}"
        return
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield from _unknown(name, member, known[key], text, f"{path}{key}.")


def template(helm: str, chart: Path, addon: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """Return what Helm renders.

    Raises:
        SystemExit: with what Helm said.
    """
    command = [helm, "template", addon["release"], str(chart), "--namespace", addon["namespace"], "--include-crds"]
    command += ["--kube-version", f"{VERSION}.0", "--values", "-", *(f"--api-versions={api}" for api in APIS)]
    done = subprocess.run(command, input=yaml.safe_dump(dict(values)), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{addon['name']}: {done.stderr}")
    return done.stdout


def invalid(item: Mapping[str, Any]) -> str:
    """Return what is wrong with a manifest of one of Kubernetes's own kinds; empty if nothing is."""
    try:
        kubernetes_validate.validate(item, VERSION, strict=True)
    except kubernetes_validate.SchemaNotFoundError:
        return ""
    except kubernetes_validate.ValidationError as error:
        where = ".".join(str(part) for part in error.path)
        return f"{item['kind']} {item['metadata']['name']}: {where}: {error.message[:200]}"
    return ""


def problems(
    helm: str, charts: Path, addon: Mapping[str, Any], values: Mapping[str, Any], items: list[dict[str, Any]]
) -> Iterator[str]:
    """Yield everything about one add-on that is not as it should be, and put what it renders into ``items``."""
    chart = charts / addon["chart"]
    described = yaml.safe_load((chart / "Chart.yaml").read_text("utf-8"))
    if str(described["version"]) != str(addon["pinned"]):
        yield f"chart {described['version']}, and the catalogue says {addon['pinned']}"
    if str(described.get("appVersion")) != str(addon["app"]):
        yield f"app {described.get('appVersion')}, and the catalogue says {addon['app']}"
    yield from (f"value {path} is none of the chart's" for path in unknown_values(values, chart))
    text = template(helm, chart, addon, values)
    if template(helm, chart, addon, values) != text:
        yield "note: renders differently each time"
    items += manifests_of(text)
    yield from filter(None, map(invalid, items))
    found = {(item["kind"], item["metadata"]["name"]) for item in items}
    yield from (f"no {kind} {name}" for kind, name in EXPECTED[addon["name"]] if (kind, name) not in found)


def main() -> int:
    """Check all add-ons; exit 0 if nothing but notes came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.addons", description=__doc__)
    parser.add_argument("charts", type=Path)
    parser.add_argument("--helm", default="helm")
    parser.add_argument("--crds", type=Path, nargs="*", default=[], help="definitions that a checkout has elsewhere")
    options = parser.parse_args()
    pinned = {
        addon["name"]: addon["version"]
        for addon in yaml.safe_load((ROOT / "roles/cluster_addons/vars/main/catalogue.yml").read_text("utf-8"))[
            "__cluster_addons_catalogue"
        ]
    }
    bad = 0
    for title, variables in (("plain", PLAIN), ("full", FULL)):
        rendered = render(variables)
        all_items = [item for path in options.crds for item in manifests_of(path.read_text("utf-8"))]
        for addon in rendered.plan:
            own, items = {**addon, "pinned": pinned[addon["name"]]}, list[dict[str, Any]]()
            lines = list(problems(options.helm, options.charts, own, rendered.values[addon["name"]], items))
            all_items += items
            bad += sum(not line.startswith("note:") for line in lines)
            console.print(f"{title:6} {addon['name']:32} {own['pinned']:10} {'; '.join(lines) or 'fits'}")
        lines = objects_at_fault([*rendered.manifests, *all_items], schemas_of(all_items))
        bad += len(lines)
        console.print(f"{title:6} objects of kinds that charts define: {'; '.join(lines) or 'fit'}")
    return int(bool(bad))


def objects_at_fault(items: list[dict[str, Any]], schemas: Mapping[Kind, dict[str, Any]]) -> list[str]:
    """Return what is wrong with objects of defined kinds; one whose kind nobody defines is wrong too."""
    lines, judged = [], 0
    for item in items:
        schema = schemas.get((item["apiVersion"], item["kind"]))
        if schema is not None:
            judged += 1
            lines += faults(item, schema)
        elif "." in item["apiVersion"].split("/")[0] and not item["apiVersion"].split("/")[0].endswith(".k8s.io"):
            lines.append(f"{item['apiVersion']} {item['kind']} is defined nowhere")
    console.print(f"       {judged} objects of {len(schemas)} defined kinds")
    return sorted(set(lines))


if __name__ == "__main__":
    sys.exit(main())
