from shared.db.migrate import run_env
from triage_service.store import metadata

run_env(metadata)
