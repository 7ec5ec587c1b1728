"""Work that pods of add-ons would do if pods here did anything: done in a thread, round by round."""

from __future__ import annotations

import logging
import threading

from .api import Api, ApiError

log = logging.getLogger(__name__)
ROUND_SECONDS = 1.0
#: How long to leave a cluster alone in which there is nothing to do yet.
IDLE_SECONDS = 3.0


class Part:
    """Plays one operator for one cluster. A subclass says in ``round`` what it does.

    Args:
        name: of the cluster, for messages.
    """

    what = "operator"

    def __init__(self, name: str, api: Api) -> None:
        self._name, self._api = name, api
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin to work."""
        threading.Thread(target=self._work, name=f"{self.what} {self._name}", daemon=True).start()

    def stop(self) -> None:
        """Work no more."""
        self._stopping.set()

    def _work(self) -> None:
        pause = ROUND_SECONDS
        while not self._stopping.wait(pause):
            try:
                pause = ROUND_SECONDS if self.round() else IDLE_SECONDS
            except ApiError as error:
                log.debug("%s of %s: %s", self.what, self._name, error)
            except Exception:
                log.exception("%s of %s", self.what, self._name)

    def round(self) -> bool:
        """Do what there is to do, and tell whether there may be more soon.

        Raises:
            ApiError: if the server refuses or is away; the next round tries again.
        """
        raise NotImplementedError

    def runs(self, path: str) -> bool:
        """Tell whether the workload at a path, which would do this work, has a pod that is ready."""
        found = self._api.get(path)
        return bool(found and found.get("status", {}).get("readyReplicas"))
