from feedback_service.main import service
from feedback_service.settings import Settings
from shared.service import main

main(service, Settings)
