"""One module (or package) a service: what moto lacks, or lets through, of that service.

Each offers ``register()``, called once before the first request.
"""
