"""What the pods of External Secrets would do if pods here did anything.

Nothing runs in the pods of a cluster of the sandbox. So that secrets arrive all the same, the part of this operator
that others wait for is played here, while the Deployment that would do it is available.
"""

from __future__ import annotations

import base64
import calendar
import hashlib
import json
import re
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from .api import Api, Object
from .playing import Part

SECRETS = "/apis/external-secrets.io/v1"
SECRETS_OPERATOR = "external-secrets"
PLACEHOLDER = re.compile(r"{{\s*\.(\w+)\s*}}")
TIME = "%Y-%m-%dT%H:%M:%SZ"
PART = re.compile(r"([0-9.]+)(h|m|s)")
HASH = "reconcile.external-secrets.io/data-hash"
UNITS = {"h": 3600, "m": 60, "s": 1}
#: Returns the text of a secret of Secrets Manager; raises LookupError if there is none in that Region.
ReadSecret = Callable[[str, str], str]


class Operators(Part):
    """Plays External Secrets for one cluster."""

    what = "operators"

    def __init__(self, name: str, api: Api, read_secret: ReadSecret) -> None:
        super().__init__(name, api)
        self._read_secret = read_secret

    def round(self) -> bool:
        """Do what there is to do, and tell whether the operator is there at all."""
        stores = self._api.get(f"{SECRETS}/clustersecretstores")
        if stores is None or not self._stands(SECRETS_OPERATOR):
            return False
        regions = {}
        for store in stores["items"]:
            regions[store["metadata"]["name"]] = store["spec"]["provider"]["aws"]["region"]
            self._tell(f"{SECRETS}/clustersecretstores/{store['metadata']['name']}", store, True, "Valid", "")
        for item in (self._api.get(f"{SECRETS}/externalsecrets") or {"items": []})["items"]:
            self._sync(item, regions)
        return True

    def _stands(self, chart: str) -> bool:
        listed = self._api.get("/apis/apps/v1/deployments") or {"items": []}
        return any(
            item["metadata"].get("labels", {}).get("app.kubernetes.io/name") == chart
            and item.get("status", {}).get("readyReplicas")
            for item in listed["items"]
        )

    def _sync(self, item: Object, regions: Mapping[str, str]) -> None:
        metadata, spec = item["metadata"], item["spec"]
        path = f"{SECRETS}/namespaces/{metadata['namespace']}/externalsecrets/{metadata['name']}"
        target = (
            f"/api/v1/namespaces/{metadata['namespace']}/secrets/{spec.get('target', {}).get('name', metadata['name'])}"
        )
        standing = self._api.get(target)
        if standing and spec.get("refreshPolicy") == "CreatedOnce":
            self._tell(path, item, True, "SecretSynced", "secret synced")
            return
        if standing and is_intact(standing) and not is_due(item, time.time()):
            return
        try:
            values = self._values(spec, regions)
        except LookupError as error:
            self._tell(path, item, False, "SecretSyncedError", str(error).strip("'\""))
            return
        wanted = secret_of(item, values)
        if not standing or standing.get("data") != wanted["data"] or not is_intact(standing):
            self._api.apply(target, wanted)
        self._tell(path, item, True, "SecretSynced", "secret synced")
        now = time.strftime(TIME, time.gmtime())
        self._api.patch(f"{path}/status", {"status": {"refreshTime": now, "syncedResourceVersion": version_of(item)}})

    def _values(self, spec: Mapping[str, Any], regions: Mapping[str, str]) -> dict[str, str]:
        """Return what the secret gets, before its template.

        Raises:
            LookupError: if the store or a secret is not there.
        """
        region = regions.get(spec.get("secretStoreRef", {}).get("name", ""), "")
        values: dict[str, str] = {}
        for source in spec.get("dataFrom", []):
            if "extract" in source:
                values |= self._members(region, source["extract"]["key"])
            elif "generatorRef" in source.get("sourceRef", {}):
                values["password"] = secrets.token_urlsafe(24)
        for one in spec.get("data", []):
            reference = one["remoteRef"]
            text = self._members(region, reference["key"])
            values[one["secretKey"]] = text[reference["property"]]
        return values

    def _members(self, region: str, key: str) -> dict[str, str]:
        if not region:
            raise LookupError("the store is not ready")
        found = json.loads(self._read_secret(region, key))
        return {name: value if isinstance(value, str) else json.dumps(value) for name, value in found.items()}

    def _tell(self, path: str, item: Object, ready: bool, reason: str, message: str) -> None:
        """Set the condition Ready, if that is news."""
        old: Object = next((one for one in item.get("status", {}).get("conditions", []) if one["type"] == "Ready"), {})
        if (old.get("status"), old.get("reason"), old.get("message")) == (str(ready), reason, message):
            return
        now = time.strftime(TIME, time.gmtime())
        condition = {"type": "Ready", "status": str(ready), "reason": reason, "message": message}
        self._api.patch(f"{path}/status", {"status": {"conditions": [{**condition, "lastTransitionTime": now}]}})


def version_of(item: Object) -> str:
    """Return what changes with what people say of an ExternalSecret: its spec, labels and annotations."""
    metadata = item["metadata"]
    said = json.dumps([metadata.get("annotations") or {}, metadata.get("labels") or {}], sort_keys=True)
    return f"{metadata.get('generation', 0)}-{hashlib.sha256(said.encode()).hexdigest()[:32]}"


def is_due(item: Object, now: float) -> bool:
    """Tell whether the operator would read the secret again: what is said has changed, or the interval is over."""
    status = item.get("status") or {}
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions") or ())
    if not ready or status.get("syncedResourceVersion") != version_of(item):
        return True
    interval = seconds_of(str(item["spec"].get("refreshInterval", "1h")))
    return bool(interval) and now >= calendar.timegm(time.strptime(status["refreshTime"], TIME)) + interval


def is_intact(secret: Object) -> bool:
    """Tell whether nobody has changed a Secret since the operator wrote it."""
    told = (secret["metadata"].get("annotations") or {}).get(HASH)
    return bool(told == hash_of(secret.get("data") or {}))


def hash_of(data: Mapping[str, str]) -> str:
    """Return the mark by which the operator knows its own data again."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:56]


def seconds_of(interval: str) -> float:
    """Return an interval such as ``1h30m`` in seconds."""
    return sum(float(number) * UNITS[unit] for number, unit in PART.findall(interval))


def secret_of(item: Object, values: Mapping[str, str]) -> Object:
    """Return the Secret that an ExternalSecret asks for."""
    metadata, target = item["metadata"], item["spec"].get("target", {})
    template = target.get("template", {})
    data = {key: filled(text, values) for key, text in template["data"].items()} if "data" in template else values
    owner = {
        "apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "name": metadata["name"],
        "uid": metadata["uid"],
    }  # fmt: skip
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": target.get("name", metadata["name"]),
            "namespace": metadata["namespace"],
            "annotations": {HASH: hash_of(encoded)},
            "labels": {
                "reconcile.external-secrets.io/managed": "true",
                **template.get("metadata", {}).get("labels", {}),
            },
            "ownerReferences": [owner],
        },
        "type": template.get("type", "Opaque"),
        "data": encoded,
    }


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return a template with each ``{{ .name }}`` replaced.

    Raises:
        LookupError: if there is no such value.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise LookupError(f"the secret has no member {match[1]}")
        return values[match[1]]

    return PLACEHOLDER.sub(value, text)
