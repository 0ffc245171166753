from shared.service import main
from triage_service.main import service
from triage_service.settings import Settings

main(service, Settings)
