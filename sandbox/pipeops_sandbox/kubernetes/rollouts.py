"""What the controller of Argo Rollouts would do: a ReplicaSet for each version, and the status that others wait for.

A new version takes the place of the old one at once: steps, weights and analyses are not played.
"""

from __future__ import annotations

import hashlib
import json

from .api import Object
from .playing import Part

GROUP = "/apis/argoproj.io/v1alpha1"
CONTROLLER = "/apis/apps/v1/namespaces/argo-rollouts/deployments/argo-rollouts"
HASH = "rollouts-pod-template-hash"


class Rollouts(Part):
    """Plays Argo Rollouts for one cluster."""

    what = "rollouts"

    def round(self) -> bool:
        """Bring each Rollout's ReplicaSets about, and tell its status."""
        listed = self._api.get(f"{GROUP}/rollouts")
        if listed is None or not self.runs(CONTROLLER):
            return False
        for item in listed["items"]:
            if not item["metadata"].get("deletionTimestamp"):
                self._keep({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", **item})
        return bool(listed["items"])

    def _keep(self, item: Object) -> None:
        namespace, name = item["metadata"]["namespace"], item["metadata"]["name"]
        folder = f"/apis/apps/v1/namespaces/{namespace}/replicasets"
        wanted = replica_set(item)
        standing = [one for one in (self._api.get(folder) or {"items": []})["items"] if _owned(one, item)]
        current = next((one for one in standing if one["metadata"]["name"] == wanted["metadata"]["name"]), None)
        if current is None:
            self._api.create(folder, wanted)
        elif current["spec"].get("replicas") != wanted["spec"]["replicas"]:
            self._scale(folder, current, wanted["spec"]["replicas"])
        for old in standing:
            if old is not current and old["spec"].get("replicas"):
                self._scale(folder, old, 0)
        status = status_of(item, current)
        if any(item.get("status", {}).get(key) != value for key, value in status.items()):
            self._api.patch(f"{GROUP}/namespaces/{namespace}/rollouts/{name}/status", {"status": status})

    def _scale(self, folder: str, item: Object, replicas: int) -> None:
        self._api.patch(f"{folder}/{item['metadata']['name']}", {"spec": {"replicas": replicas}})


def _owned(one: Object, item: Object) -> bool:
    return any(owner["uid"] == item["metadata"]["uid"] for owner in one["metadata"].get("ownerReferences", []))


def replica_set(item: Object) -> Object:
    """Return the ReplicaSet of a Rollout's present version."""
    metadata, spec = item["metadata"], item["spec"]
    digest = hashlib.sha256(json.dumps(spec["template"], sort_keys=True).encode()).hexdigest()[:10]
    owner = {
        "apiVersion": item["apiVersion"], "kind": item["kind"], "name": metadata["name"], "uid": metadata["uid"],
        "controller": True, "blockOwnerDeletion": True,
    }  # fmt: skip
    labels = {**spec["template"].get("metadata", {}).get("labels", {}), HASH: digest}
    template = {**spec["template"], "metadata": {**spec["template"].get("metadata", {}), "labels": labels}}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{metadata['name']}-{digest}", "namespace": metadata["namespace"], "labels": labels,
            "ownerReferences": [owner],
        },
        "spec": {
            "replicas": spec.get("replicas", 1), "template": template,
            "selector": {"matchLabels": {**spec["selector"]["matchLabels"], HASH: digest}},
        },
    }  # fmt: skip


def status_of(item: Object, current: Object | None) -> Object:
    """Return what the controller tells of a Rollout, by the ReplicaSet of its present version."""
    found, wanted = (current or {}).get("status", {}), item["spec"].get("replicas", 1)
    available = found.get("availableReplicas", 0)
    return {
        "observedGeneration": str(item["metadata"].get("generation", 1)),
        "replicas": found.get("replicas", 0),
        "updatedReplicas": found.get("replicas", 0),
        "readyReplicas": found.get("readyReplicas", 0),
        "availableReplicas": available,
        "phase": "Healthy" if available == wanted else "Progressing",
    }
