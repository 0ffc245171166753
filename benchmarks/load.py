"""The load, a process of its own: ``python -m benchmarks.load '{"port": …}'`` sends complaints, messages or mails and
writes what came.

Closed: every connection sends the next one when the answer has come. Open (`rate`): complaints are due at even
intervals, and the time of each counts from when it was due, whether or not a connection was free.
"""

import asyncio
import gc
import json
import sys
import time
from collections import deque
from pathlib import Path

import uvloop

from benchmarks.complaints import mails, messages, numbered, posts, records
from benchmarks.connections import Connection, Mailing, Posting
from benchmarks.job import MAILBOX, Job


class Load:
    def __init__(self, job: Job) -> None:
        self._job = job
        self._templates = templates(job)
        self._connection = Mailing if job.what == "mails" else Posting
        self._serial = job.first_serial
        self._left = job.count
        self._under_way = 0
        self._ended = asyncio.Event()
        self._closing = False
        self._connections: list[Connection] = []
        self._idle: deque[Connection] = deque()
        self._due: deque[float] = deque()
        #: When it began (Unix time), seconds it took, status, body.
        self.answers: list[tuple[float, float, int, bytes]] = []

    async def run(self) -> tuple[float, float]:
        """When the measuring began and ended (Unix time)."""
        loop = asyncio.get_running_loop()
        for _ in range(self._job.connections):
            _, made = await loop.create_connection(lambda: self._connection(self), "127.0.0.1", self._job.port)
            self._connections.append(made)
        gc.collect()
        gc.disable()
        began = time.time()
        for connection in self._connections:
            self._free(connection)
        if self._job.rate is not None:
            await self._keep_pace(self._job.rate)
        else:
            await asyncio.sleep(self._job.warm_seconds)
            while not all(connection.answers for connection in self._connections) and not self._ended.is_set():
                await asyncio.sleep(0.05)
            began = time.time() if self._job.warm_seconds else began
            with_limit = asyncio.wait_for(self._ended.wait(), self._job.seconds)
            await asyncio.gather(with_limit, return_exceptions=True)
        ended = time.time()
        self._left = 0
        while self._under_way or self._due:
            await asyncio.sleep(0.01)
        self._closing = True
        return began, ended

    async def _keep_pace(self, rate: float) -> None:
        began = time.time()
        for number in range(min(self._job.count, int(rate * self._job.seconds))):
            due = began + number / rate
            if (wait := due - time.time()) > 0:
                await asyncio.sleep(wait)
            self._due.append(due)
            if self._idle:
                self._free(self._idle.popleft())

    def _free(self, connection: Connection) -> None:
        if self._job.rate is not None:
            if not self._due:
                self._idle.append(connection)
                return
            self._send(connection, self._due.popleft())
        elif self._left > 0:
            self._left -= 1
            self._send(connection, time.time())
        elif not self._under_way:
            self._ended.set()

    def _send(self, connection: Connection, began: float) -> None:
        self._under_way += 1
        self._serial += 1
        connection.send(numbered(self._templates, self._serial), began)

    def answered(self, connection: Connection, began: float, status: int, body: bytes) -> None:
        self._under_way -= 1
        self.answers.append((began, time.time() - began, status, body))
        self._free(connection)

    def lost(self, error: Exception | None) -> None:
        if not self._closing:
            sys.exit(f"The service closed a connection: {error!r}")


def templates(job: Job) -> list[bytes]:
    if job.what == "mails":
        return mails(MAILBOX)
    documents = messages() if job.what == "messages" else records()
    return posts(f"{job.path}/v1/{job.what}", f"127.0.0.1:{job.port}", job.token, documents)


def main(job: Job) -> None:
    load = Load(job)
    began, ended = uvloop.run(load.run())
    answers = [
        (at, seconds, status, json.loads(body)["id"] if status in (200, 201, 202) else body.decode())
        for at, seconds, status, body in load.answers
    ]
    Path(job.out).write_text(json.dumps({"began": began, "ended": ended, "answers": answers}))


if __name__ == "__main__":
    main(Job(**json.loads(sys.argv[1])))
