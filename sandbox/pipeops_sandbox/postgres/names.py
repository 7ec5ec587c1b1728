"""The sandbox's DNS: names of RDS endpoints and of Route 53's zones, private ones too, over UDP on loopback."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dnslib import QTYPE, RCODE, RR, DNSRecord
from dnslib.server import BaseResolver, DNSHandler, DNSLogger, DNSServer
from moto.route53.models import route53_backends

log = logging.getLogger(__name__)
RDS_TTL = 5
"""Seconds; RDS gives its endpoints this time to live."""
HOPS = 8
LOOPBACK = "127.0.0.1"

Addresses = Callable[[], dict[str, str]]


@dataclass(frozen=True)
class Line:
    """One record of an answer. ``value`` in zone file form."""

    name: str
    ttl: int
    kind: str
    value: str


def _plain(name: str) -> str:
    return str(name).rstrip(".").lower().replace("\\052", "*")


class Names:
    """Looks names up in the control plane's state.

    Args:
        addresses: returns where each RDS endpoint's name leads.
    """

    def __init__(self, owner: str, lock: threading.RLock, addresses: Addresses) -> None:
        self._owner, self._lock, self._addresses = owner, lock, addresses

    def find(self, name: str, kind: str) -> list[Line] | None:
        """Return the records of a name and a type, with the aliases that lead there; None if there is no such name."""
        with self._lock:
            return self._follow(_plain(name), kind)

    def _follow(self, name: str, kind: str) -> list[Line] | None:
        lines: list[Line] = []
        hosts = self._addresses()
        asked = name
        for _hop in range(HOPS):
            if name in hosts:
                return lines + ([Line(asked, RDS_TTL, "A", hosts[name])] if kind == "A" else [])
            sets = self._sets(name)
            if not sets:
                return lines or None
            same = [one for one in sets if one.type == kind] or [one for one in sets if one.type == "CNAME"]
            if not same:
                return lines
            chosen = _preferred(same)
            if chosen.alias_target:
                # An alias is no CNAME: what it leads to is told under the alias's own name.
                name = _plain(chosen.alias_target["DNSName"])
                continue
            lines += [Line(asked, int(chosen.ttl or 0), chosen.type, str(value)) for value in _values(chosen)]
            if chosen.type == kind:
                return lines
            asked = name = _plain(_values(chosen)[0])
        return lines

    def _sets(self, name: str) -> list[Any]:
        """Return the record sets of a name, of the closest zone, private ones first."""
        zones = list(route53_backends[self._owner]["aws"].zones.values())
        inside = [zone for zone in zones if name == _plain(zone.name) or name.endswith("." + _plain(zone.name))]
        inside.sort(key=lambda zone: (not zone.private_zone, -len(_plain(zone.name))))
        wildcard = "*." + name.partition(".")[2]
        for wanted in (name, wildcard):
            for zone in inside:
                found = [one for one in zone.rrsets if _plain(one.name) == wanted]
                if found:
                    return found
        return []


def _values(record_set: Any) -> list[Any]:
    return [one["Value"] if isinstance(one, dict) else one for one in record_set.records]


def _preferred(sets: list[Any]) -> Any:
    """Return one of several record sets: the primary, or the one of the greatest weight; all count as healthy."""
    return max(sets, key=lambda one: (one.failover == "PRIMARY", int(one.weight or 0)))


class Resolver(BaseResolver):
    """Answers queries from ``Names``."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def resolve(self, request: DNSRecord, handler: DNSHandler) -> DNSRecord:
        """Answer one query."""
        reply = request.reply(ra=1)
        name, kind = str(request.q.qname), str(QTYPE[request.q.qtype])
        try:
            lines = self._names.find(name, kind)
        except Exception:
            log.exception("looking up %s %s", name, kind)
            reply.header.rcode = RCODE.SERVFAIL
            return reply
        if lines is None:
            reply.header.rcode = RCODE.NXDOMAIN
        for line in lines or []:
            value = line.value if line.kind in ("A", "AAAA", "TXT", "MX", "SRV", "CAA") else f"{_plain(line.value)}."
            for record in RR.fromZone(f"{line.name}. {line.ttl} {line.kind} {value}"):
                reply.add_answer(record)
        return reply


def serve(names: Names, port: int) -> tuple[DNSServer, int]:
    """Answer on a UDP port of 127.0.0.1, or on a free one if it is taken; return the server and its port."""
    logger = DNSLogger("-request,-reply,-truncated,-error")
    try:
        server = DNSServer(Resolver(names), port=port, address=LOOPBACK, logger=logger)
    except OSError:
        server = DNSServer(Resolver(names), port=0, address=LOOPBACK, logger=logger)
        log.warning("UDP port %d is taken; names are answered on another one", port)
    server.start_thread()
    return server, int(server.server.server_address[1])
