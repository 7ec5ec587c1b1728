"""CloudTrail's event history: who changed what and when, as LookupEvents tells it; moto has trails only."""

from __future__ import annotations

import json
import re
from collections import deque
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from moto.cloudtrail.responses import CloudTrailResponse

from ..errors import AwsError
from ..http_server import Environ
from ..overlay import install, json_parameters
from ..routing import Call
from ..runtime import runtime

#: Events that are kept for each Region, and characters of a request. The state is written with them.
EVENTS_MAX, REQUEST_MAX = 1000, 3000
PAGE_MAX = 50
# What changes data inside of a resource is no management event, so the history does not have it.
_DATA = re.compile(
    r"dynamodb:.*Item.*|s3:.*(Object|MultipartUpload|UploadPart).*|sns:Publish.*|secretsmanager:GetRandom.*"
)
_HIDDEN = re.compile(r"password|secretstring|secretbinary", re.IGNORECASE)
# The attributes by which a sandbox can look for events; it does not know which resources an event is about.
_ATTRIBUTES = {
    "EventId": "eventID",
    "EventName": "eventName",
    "EventSource": "eventSource",
    "ReadOnly": "readOnly",
    "Username": "userName",
    "AccessKeyId": "accessKeyId",
}

Event = dict[str, Any]


def note(account: str, call: Call, environ: Environ, body: bytes) -> None:
    """Keep a call that has changed something, if it is a management event."""
    if _DATA.fullmatch(call.name):
        return
    history: deque[Event] = runtime.store("cloudtrail", account, call.region, lambda: deque(maxlen=EVENTS_MAX))
    user = {
        "type": "IAMUser",
        "userName": call.principal,
        "accessKeyId": call.principal,
        "accountId": account,
        "arn": f"arn:aws:iam::{account}:user/{call.principal}",
    }
    history.appendleft(
        {
            "eventID": str(uuid4()),
            "eventTime": runtime.clock.now(),
            "eventSource": f"{call.service}.amazonaws.com",
            "eventName": call.operation,
            "awsRegion": call.region,
            "sourceIPAddress": "127.0.0.1",
            "userAgent": str(environ.get("HTTP_USER_AGENT", "")),
            "readOnly": False,
            "userIdentity": user,
            "requestParameters": _parameters(environ, body),
        }
    )


def _parameters(environ: Environ, body: bytes) -> dict[str, Any]:
    """Return a request's parameters: by their names if it has some, else its path and body."""
    text = body.decode("utf-8", "replace")[:REQUEST_MAX]
    if environ.get("HTTP_X_AMZ_TARGET"):
        try:
            return {name: _shown(name, value) for name, value in json.loads(body).items()}
        except ValueError:
            return {"body": text}
    if "Action=" in text:
        return {name: _shown(name, values[0]) for name, values in parse_qs(text).items()}
    query = str(environ.get("QUERY_STRING", ""))
    return {"path": environ["PATH_INFO"], "query": query, "body": "" if _HIDDEN.search(text) else text}


def _shown(name: str, value: Any) -> Any:
    return "HIDDEN_DUE_TO_SECURITY_REASONS" if _HIDDEN.search(name) else value


class CloudTrail(CloudTrailResponse):
    """moto's CloudTrail with an event history."""

    def lookup_events(self) -> str:
        """Return events, the latest first."""
        asked = json_parameters(self)
        size = int(asked.get("MaxResults", PAGE_MAX))
        if not 1 <= size <= PAGE_MAX:
            raise AwsError("InvalidMaxResultsException", f"A maximum of {PAGE_MAX} results is allowed")
        history: deque[Event] = runtime.store(
            "cloudtrail", self.current_account, self.region, lambda: deque(maxlen=EVENTS_MAX)
        )
        found = [event for event in history if _matches(event, asked)]
        start = _offset(asked.get("NextToken"))
        more = {"NextToken": str(start + size)} if len(found) > start + size else {}
        return json.dumps({"Events": [_told(event) for event in found[start : start + size]], **more})


def _offset(token: str | None) -> int:
    if token is not None and not token.isdigit():
        raise AwsError("InvalidNextTokenException", "Invalid token")
    return int(token or 0)


def _matches(event: Event, asked: Event) -> bool:
    if not asked.get("StartTime", 0) <= event["eventTime"] <= asked.get("EndTime", float("inf")):
        return False
    for attribute in asked.get("LookupAttributes", []):
        key, wanted = attribute["AttributeKey"], attribute["AttributeValue"]
        if key not in _ATTRIBUTES:
            raise NotImplementedError(key)
        name = _ATTRIBUTES[key]
        value = event.get(name, event["userIdentity"].get(name))
        if (str(value).lower() if name == "readOnly" else value) != wanted:
            return False
    return True


def _told(event: Event) -> Event:
    """Return an event as LookupEvents has it, with the whole of it as JSON inside."""
    at = datetime.fromtimestamp(event["eventTime"], UTC)
    whole = {"eventVersion": "1.11", **event, "eventTime": at.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return {
        "EventId": event["eventID"],
        "EventName": event["eventName"],
        "EventSource": event["eventSource"],
        "EventTime": event["eventTime"],
        "ReadOnly": str(event["readOnly"]).lower(),
        "Username": event["userIdentity"]["userName"],
        "AccessKeyId": event["userIdentity"]["accessKeyId"],
        "Resources": [],
        "CloudTrailEvent": json.dumps(whole),
    }


def register() -> None:
    """Put this overlay in front of moto's CloudTrail."""
    install("cloudtrail", CloudTrail)
