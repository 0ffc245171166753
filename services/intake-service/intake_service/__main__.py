from intake_service.main import service
from intake_service.settings import Settings
from shared.service import main

if __name__ == "__main__":
    main(service, Settings)
