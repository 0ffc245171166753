from insight_service.main import service
from insight_service.settings import Settings
from shared.service import main

main(service, Settings)
