from shared.db.migrate import run_env
from tests.support.sample_service.store import metadata

run_env(metadata)
