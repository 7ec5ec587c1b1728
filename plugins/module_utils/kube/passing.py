# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a client of Kubernetes says of a server that does not answer for the moment, or of a token that ran out."""

from __future__ import annotations

from urllib.parse import urlsplit

#: Words of Go's network library. They may be about anything that the client talks to.
CONNECTION = (
    "connection refused",
    "connection reset by peer",
    "connection lost",
    "EOF",
    "i/o timeout",
    "TLS handshake timeout",
    "no route to host",
)
#: Words of the API server and of its clients: it starts or ends, waits for etcd, or does not know the token any more.
SERVER = (
    "Kubernetes cluster unreachable",
    "apiserver is shutting down",
    "etcdserver: ",
    "the server is currently unable to handle the request",
    "the server has asked for the client to provide credentials",
    "Unauthorized",
)
#: How the server tells that a webhook of an add-on failed.
WEBHOOK = "failed calling webhook"


def is_passing(said: str, endpoint: str) -> bool:
    """Tell whether an operation failed for a reason that clears by itself.

    A connection that failed counts if it was one to the API server, or one from it to a webhook, whose pods may be
    starting: a chart's repository that does not answer is another matter.

    Args:
        said: the error output of the client.
        endpoint: the URL of the API server.
    """
    if any(words in said for words in SERVER):
        return True
    concerns_cluster = urlsplit(endpoint).netloc in said or WEBHOOK in said
    return concerns_cluster and any(words in said for words in CONNECTION)
