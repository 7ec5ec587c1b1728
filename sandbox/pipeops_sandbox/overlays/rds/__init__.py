"""RDS for PostgreSQL, whole: moto's own is lenient in all that a failover depends on, so none of it is used."""

from __future__ import annotations

import moto.rds.urls

from .metrics import RdsMetrics
from .responses import RdsResponse

# moto finds the metrics by their class, once it is defined.
__all__ = ["RdsMetrics", "register"]


def register() -> None:
    """Put this RDS in the place of moto's, before the first request."""
    moto.rds.urls.url_paths = {"{0}/$": RdsResponse.dispatch}
