"""The TCP network in front of the API servers, in a process of its own.

``python -m pipeops_sandbox.kubernetes.keeper`` works as the network in front of the databases does
(``postgres.network``), and when the sandbox is gone it ends the servers below the directory in its first argument.
"""

from __future__ import annotations

import asyncio
import fcntl
import signal
import sys
from pathlib import Path

from pipeops_sandbox.postgres.network import serve


def main(place: Path) -> None:
    """Serve while the sandbox lives, then end the servers that it left."""
    # Ctrl-C is for the sandbox, which then ends this process by closing its input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with (place / "network.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        from .server import tidy  # noqa: PLC0415 - the network is up sooner without it

        try:
            asyncio.run(serve())
        finally:
            tidy(place / "clusters")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
