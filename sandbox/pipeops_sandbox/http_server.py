"""The HTTP/1.1 side: one thread a connection, keep-alive, and connections that can be cut as a network does.

werkzeug's own handler closes each connection after one answer and waits 10 ms to drain it;
with keep-alive a client like botocore pays neither.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from io import BytesIO
from typing import IO, Any, cast

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import DechunkedInput

Environ = dict[str, Any]
# Nobody reads a request for longer than this: an idle keep-alive connection then gives its thread back.
IDLE_SECONDS = 300


class CutConnection(Exception):
    """Reset the client's connection without an answer."""


@dataclass
class Response:
    """An HTTP answer."""

    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)


Application = Callable[[Environ, bytes], Response]


class Handler(MotoRequestHandler):
    """Hands each request to the server's application, and keeps the connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536
    timeout = IDLE_SECONDS
    server: Server  # type: ignore[assignment]  # werkzeug's own server class is not used

    def handle_expect_100(self) -> bool:
        """Let the client send its body now: the write buffer would hold the line back."""
        proceed = super().handle_expect_100()
        self.wfile.flush()
        return proceed

    def run_wsgi(self) -> None:
        """Answer one request."""
        body = self._read_body()
        environ = self.make_environ()
        environ["wsgi.input"] = BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        try:
            self._answer(self.server.application(environ, body))
        except CutConnection:
            self._reset()

    def _read_body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            return DechunkedInput(cast(IO[bytes], self.rfile)).readall()
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(self, response: Response) -> None:
        names = {name.lower() for name, _value in response.headers}
        self.send_response(response.status, _phrase(response.status))
        for name, value in response.headers:
            if name.lower() not in ("connection", "date", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        if self.command == "HEAD" and "content-length" in names:
            self.send_header("Content-Length", next(v for n, v in response.headers if n.lower() == "content-length"))
        elif response.status not in (204, 304):
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)
        self.wfile.flush()

    def _reset(self) -> None:
        """Close with a zero linger, so that the client sees a reset and not an orderly end."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing per request: the journal has it, and without the bodies."""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


class Server(ThreadingHTTPServer):
    """A listening socket on loopback, with an application behind it."""

    daemon_threads = True
    request_queue_size = 128
    # What werkzeug's handler reads of its server when it builds the WSGI environment.
    ssl_context = None
    multithread = True
    multiprocess = False
    _server_version = "pipeops-sandbox"

    def __init__(self, application: Application, port: int = 0) -> None:
        self.application = application
        super().__init__(("127.0.0.1", port), Handler)

    @property
    def url(self) -> str:
        """The base URL for clients."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle of a request is everyday life, anything else is a bug to show."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)
