"""RDS for PostgreSQL, whole: moto's own emulation is lenient in all that failover depends on, so none of it is used."""

from __future__ import annotations


def register() -> None:
    """Put this RDS in the place of moto's, before the first request."""
    import moto.rds.urls

    from .responses import RdsResponse

    moto.rds.urls.url_paths = {"{0}/$": RdsResponse.dispatch}
