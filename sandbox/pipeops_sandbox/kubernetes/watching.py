"""What is in a cluster, kept up to date by watches: a mirror for each kind, and a bell that rings on changes."""

from __future__ import annotations

import logging
import threading

from .api import Api, ApiError, Object

log = logging.getLogger(__name__)
RETRY_SECONDS = 0.5


class Mirror:
    """All objects of one kind.

    Args:
        path: of the collection, e.g. ``/api/v1/pods``.
        bell: set whenever something has changed.
    """

    def __init__(self, api: Api, path: str, bell: threading.Event) -> None:
        self.path = path
        self._api, self._bell = api, bell
        self._objects: dict[str, Object] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self.synced = threading.Event()

    def start(self) -> None:
        """Begin to watch, in a thread of its own that ends with the connection after ``stop``."""
        threading.Thread(target=self._keep_watching, name=f"watch {self.path}", daemon=True).start()

    def stop(self) -> None:
        """Watch no more."""
        self._stopping.set()

    def all(self) -> list[Object]:
        """Return the objects. They are shared: whoever reads them changes nothing."""
        with self._lock:
            return list(self._objects.values())

    def get(self, name: str, namespace: str = "") -> Object | None:
        """Return an object by its name."""
        with self._lock:
            return self._objects.get(f"{namespace}/{name}")

    def _keep_watching(self) -> None:
        version = ""
        while not self._stopping.is_set():
            try:
                version = version or self._list()
                for event in self._api.watch(self.path, version):
                    if self._stopping.is_set():
                        return
                    version = event["object"]["metadata"]["resourceVersion"]
                    self._take(event["type"], event["object"])
            except ApiError as error:
                # 404: the kind is not served yet. 410: too old a version. 0: the server is away for a moment.
                log.debug("watching %s: %s", self.path, error)
                version = ""
                self._stopping.wait(RETRY_SECONDS)
            except Exception:
                log.exception("watching %s", self.path)
                version = ""
                self._stopping.wait(RETRY_SECONDS)

    def _list(self) -> str:
        found = self._api.call("GET", self.path)
        kind, version = found["kind"].removesuffix("List"), found["apiVersion"]
        items = [{"kind": kind, "apiVersion": version, **item} for item in found["items"]]
        with self._lock:
            self._objects = {key_of(item): item for item in items}
        self.synced.set()
        self._bell.set()
        return str(found["metadata"]["resourceVersion"])

    def _take(self, what: str, item: Object) -> None:
        if what == "BOOKMARK":
            return
        with self._lock:
            if what == "DELETED":
                self._objects.pop(key_of(item), None)
            else:
                self._objects[key_of(item)] = item
        self._bell.set()


def key_of(item: Object) -> str:
    """Return namespace and name."""
    metadata = item["metadata"]
    return f"{metadata.get('namespace', '')}/{metadata['name']}"
