from shared.db.migrate import run_env
from sla_service.store import metadata

run_env(metadata)
