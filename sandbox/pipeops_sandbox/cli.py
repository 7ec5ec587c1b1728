"""``python -m pipeops_sandbox``: start, stop and ask the sandbox.

Exit status: 0 done, 1 not done (the message on standard error says why), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

import psutil

from . import client
from .client import ACCESS_KEY, SECRET_KEY, Failure, health, url_of
from .clock import PROFILES
from .kubernetes import command as kubernetes
from .startup import share_service_models, without_collections

if TYPE_CHECKING:
    from .http_server import Server
    from .server import Sandbox

log = logging.getLogger(__name__)
DEFAULT_PORT = 5110
DEFAULT_STATE_DIR = Path("build/sandbox")
#: Charts that stand in for those of upstream. The variable CHARTS names others: a directory, or upstream.
CHARTS = Path(__file__).resolve().parents[1] / "charts"
#: The repository that applications come from: this checkout, which has some in examples/gitops.
CHECKOUT = Path(__file__).resolve().parents[2]
DATA_PLANES = ("all", "postgres", "kubernetes", "names")
START_SECONDS = 30.0
STOP_SECONDS = 20.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # What follows -- is another program's own; argparse would look into it.
    own = words[: words.index("--")] if "--" in words else words
    options = _parser().parse_args(own, argparse.Namespace(arguments=words[len(own) + 1 :]))
    try:
        options.run(options)
    except Failure as error:
        print(f"pipeops_sandbox: {error}", file=sys.stderr)  # noqa: T201 - this is a command
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pipeops_sandbox", description="AWS on loopback, with AWS's rules.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, text in (
        ("up", up, "start the sandbox in the background, or find that it runs"),
        ("serve", serve, "run the sandbox in the foreground"),
        ("down", down, "stop the sandbox; its state stays"),
        ("status", status, "say whether it runs, and how"),
        ("env", env, "print the shell lines that lead AWS clients to it"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        command.add_argument("--port", type=_port, default=DEFAULT_PORT, help=f"default {DEFAULT_PORT}")
        if name in ("up", "serve"):
            command.add_argument("--state-dir", type=Path, default=DEFAULT_STATE_DIR, help="default build/sandbox")
            command.add_argument("--profile", choices=PROFILES, help="how long things take; default: as last time")
            command.add_argument("--scale", type=_scale, help="model seconds in a real second; default: as last time")
            command.add_argument(
                "--data-plane", choices=DATA_PLANES, default=DATA_PLANES[0],
                help="what is behind RDS and EKS: servers of both, of one of them, or names only; default all",
            )  # fmt: skip
            command.add_argument(
                "--enforce-iam", action="store_true", help="hold identities that the sandbox made to their policies"
            )
        if name == "env":
            command.add_argument("--from", dest="origin", metavar="REGION", help="for callers that sit in a Region")
    kubernetes.add_to(commands, _port)
    for name, run, text in (
        ("resolve", client.resolve, "ask the sandbox's DNS for the address behind a name"),
        ("psql", client.psql, "open psql on the server behind a name; what follows -- is psql's own"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        command.add_argument("name", metavar="NAME", help="an endpoint of RDS, or a name in a zone of Route 53")
        command.add_argument("--port", type=_port, default=DEFAULT_PORT, help=f"default {DEFAULT_PORT}")
        if name == "psql":
            command.add_argument("--secret", help="the secret in Secrets Manager that has username and password")
            command.add_argument("--region", help="where the secret is; default: the Region of the endpoint")
            command.usage = f"{parser.prog} psql [OPTIONS] NAME [-- ARGUMENTS OF PSQL]"
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{port} is no port, allowed: 1 to 65535")
    return port


def _scale(text: str) -> float:
    scale = float(text)
    if not 0 < scale < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no scale, allowed: a number above 0")
    return scale


def up(options: argparse.Namespace) -> None:
    """Start the sandbox unless it runs already, and print its address."""
    state_dir = options.state_dir.resolve()
    running = health(options.port)
    if running is None:
        _start(options, state_dir)
    elif running["state"] != str(state_dir / "state.pickle"):
        raise Failure(
            f"the sandbox on port {options.port} keeps its state in {running['state']}, not in {state_dir}. Stop it "
            f"with python -m pipeops_sandbox down --port {options.port}, or choose another --port"
        )
    else:
        _set_clock(options)
    _say_what_is_missing(options)
    print(url_of(options.port))  # noqa: T201 - the command's result


def _say_what_is_missing(options: argparse.Namespace) -> None:
    """Tell whoever wanted servers that there are none."""
    running = health(options.port) or {}
    if options.data_plane in ("all", "postgres") and running.get("data_plane") == "names":
        why = f"it was started so, or found no PostgreSQL (see server.log beside {running['state']})"
        print(f"pipeops_sandbox: RDS has names only, no servers: {why}", file=sys.stderr)  # noqa: T201 - a command
    if options.data_plane in ("all", "kubernetes") and running.get("kubernetes") == "none":
        how = f"python -m {__package__} kubernetes build"
        print(f"pipeops_sandbox: EKS has no Kubernetes API server; new clusters get one after: {how}", file=sys.stderr)  # noqa: T201 - a command


def _set_clock(options: argparse.Namespace) -> None:
    wanted = {name: getattr(options, name) for name in ("profile", "scale") if getattr(options, name) is not None}
    if wanted:
        request = Request(f"{url_of(options.port)}/_sandbox/clock", json.dumps(wanted).encode(), method="POST")
        urlopen(request, timeout=10).close()


def _start(options: argparse.Namespace, state_dir: Path) -> None:
    state_dir.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", __package__, "serve", "--port", str(options.port), "--state-dir", str(state_dir)]
    command += ["--data-plane", options.data_plane]
    command += ["--enforce-iam"] if options.enforce_iam else []
    for name in ("profile", "scale"):
        if getattr(options, name) is not None:
            command += [f"--{name}", str(getattr(options, name))]
    package_home = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, (package_home, os.environ.get("PYTHONPATH"))))
    log = state_dir / "server.log"
    with log.open("ab") as output:
        server = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
    deadline = time.monotonic() + START_SECONDS
    while not _answers(options.port):
        if server.poll() is not None:
            raise Failure(f"the sandbox ended at once with status {server.returncode}; see the end of {log}")
        if time.monotonic() > deadline:
            server.kill()
            raise Failure(f"the sandbox does not answer on port {options.port} after {START_SECONDS:g} s; see {log}")
        time.sleep(0.05)


def _answers(port: int) -> bool:
    """Tell whether the server that was started answers; one that is slow to is not something else on its port."""
    try:
        return health(port) is not None
    except Failure:
        return False


def down(options: argparse.Namespace) -> None:
    """Stop the sandbox and wait until its state is written."""
    running = health(options.port)
    if running is None:
        print(f"no sandbox on port {options.port}")  # noqa: T201 - the command's result
        return
    process = psutil.Process(running["pid"])
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except psutil.TimeoutExpired as error:
        raise Failure(f"the sandbox, process {process.pid}, did not stop within {STOP_SECONDS:g} s") from error
    print(f"stopped; its state is in {running['state']}")  # noqa: T201 - the command's result


def status(options: argparse.Namespace) -> None:
    """Print how the sandbox is."""
    running = health(options.port)
    if running is None:
        raise Failure(f"no sandbox on port {options.port}; start one with: python -m {__package__} up")
    clock = running["clock"]
    print(  # noqa: T201 - the command's result
        f"{url_of(options.port)} runs as process {running['pid']}, moto {running['moto']}\n"
        f"clock: profile {clock['profile']}, scale {clock['scale']:g}\n"
        f"calls: {running['calls']}, fault rules: {running['faults']}, "
        f"regions down: {', '.join(running['regions_down']) or 'none'}\n"
        f"state: {running['state']} {running['state_error']}".rstrip()
    )


def env(options: argparse.Namespace) -> None:
    """Print shell lines; the config files are shut out so that nobody's real account can be reached by mistake."""
    lines = {
        "AWS_ENDPOINT_URL": url_of(options.port),
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1,localhost,127.0.0.0/8${NO_PROXY:+,$NO_PROXY}",
        "no_proxy": "127.0.0.1,localhost,127.0.0.0/8${no_proxy:+,$no_proxy}",
    }
    running = health(options.port)
    if options.origin:
        begun = client.begin_in(options.origin, options.port)
        lines["AWS_ENDPOINT_URL"] += begun["path"]
        running = begun
    if running and running.get("dns"):
        lines["PIPEOPS_DNS_SERVERS"] = running["dns"]
    if running and running.get("kubernetes", "none") == "none":
        # Nothing answers behind EKS, so playbooks are to leave alone what is inside clusters.
        lines["PIPEOPS_KUBERNETES_ENABLED"] = "false"
    charts = os.environ.get("CHARTS") or str(CHARTS)
    if charts == "upstream" or Path(charts).is_dir():
        lines["PIPEOPS_CHART_SOURCE"] = charts if charts == "upstream" else str(Path(charts).resolve())
    if (CHECKOUT / "examples" / "gitops").is_dir():
        lines["PIPEOPS_GITOPS_REPOSITORY"] = CHECKOUT.as_uri()
    for name, value in lines.items():
        print(f"export {name}={value}")  # noqa: T201 - the command's result
    print("unset AWS_PROFILE AWS_SESSION_TOKEN AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")  # noqa: T201 - the same


