"""EKS as AWS runs it: Auto Mode clusters, their updates, add-ons, access entries, Pod Identity and node groups.

moto knows a fraction of the API and lets through what AWS refuses, so nothing of its EKS is used
but the routing and the serialiser. Field names and error codes are those of the botocore model.
"""

from .response import register

__all__ = ["register"]
