"""A channel that posts complaints one after the other and repeats each until it is acknowledged, as adapters do."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from shared.web.auth import Role
from tests.support.house import House

#: Between two complaints of one poster, and before a post is repeated, in seconds.
PACE, AGAIN = 0.5, 0.2


@dataclass
class Poster:
    """Every other complaint has the channel's message id, the others an `Idempotency-Key` alone."""

    house: House
    account: str
    #: Complaint id by the serial number of the post.
    acknowledged: dict[int, str] = field(default_factory=dict)
    #: Broken or refused attempts, by what was seen.
    repeated: int = 0
    replayed: int = 0
    _serial: int = 0
    _ending: asyncio.Event = field(default_factory=asyncio.Event)

    async def post_for_ever(self) -> None:
        """Until `end`; what was begun is finished."""
        headers = dict(self.house.world().acts("seat-01", "坐席", Role.ADAPTER).headers)
        async with httpx.AsyncClient(base_url=self.house.fleet.urls["intake"], headers=headers, timeout=20) as http:
            while not self._ending.is_set():
                await self.post(http)
                await asyncio.sleep(PACE)

    def end(self) -> None:
        self._ending.set()

    async def post(self, http: httpx.AsyncClient) -> None:
        self._serial += 1
        serial = self._serial
        body = self._complaint(serial)
        while serial not in self.acknowledged:
            try:
                answer = await http.post(
                    "/v1/complaints", json=body, headers={"Idempotency-Key": f"{self.account}-{serial}"}
                )
            except httpx.TransportError:
                self.repeated += 1
            else:
                if answer.is_success:
                    self.acknowledged[serial] = answer.json()["id"]
                    self.replayed += answer.status_code == 200 or "Idempotency-Replayed" in answer.headers
                    return
                assert answer.status_code >= 500 or answer.status_code == 409, answer.text
                self.repeated += 1
            await asyncio.sleep(AGAIN)

    def _complaint(self, serial: int) -> dict[str, Any]:
        channel = {"channel": "hotline", "account": self.account, "seat": "seat-01"}
        return {
            "channel": channel | ({"message_id": f"call-{serial}"} if serial % 2 else {}),
            "complainant": {
                "name": f"客户{serial}",
                "phones": [f"139{serial:08d}"],
                "account_id": f"{self.account}-{serial}",
                "preferred_channel": "sms",
            },
            "priority": "important",
            "symptom": "查询近7天订单时加载失败",
            "product": "订单管理系统",
        }


@asynccontextmanager
async def complaints_coming_in(house: House, *accounts: str) -> AsyncGenerator[list[Poster]]:
    """One poster for each account posts while the block lasts; each has finished what it began when it is left."""
    posters = [Poster(house, account) for account in accounts]
    async with asyncio.TaskGroup() as posting:
        for poster in posters:
            posting.create_task(poster.post_for_ever())
        try:
            yield posters
        finally:
            for poster in posters:
                poster.end()