def serve(options: argparse.Namespace) -> None:
    """Answer on the port until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    if health(options.port) is not None:
        raise Failure(f"a sandbox answers on port {options.port} already")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with without_collections():
        sandbox, server = _bind(options)
        threading.Thread(target=server.serve_forever, name="sandbox", daemon=True).start()
        sandbox.preload()
    stop.wait()
    server.shutdown()
    sandbox.close()


def _clusters_wanted(options: argparse.Namespace) -> bool:
    """Tell whether there are to be API servers, and say so if there cannot be any yet."""
    from .kubernetes import build  # noqa: PLC0415 - as below

    if options.data_plane not in ("all", "kubernetes"):
        return False
    have, busy = build.look()
    if have:
        # Another checkout may have got them: whoever installs add-ons from this one needs helm beside its ansible.
        build.link_helm(have)
    elif not busy:
        log.warning("EKS clusters get no API server until this has run: python -m %s kubernetes build", __package__)
    return True


def _servers_wanted(options: argparse.Namespace) -> bool:
    """Tell whether there are to be PostgreSQL servers, and say so if there cannot be any."""
    from .postgres import binaries  # noqa: PLC0415 - moto's own time comes first

    if options.data_plane not in ("all", "postgres"):
        return False
    if not binaries.found():
        log.warning("RDS has names only, no servers: %s", binaries.MISSING)
        return False
    return True


def _bind(options: argparse.Namespace) -> tuple[Sandbox, Server]:
    """Make the sandbox and take the port."""
    # Imported here because moto takes a second to load, which the other commands do not need.
    share_service_models()
    from .access.gate import gate  # noqa: PLC0415
    from .http_server import Server  # noqa: PLC0415
    from .runtime import runtime  # noqa: PLC0415
    from .server import Sandbox  # noqa: PLC0415
    from .state import StateError  # noqa: PLC0415

    try:
        state_dir = options.state_dir.resolve()
        sandbox = Sandbox(state_dir)
        runtime.clock.set(options.profile, options.scale)
        gate.enforced = options.enforce_iam
        server = Server(sandbox, options.port)
        if _servers_wanted(options):
            sandbox.put_servers(state_dir, options.port)
        if _clusters_wanted(options):
            sandbox.put_clusters(state_dir, server.url)
        return sandbox, server
    except (OSError, StateError) as error:
        raise Failure(f"cannot serve on port {options.port}: {error}") from error
