"""Where a caller sits. A Region that is cut off is cut off from outside, and what is inside it from everything else.

Callers without an origin are outside of all Regions, like an operator's laptop. One in a Region says so by the path of
its endpoint, ``http://127.0.0.1:5110/_from/us-west-2``, which every SDK takes from ``AWS_ENDPOINT_URL``.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

PREFIX = "/_from/"
#: What of a WSGI environment has the path.
PATHS = ("PATH_INFO", "RAW_URI", "REQUEST_URI")


def take(environ: dict[str, Any]) -> str:
    """Return the Region that a request comes from, empty for outside, and take it out of the request's path."""
    path = str(environ["PATH_INFO"])
    if not path.startswith(PREFIX):
        return ""
    origin = path.removeprefix(PREFIX).partition("/")[0]
    for name in PATHS:
        if name in environ:
            environ[name] = _rest(str(environ[name]), PREFIX + origin)
    return origin


def _rest(path: str, prefix: str) -> str:
    """Return a path, or a URL, without its beginning; there is always one left."""
    before, found, after = path.partition(prefix)
    if not found:
        return path
    return before + after if after.startswith("/") else f"{before}/{after}"


def apart(origin: str, region: str, down: Container[str]) -> bool:
    """Tell whether a caller cannot reach a Region, because that one or its own is cut off. Inside, all goes on."""
    return origin != region and (region in down or origin in down)


def url_from(url: str, origin: str) -> str:
    """Return the endpoint of callers that sit in a Region."""
    return f"{url}{PREFIX}{origin}"
