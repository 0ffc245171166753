"""Engine, units of work, provisioning and migration."""

from shared.db.engine import Database, async_url, driver_connection
from shared.db.migrate import Migrations, provision

__all__ = ["Database", "Migrations", "async_url", "driver_connection", "provision"]
