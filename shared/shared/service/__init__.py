"""How a service is put together and run. The top layer of shared: only `main.py` and `__main__.py` import it."""

from shared.service.build import CannotStart, Service, build_service, open_database
from shared.service.run import main

__all__ = ["CannotStart", "Service", "build_service", "main", "open_database"]
