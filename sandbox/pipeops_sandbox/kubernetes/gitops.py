"""What Argo CD's controllers would do, as far as others see it: ApplicationSets, Applications, and what they deploy."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from .api import Api, ApiError, Object
from .appsets import API_VERSION, Ungenerated, applications
from .health import MISSING, health, worst
from .kustomize import Unbuildable, fingerprint, manifests
from .playing import Part
from .pods import now_text
from .sources import Sources, Unreadable

NAMESPACE = "argocd"
ARGO = f"/apis/{API_VERSION}"
SETS, APPLICATIONS = (f"{ARGO}/namespaces/{NAMESPACE}/{kind}" for kind in ("applicationsets", "applications"))
APPS = f"/apis/apps/v1/namespaces/{NAMESPACE}"
SET_CONTROLLER = f"{APPS}/deployments/argocd-applicationset-controller"
CONTROLLER = f"{APPS}/statefulsets/argocd-application-controller"
FINALIZER = "resources-finalizer.argocd.argoproj.io"
TRACKING, OPTIONS = "argocd.argoproj.io/tracking-id", "argocd.argoproj.io/sync-options"
#: Who applies, as Argo CD calls itself; so that what others set is seen to be theirs.
MANAGER = "argocd-controller"
#: Seconds after which what stands is applied again, so that drift is healed.
HEAL_SECONDS = 10.0


class ArgoCd(Part):
    """Plays Argo CD for the cluster that it runs in.

    Args:
        place: where files of repositories are kept.
    """

    what = "Argo CD"

    def __init__(self, name: str, api: Api, place: Path) -> None:
        super().__init__(name, api)
        self._sources = Sources(place)
        self._kinds: dict[str, dict[str, Object]] = {}
        self._applied: dict[str, tuple[str, float]] = {}

    def round(self) -> bool:
        """Bring Applications in line with their sets, and what they deploy in line with them."""
        sets = self._api.get(SETS)
        if sets is None:
            return False
        if self.runs(SET_CONTROLLER):
            secrets = self._api.get(f"/api/v1/namespaces/{NAMESPACE}/secrets") or {"items": []}
            for item in sets["items"]:
                if not item["metadata"].get("deletionTimestamp"):
                    self._keep_set(item, secrets["items"])
        found = (self._api.get(APPLICATIONS) or {"items": []})["items"]
        if self.runs(CONTROLLER):
            for item in found:
                self._keep(item)
        return bool(sets["items"])

    def _keep_set(self, item: Object, secrets: list[Object]) -> None:
        try:
            wanted = applications(item, secrets, lambda url, revision: self._sources.read(url, revision)[0])
        except (Ungenerated, Unreadable, LookupError) as error:
            self._tell_set(item, str(error))
            return
        standing = {
            one["metadata"]["name"]: one for one in (self._api.get(APPLICATIONS) or {"items": []})["items"]
            if any(owner["uid"] == item["metadata"]["uid"] for owner in one["metadata"].get("ownerReferences", []))
        }  # fmt: skip
        for one in wanted:
            old = standing.pop(one["metadata"]["name"], None)
            if old is None:
                self._api.create(APPLICATIONS, one)
            elif old["spec"] != one["spec"] and not old["metadata"].get("deletionTimestamp"):
                self._api.patch(f"{APPLICATIONS}/{one['metadata']['name']}", {"spec": one["spec"]})
        for name, old in standing.items():
            if not old["metadata"].get("deletionTimestamp"):
                self._api.delete(f"{APPLICATIONS}/{name}")
        self._tell_set(item, "")

    def _tell_set(self, item: Object, error: str) -> None:
        """Set the conditions of an ApplicationSet, if they are news."""
        wanted = [
            _condition("ErrorOccurred", bool(error), "ApplicationGenerationFromParamsError" if error else "", error),
            _condition("ResourcesUpToDate", not error, "" if error else "ApplicationSetUpToDate", error),
        ]
        old = item.get("status", {}).get("conditions", [])
        if [(one["type"], one["status"], one.get("message")) for one in old] != [
            (one["type"], one["status"], one["message"]) for one in wanted
        ]:
            self._api.patch(f"{SETS}/{item['metadata']['name']}/status", {"status": {"conditions": wanted}})

    def _keep(self, item: Object) -> None:
        if item["metadata"].get("deletionTimestamp"):
            self._take_down(item)
            return
        try:
            wanted, commit = self._manifests(item)
        except (Unreadable, Unbuildable) as error:
            self._tell(item, {"conditions": [{"type": "ComparisonError", "message": str(error)}]}, "Unknown", MISSING)
            return
        name, text = item["metadata"]["name"], fingerprint(wanted)
        before = self._applied.get(name)
        problem = item.get("status", {}).get("operationState", {}).get("message", "")
        if not before or before[0] != text or time.monotonic() - before[1] > HEAL_SECONDS:
            problem = self._sync(item, wanted)
            self._applied[name] = (text if not problem else "", time.monotonic())
        self._report(item, wanted, commit, problem)

    def _manifests(self, item: Object) -> tuple[list[Object], str]:
        source, target = item["spec"]["source"], item["spec"]["destination"]["namespace"]
        root, commit = self._sources.read(source["repoURL"], source.get("targetRevision", "HEAD"))
        found = manifests(root / source["path"], source.get("kustomize", {}).get("patches", ()))
        for one in found:
            metadata = one["metadata"]
            metadata.setdefault("namespace", target)
            group = one["apiVersion"].rpartition("/")[0]
            tracked = f"{item['metadata']['name']}:{group}/{one['kind']}:{metadata['namespace']}/{metadata['name']}"
            metadata.setdefault("annotations", {})[TRACKING] = tracked
        return found, commit

    def _sync(self, item: Object, wanted: list[Object]) -> str:
        """Apply what is wanted, take down what is no longer; return what the server refused, empty if nothing."""
        problems = []
        for one in wanted:
            try:
                self._api.apply(self._path(reference(one)), one, MANAGER)
            except (ApiError, LookupError) as error:
                problems.append(f"{one['kind']} {one['metadata']['name']}: {error}")
        kept = {tuple(sorted(reference(one).items())) for one in wanted}
        for old in resources(item):
            if tuple(sorted(old.items())) not in kept:
                self._delete(old)
        return "; ".join(problems)

    def _report(self, item: Object, wanted: list[Object], commit: str, problem: str) -> None:
        """Tell of an Application how far it is."""
        judged = [(reference(one), health(self._live(reference(one)))) for one in wanted]
        state = item.get("status", {}).get("operationState", {})
        phase = "Failed" if problem else "Succeeded"
        if (state.get("phase"), state.get("message")) != (phase, problem):
            state = {"phase": phase, "message": problem, "startedAt": now_text(), "finishedAt": now_text()}
        found = {
            "operationState": state,
            "resources": [{**one, "status": "Synced", "health": {"status": word}} for one, word in judged],
            "conditions": [],
            "revision": commit,
        }
        self._tell(item, found, "OutOfSync" if problem else "Synced", worst(word for _one, word in judged))

    def _tell(self, item: Object, found: Object, sync: str, word: str) -> None:
        status, revision = item.get("status", {}), found.pop("revision", "")
        old = status.get("health", {})
        changed = old.get("status") != word
        state = {
            **found,
            "sync": {"status": sync, "revision": revision},
            "health": {"status": word, "lastTransitionTime": now_text() if changed else old["lastTransitionTime"]},
        }
        if any(status.get(key) != value for key, value in state.items()):
            self._api.patch(self._own_path(item), {"status": {**state, "reconciledAt": now_text()}})

    def _own_path(self, item: Object) -> str:
        """Return where the status of Applications is told: upstream's definition has no path of its own for it."""
        own = "/status" if "applications/status" in self._served(API_VERSION) else ""
        return f"{APPLICATIONS}/{item['metadata']['name']}{own}"

    def _take_down(self, item: Object) -> None:
        """Delete what an Application has deployed, but for what must stay, and let it go once that is gone."""
        metadata = item["metadata"]
        if FINALIZER in metadata.get("finalizers", []):
            left = [one for one in resources(item) if self._goes(one)]
            for one in reversed(left):
                self._delete(one)
            if left:
                return
            rest = [one for one in metadata["finalizers"] if one != FINALIZER]
            self._api.patch(f"{APPLICATIONS}/{metadata['name']}", {"metadata": {"finalizers": rest}})
        self._applied.pop(metadata["name"], None)

    def _goes(self, one: Object) -> bool:
        live = self._live(one)
        options = (live or {}).get("metadata", {}).get("annotations", {}).get(OPTIONS, "")
        return live is not None and "Delete=false" not in [option.strip() for option in options.split(",")]

    def _delete(self, one: Object) -> None:
        self._api.delete(f"{self._path(one)}?propagationPolicy=Foreground")

    def _live(self, one: Object) -> Object | None:
        try:
            return self._api.get(self._path(one))
        except LookupError:
            return None

    def _path(self, one: Object) -> str:
        """Return the path of an object.

        Raises:
            LookupError: if the server does not know its kind.
        """
        version = "/".join(filter(None, (one.get("group"), one["version"])))
        plural = next((name for name, kind in self._served(version).items() if kind["kind"] == one["kind"]), None)
        if plural is None:
            self._kinds.pop(version, None)
            raise LookupError(f"the server could not find the requested resource {version}/{one['kind']}")
        root = f"/{'apis' if one.get('group') else 'api'}/{version}"
        namespaced = self._served(version)[plural]["namespaced"]
        return f"{root}{'/namespaces/' + one['namespace'] if namespaced else ''}/{plural}/{one['name']}"

    def _served(self, version: str) -> dict[str, Object]:
        if version not in self._kinds:
            root = f"/{'apis' if '/' in version else 'api'}/{version}"
            listed = (self._api.get(root) or {}).get("resources", [])
            # Paths below an object, such as its status, come after the object itself.
            self._kinds[version] = {one["name"]: one for one in sorted(listed, key=lambda one: "/" in one["name"])}
        return self._kinds[version]


def reference(one: Object) -> Object:
    """Return how an Application's status names a resource."""
    group, _slash, version = one["apiVersion"].rpartition("/")
    metadata = one["metadata"]
    named = {"version": version, "kind": one["kind"], "namespace": metadata["namespace"], "name": metadata["name"]}
    return {**({"group": group} if group else {}), **named}


def resources(item: Object) -> Iterator[Object]:
    """Yield what an Application has deployed, as its status names it."""
    keys = ("group", "version", "kind", "namespace", "name")
    for one in item.get("status", {}).get("resources", []):
        yield {key: one[key] for key in keys if key in one}


def _condition(kind: str, true: bool, reason: str, message: str) -> Object:
    return {
        "type": kind, "status": str(true), "reason": reason or "AsWanted", "message": message,
        "lastTransitionTime": now_text(),
    }  # fmt: skip
