"""Error answers in the shape of each AWS protocol."""

from __future__ import annotations

import json
from uuid import uuid4
from xml.sax.saxutils import escape

from .http_server import Response


def error_response(protocol: str, code: str, message: str, status: int = 400) -> Response:
    """Return an error that an SDK parses to this code and message.

    Args:
        protocol: ``ec2``, ``query``, ``rest-xml``, ``s3``, ``json`` or ``rest-json``.
        code: the error code, e.g. ``Throttling``.
        message: the sentence for people.
        status: the HTTP status.
    """
    request_id = str(uuid4())
    if protocol in ("json", "rest-json"):
        body = json.dumps({"__type": code, "message": message, "Message": message})
        headers = [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-ErrorType", code)]
        return Response(status, body.encode(), [*headers, ("x-amzn-RequestId", request_id)])
    template = _XML.get(protocol, _XML["query"])
    kind = "Receiver" if status >= 500 else "Sender"
    body = template.format(code=escape(code), message=escape(message), request_id=request_id, kind=kind)
    return Response(status, body.encode(), [("Content-Type", "text/xml"), ("x-amzn-RequestId", request_id)])


_XML = {
    "ec2": (
        "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
        "<RequestID>{request_id}</RequestID></Response>"
    ),
    "query": (
        "<ErrorResponse><Error><Type>{kind}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        "<RequestId>{request_id}</RequestId></ErrorResponse>"
    ),
    "s3": "<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{request_id}</RequestId></Error>",
}

_THROTTLE_CODES = {
    "ec2": ("RequestLimitExceeded", 503),
    "s3": ("SlowDown", 503),
    "query": ("Throttling", 400),
    "rest-xml": ("Throttling", 400),
    "json": ("ThrottlingException", 400),
    "rest-json": ("ThrottlingException", 429),
}


def throttle_response(protocol: str) -> Response:
    """Return what AWS says to a client that calls too often."""
    code, status = _THROTTLE_CODES[protocol]
    return error_response(protocol, code, "Rate exceeded", status)


def server_error_response(protocol: str) -> Response:
    """Return an internal error of the service, which SDKs retry."""
    code = {"ec2": "InternalError", "s3": "InternalError"}.get(protocol, "InternalFailure")
    return error_response(protocol, code, "An internal error has occurred. Retry your request.", 500)


def error_code(response: Response) -> str:
    """Return the error code of an answer, or an empty string for a success."""
    if response.status < 400:
        return ""
    header = next((v for n, v in response.headers if n.lower() == "x-amzn-errortype"), "")
    if header:
        return header.split(":")[0].split("#")[-1]
    text = response.body[:4096].decode("utf-8", "replace")
    if "<Code>" in text:
        return text.split("<Code>", 1)[1].split("</Code>", 1)[0]
    try:
        return str(json.loads(response.body)["__type"]).split("#")[-1]
    except (ValueError, KeyError, TypeError):
        return f"HTTP{response.status}"
