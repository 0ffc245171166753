from resolution_service.main import service
from resolution_service.settings import Settings
from shared.service import main

main(service, Settings)
