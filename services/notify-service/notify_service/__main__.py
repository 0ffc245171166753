from notify_service.main import service
from notify_service.settings import Settings
from shared.service import main

main(service, Settings)
