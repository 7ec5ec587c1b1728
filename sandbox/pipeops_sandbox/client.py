"""The command line's way to a sandbox that runs: how it is, what its DNS says, and psql on its servers."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

# moto takes the account from the key, so a key has the shape of a real one: 20 capitals and digits.
ACCESS_KEY = "AKIASANDBOX000000001"
SECRET_KEY = "sandbox"  # noqa: S105 - opens nothing: the sandbox takes any
DNS_SECONDS = 5.0
ADDRESS = 1
"""The number of DNS's record type A."""


class Failure(Exception):
    """What was asked cannot be done; the message says why and what to do."""


def url_of(port: int) -> str:
    """Return the address of the sandbox on a port."""
    return f"http://127.0.0.1:{port}"


def health(port: int, timeout: float = 5.0) -> dict[str, Any] | None:
    """Return what the sandbox on a port says of itself; None if nothing listens there.

    Raises:
        Failure: if something else has the port.
    """
    try:
        with urlopen(Request(f"{url_of(port)}/_sandbox/health"), timeout=timeout) as answer:
            found = json.load(answer)
    except ConnectionRefusedError:
        return None
    except URLError as error:
        if isinstance(error.reason, ConnectionRefusedError):
            return None
        raise _taken(port, str(error.reason)) from error
    except (OSError, ValueError) as error:
        raise _taken(port, str(error)) from error
    if not isinstance(found, dict) or "moto" not in found:
        raise _taken(port, "it answers, but not as a sandbox does")
    return found


def _taken(port: int, why: str) -> Failure:
    return Failure(f"port {port} is taken by something else ({why}); stop that, or choose another with --port")


def begin_in(region: str, port: int) -> dict[str, Any]:
    """Return the path of the endpoint and the DNS server of callers that sit in a Region.

    Raises:
        Failure: if there is no sandbox, or no such Region.
    """
    request = Request(f"{url_of(port)}/_sandbox/origins/{region}", b"{}", method="POST")
    try:
        with urlopen(request, timeout=DNS_SECONDS) as answer:
            return dict(json.load(answer))
    except HTTPError as error:
        raise Failure(json.load(error)["error"]["message"]) from error
    except OSError as error:
        raise Failure(f"no sandbox on port {port}; start one with: python -m {__package__} up") from error


def _dns(port: int) -> tuple[str, int]:
    running = health(port)
    if running is None:
        raise Failure(f"no sandbox on port {port}; start one with: python -m {__package__} up")
    if not running.get("dns"):
        raise Failure(f"the sandbox on port {port} has names only, no servers; start it with --data-plane postgres")
    host, _colon, number = running["dns"].rpartition(":")
    return host, int(number)


def lookup(name: str, port: int) -> tuple[list[str], str]:
    """Return the names that a name leads over, itself first, and the address at the end.

    Raises:
        Failure: if it leads nowhere.
    """
    from dnslib import DNSRecord  # noqa: PLC0415 - the other commands start sooner without it

    host, number = _dns(port)
    answer = DNSRecord.parse(DNSRecord.question(name).send(host, number, timeout=DNS_SECONDS))
    chain = [name.rstrip("."), *(str(row.rdata).rstrip(".") for row in answer.rr if row.rtype != ADDRESS)]
    addresses = [str(row.rdata) for row in answer.rr if row.rtype == ADDRESS]
    if not addresses:
        raise Failure(f"{' -> '.join(chain)} leads to no address in this sandbox")
    return chain, addresses[0]


def resolve(options: argparse.Namespace) -> None:
    """Print where a name leads: each alias, and the address last."""
    chain, address = lookup(options.name, options.port)
    for step in [*chain[1:], address]:
        print(step)  # noqa: T201 - the command's result


def psql(options: argparse.Namespace) -> None:
    """Be psql on the server behind a name. The password goes through the environment, where no other user looks."""
    from .postgres import binaries  # noqa: PLC0415 - as above

    chain, address = lookup(options.name, options.port)
    environment = {**os.environ, "PGHOST": options.name, "PGHOSTADDR": address}
    environment.setdefault("PGCONNECT_TIMEOUT", "5")
    if options.secret:
        region = options.region or _region(chain)
        environment |= _login(_secret(options, region))
    try:
        path, encrypts = binaries.psql()
    except binaries.NoBinaries as error:
        raise Failure(str(error)) from error
    if encrypts:
        os.execve(path, ["psql", *options.arguments], environment)  # noqa: S606 - no shell is wanted
    from .postgres import tunnel  # noqa: PLC0415 - as above

    port = int(environment.get("PGPORT", "5432"))
    sys.exit(tunnel.run(path, options.arguments, environment, address, port))


def _region(chain: list[str]) -> str:
    labels = chain[-1].split(".")
    if len(labels) < 5 or labels[3] != "rds":
        raise Failure(f"{chain[-1]} does not say which Region it is in; say it with --region")
    return labels[2]


def _secret(options: argparse.Namespace, region: str) -> dict[str, Any]:
    import boto3  # noqa: PLC0415 - as above
    from botocore.exceptions import ClientError  # noqa: PLC0415

    secrets = boto3.client(
        "secretsmanager", region, endpoint_url=url_of(options.port), aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )  # fmt: skip
    try:
        value = json.loads(secrets.get_secret_value(SecretId=options.secret)["SecretString"])
    except (ClientError, KeyError, ValueError) as error:
        raise Failure(f"the secret {options.secret} in {region}: {error}") from error
    if not isinstance(value, dict) or not {"username", "password"} <= value.keys():
        raise Failure(f"the secret {options.secret} in {region} has no username and password")
    return value


def _login(secret: dict[str, Any]) -> dict[str, str]:
    """Return libpq's variables for a secret as RDS has them."""
    names = {"PGUSER": "username", "PGPASSWORD": "password", "PGDATABASE": "dbname", "PGPORT": "port"}
    found = {variable: str(secret[key]) for variable, key in names.items() if secret.get(key)}
    return {"PGDATABASE": "postgres", **found}
