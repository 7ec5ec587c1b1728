"""What add-ons there are: DescribeAddonVersions, DescribeAddonConfiguration, and the checks against them."""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any

import jsonschema
import yaml

from .call import Answer, Call, invalid_parameter, not_found, operation, page

_POLICY_PREFIX = "arn:aws:iam::aws:policy/"


@functools.cache
def _catalogue() -> dict[str, dict[str, Any]]:
    text = resources.files("pipeops_sandbox").joinpath("data/eks_addons.yml").read_text("utf-8")
    catalogue: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return catalogue


def catalogue_row(cluster: str, addon: str) -> dict[str, Any]:
    """Return what is known of an add-on.

    Raises:
        AwsError: InvalidParameterException for a name that is no add-on.
    """
    row = _catalogue().get(addon)
    if row is None:
        raise invalid_parameter(f"Addon {addon} specified is not supported", clusterName=cluster, addonName=addon)
    return row


def default_addon_version(cluster: str, addon: str, kubernetes: str) -> str:
    """Return the version that EKS picks for a Kubernetes version if the caller names none.

    Raises:
        AwsError: InvalidParameterException for an add-on that does not run on it.
    """
    versions = catalogue_row(cluster, addon)["versions"]
    found = next((version for version, facts in versions.items() if kubernetes in facts["default"]), None)
    if found is None:
        raise invalid_parameter(
            f"Addon {addon} specified is not supported in {kubernetes} kubernetes version",
            clusterName=cluster,
            addonName=addon,
        )
    return str(found)


def require_addon_version(cluster: str, addon: str, version: str, kubernetes: str) -> None:
    """Refuse an add-on version that does not exist or does not run on a Kubernetes version.

    Raises:
        AwsError: InvalidParameterException.
    """
    facts = catalogue_row(cluster, addon)["versions"].get(version)
    if facts is None or kubernetes not in facts["kubernetes"]:
        raise invalid_parameter(
            f"Addon version specified is not supported: {addon} {version} on Kubernetes {kubernetes}",
            clusterName=cluster,
            addonName=addon,
        )


def runs_on(addon: str, version: str, kubernetes: str) -> bool:
    """Tell whether a version of an add-on runs on a Kubernetes version."""
    facts = _catalogue()[addon]["versions"].get(version)
    return facts is not None and kubernetes in facts["kubernetes"]


def check_configuration(cluster: str, addon: str, values: str | None) -> None:
    """Refuse configuration values that are neither JSON nor YAML, or do not follow the add-on's schema.

    Raises:
        AwsError: InvalidParameterException.
    """
    if not values:
        return
    try:
        jsonschema.validate(yaml.safe_load(values), schema(addon))
    except (yaml.YAMLError, jsonschema.ValidationError) as error:
        text = error.message if isinstance(error, jsonschema.ValidationError) else str(error)
        raise invalid_parameter(
            "ConfigurationValue provided in request is not supported: "
            f"Json schema validation failed with error: {text}",
            clusterName=cluster,
            addonName=addon,
        ) from error


def schema(addon: str) -> dict[str, Any]:
    """Return the JSON schema of an add-on's configuration values."""
    settings = _catalogue()[addon]["settings"]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": False,
        "properties": {name: {"type": kind} for name, kind in settings.items()},
    }


@operation("DescribeAddonVersions")
def describe_addon_versions(call: Call) -> Answer:
    """Return add-ons and their versions, of one Kubernetes version if asked so."""
    if call.get("addonName") and call["addonName"] not in _catalogue():
        raise not_found(f"Addon {call['addonName']} not found", addonName=call["addonName"])
    found = [
        _describe(name, row, call.get("kubernetesVersion"))
        for name, row in _catalogue().items()
        if _wanted(call, name, row)
    ]
    return page(call, [each for each in found if each["addonVersions"]], "addons")


def _wanted(call: Call, name: str, row: dict[str, Any]) -> bool:
    filters = (("types", "type"), ("publishers", "publisher"), ("owners", "owner"))
    if call.get("addonName") not in (None, name):
        return False
    return all(row[member] in call[given] for given, member in filters if call.get(given))


def _describe(name: str, row: dict[str, Any], kubernetes: str | None) -> dict[str, Any]:
    versions = [_version(row, version, facts, kubernetes) for version, facts in row["versions"].items()]
    return {
        "addonName": name,
        "type": row["type"],
        "publisher": row["publisher"],
        "owner": row["owner"],
        "defaultNamespace": row["namespace"],
        "addonVersions": [version for version in versions if version["compatibilities"]],
    }


def _version(row: dict[str, Any], version: str, facts: dict[str, Any], kubernetes: str | None) -> dict[str, Any]:
    return {
        "addonVersion": version,
        "architecture": ["amd64", "arm64"],
        "computeTypes": row["compute"],
        "compatibilities": [
            {
                "clusterVersion": each,
                "platformVersions": ["*"],
                "defaultVersion": each in facts["default"],
            }
            for each in facts["kubernetes"]
            if kubernetes in (None, each)
        ],
        "requiresConfiguration": False,
        "requiresIamPermissions": row["requires_iam"],
    }


@operation("DescribeAddonConfiguration")
def describe_addon_configuration(call: Call) -> Answer:
    """Return the schema of an add-on version's configuration, and the identities that its pods want."""
    name, version = call["addonName"], call["addonVersion"]
    row = _catalogue().get(name)
    if row is None or version not in row["versions"]:
        raise not_found(f"Addon {name} has no version {version}", addonName=name)
    return {
        "addonName": name,
        "addonVersion": version,
        "configurationSchema": json.dumps(schema(name)),
        "podIdentityConfiguration": [
            {"serviceAccount": account, "recommendedManagedPolicies": [_POLICY_PREFIX + policy for policy in policies]}
            for account, policies in row.get("identities", {}).items()
        ],
    }
