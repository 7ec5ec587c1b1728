"""Faults on demand: rules that say which calls fail, how, and how often."""

from __future__ import annotations

import os
import random
import re
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import psutil

from .http_server import CutConnection, Environ, Response
from .protocol import error_response, server_error_response, throttle_response
from .routing import Call

# How often the table of connections is read before a client counts as gone.
LOOKS = 5
EFFECTS = ("throttle", "error_500", "error", "reset", "reset_after", "latency", "kill_client")


@dataclass
class Rule:
    """Which calls are hit, and with what.

    ``service`` and ``operation`` are names or regular expressions that match the whole name. Without ``nth``
    and ``probability`` each matching call is hit. ``times`` is how often in all; with ``nth`` it is 1 unless given.
    ``latency`` is in milliseconds. ``when`` says whether ``kill_client`` strikes before the call or after it.
    ``also`` is a regular expression: ancestors of the client whose command line it finds are killed too.
    """

    effect: str
    service: str = ".*"
    operation: str = ".*"
    region: str = ".*"
    mutating: bool | None = None
    nth: int | None = None
    probability: float | None = None
    seed: int | None = None
    times: int | None = None
    latency: float = 0.0
    when: str = "after"
    also: str = ""
    code: str = ""
    message: str = "Injected by a fault rule."
    status: int = 400
    id: int = 0
    matched: int = 0
    fired: int = 0
    _random: random.Random = field(default_factory=random.Random, repr=False)

    def __post_init__(self) -> None:
        self._random.seed(self.seed)
        if self.times is None and self.nth is not None:
            self.times = 1

    def strikes(self, call: Call) -> bool:
        """Count a call, and tell whether this rule hits it."""
        if not self._matches(call):
            return False
        self.matched += 1
        if self.times is not None and self.fired >= self.times:
            return False
        if self.nth is not None and self.matched < self.nth:
            return False
        if self.probability is not None and self._random.random() >= self.probability:
            return False
        self.fired += 1
        return True

    def _matches(self, call: Call) -> bool:
        return (
            self.mutating in (None, call.mutating)
            and re.fullmatch(self.service, call.service) is not None
            and re.fullmatch(self.operation, call.operation) is not None
            and re.fullmatch(self.region, call.region) is not None
        )

    def public(self) -> dict[str, Any]:
        """Return the rule as the control interface shows it."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}


class Faults:
    """The rules in force, and the Regions that are down."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._next_id = 1
        self.down: set[str] = set()

    def add(self, rule: Rule) -> Rule:
        """Put a rule in force."""
        with self._lock:
            rule.id, self._next_id = self._next_id, self._next_id + 1
            self._rules.append(rule)
        return rule

    def rules(self) -> list[Rule]:
        """Return the rules in force, oldest first."""
        with self._lock:
            return list(self._rules)

    def remove(self, rule_id: int | None = None) -> int:
        """Lift one rule, or all; return how many."""
        with self._lock:
            kept = [rule for rule in self._rules if rule_id is not None and rule.id != rule_id]
            gone, self._rules = len(self._rules) - len(kept), kept
            return gone

    def clear(self) -> None:
        """Lift all rules and bring all Regions up."""
        self.remove()
        self.down.clear()

    def struck(self, call: Call) -> list[Rule]:
        """Return the rules that hit this call, each counted."""
        with self._lock:
            return [rule for rule in self._rules if rule.strikes(call)]


def before(rules: list[Rule], call: Call, environ: Environ) -> Response | None:
    """Do what happens before a call is applied; an answer means that it is not applied at all.

    Raises:
        CutConnection: if the client gets no answer.
    """
    for rule in rules:
        if rule.latency:
            time.sleep(rule.latency / 1000)
    for rule in rules:
        if rule.effect == "reset":
            raise CutConnection
        if rule.effect == "kill_client" and rule.when == "before":
            kill_client(environ, rule.also)
            raise CutConnection
        if rule.effect == "throttle":
            return throttle_response(call.protocol)
        if rule.effect == "error_500":
            return server_error_response(call.protocol)
        if rule.effect == "error":
            return error_response(call.protocol, rule.code, rule.message, rule.status)
    return None


def after(rules: list[Rule], environ: Environ) -> None:
    """Do what happens once a call is applied.

    Raises:
        CutConnection: if the client gets no answer.
    """
    for rule in rules:
        if rule.effect == "kill_client" and rule.when == "after":
            kill_client(environ, rule.also)
            raise CutConnection
        if rule.effect == "reset_after":
            raise CutConnection


def kill_client(environ: Environ, also: str) -> list[int]:
    """Kill the process at the other end of a connection, so that it cannot even clean up.

    Killing a process group would not do: Ansible's workers leave the session of their parent.
    An ancestor that ``also`` finds is killed first, with all that it started, before it can start the work again.

    Returns:
        The ids of the killed processes; empty if the client is this very process, as in a test.
    """
    owner = _client_process(int(environ["REMOTE_PORT"]), int(environ["SERVER_PORT"]))
    if owner is None or owner == os.getpid():
        return []
    client = psutil.Process(owner)
    found = [row for row in client.parents() if also and re.search(also, " ".join(row.cmdline()))]
    top = found[-1] if found else client
    victims = [top, *top.children(recursive=True)]
    for victim in victims:
        if victim.pid != os.getpid():
            victim.kill()
    return [victim.pid for victim in victims]


def _client_process(client_port: int, server_port: int) -> int | None:
    """Return the process at the other end of a loopback connection; None if it is gone.

    Both ports count: the kernel gives one local port to connections with several servers. It also
    leaves rows out of the table when connections come and go during the reading, so one look is not enough.
    """
    for _look in range(LOOKS):
        for row in psutil.net_connections("tcp"):
            ports = row.laddr and row.raddr and (row.laddr.port, row.raddr.port)
            if ports == (client_port, server_port) and row.pid is not None:
                return int(row.pid)
    return None
