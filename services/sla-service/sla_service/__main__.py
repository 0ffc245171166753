from shared.service import main
from sla_service.main import service
from sla_service.settings import Settings

main(service, Settings)
