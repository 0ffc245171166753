"""`redress adapter-check` passes a door that keeps the contract, and says of another what it does wrong."""

from uuid import uuid4

import httpx
import pytest

from intake_service.main import service
from redress.adaptercheck import CHECKS, Door, Failed, duplicates
from shared.clock import SystemClock
from shared.web.auth import Role
from tests.support.web import client_of


@pytest.mark.parametrize("name", CHECKS)
async def test_intake_keeps_the_contract(intake, name):
    here = service(intake.services[0].deps.settings, SystemClock(), None)
    async with client_of(here.app, Role.ADAPTER) as http:
        await CHECKS[name](Door(http, "in_app", "adapter-check"))
    await here.database.close()


async def test_a_door_that_knows_no_duplicate_is_told_so():
    def forgetful(request: httpx.Request) -> httpx.Response:
        return httpx.Response(202, json={"id": str(uuid4()), "status": "created"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(forgetful), base_url="http://door.test") as http:
        with pytest.raises(Failed, match="2 deliveries have 2 receipts, wanted 1"):
            await duplicates(Door(http, "in_app", "adapter-check"))
