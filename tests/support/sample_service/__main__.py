from shared.service import main
from tests.support.sample_service.main import service
from tests.support.sample_service.settings import Settings

main(service, Settings)
