"""The virus scanner: the real clamd for what it says, a small one of ours for what it gets wrong."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from intake_service.blobs import CannotScan, Clamd, ScannerAway
from intake_service.usecases import Deps, attachments
from intake_service.usecases.scanning import scan_next
from shared.web.auth import Principal, Role
from tests.component.intake.conftest import Intake
from tests.support.clamd import EICAR, LONGEST, Scanner, running_clamd

ADAPTER = Principal("mail", frozenset({Role.ADAPTER}))


@pytest.fixture(scope="module")
def clamd() -> Generator[Scanner]:
    with running_clamd() as scanner:
        yield scanner


async def stream(*blocks: bytes) -> AsyncIterator[bytes]:
    for block in blocks:
        yield block


async def test_clamd_tells_clean_files_from_others_over_both_kinds_of_socket(clamd: Scanner) -> None:
    for address in (clamd.tcp, clamd.unix):
        scanner = Clamd(address, 20)
        assert await scanner.scan(stream(b"a photo", b"", bytes(2**20))) is None
        assert await scanner.scan(stream()) is None
        assert await scanner.scan(stream(EICAR[:20], EICAR[20:])) == "Eicar-Test.UNOFFICIAL"


async def test_clamd_says_what_it_cannot_scan(clamd: Scanner) -> None:
    with pytest.raises(CannotScan, match="size limit"):
        await Clamd(clamd.tcp, 20).scan(stream(*[bytes(2**18)] * (LONGEST // 2**18 + 8)))


@asynccontextmanager
async def fake(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncGenerator[Clamd]:
    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer(reader, writer)
        writer.close()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    async with server:
        yield Clamd(f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}", 0.5)


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff\xfe\0", b"stream: perhaps\0", b"x" * 100_000]
)
async def test_nonsense_is_no_verdict(said: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(bytes(4))
        writer.write(said)

    async with fake(answer) as scanner:
        with pytest.raises(ScannerAway):
            await scanner.scan(stream(b"a"))


async def test_a_scanner_that_never_answers_is_given_up() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with fake(answer) as scanner:
        with pytest.raises(ScannerAway, match="no answer in"):
            await scanner.scan(stream(b"a"))


async def test_a_scanner_that_is_not_there_is_away(tmp_path) -> None:
    for address in ("tcp://127.0.0.1:9", f"unix://{tmp_path}/none"):
        with pytest.raises(ScannerAway):
            await Clamd(address, 5).scan(stream(b"a"))


@pytest.mark.parametrize("address", ["http://host:1", "tcp://host", "unix://", "3310"])
def test_any_other_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        Clamd(address, 1)


def with_scanner(intake: Intake, address: str, **settings: object) -> Deps:
    """The process's use cases and doors with this scanner."""
    service = intake.services[0]
    plain: Deps = service.app.state.deps
    given = plain.settings.model_copy(update=settings)
    deps = replace(plain, scanner=Clamd(address, 20), settings=given)
    service.app.state.deps = deps
    return deps


async def uploaded(deps: Deps, content: bytes) -> str:
    receipt = await attachments.keep_file(stream(content), "a.bin", "application/x-what", ADAPTER, deps)
    return str(receipt.id)


async def test_a_file_is_given_out_once_it_was_found_clean_and_never_when_not(intake: Intake, clamd: Scanner) -> None:
    deps = with_scanner(intake, clamd.unix)
    assert deps.scanner is not None
    clean, infected = await uploaded(deps, b"a photo"), await uploaded(deps, EICAR)
    received = await intake.receive(attachments=[{"id": clean}, {"id": infected}])
    before = await intake.get(f"/v1/attachments/{clean}")
    assert (before.status_code, before.json()["type"]) == (409, "urn:redress:problem:attachment-not-scanned")
    while await scan_next(deps.scanner, deps):
        pass
    assert (await intake.get(f"/v1/attachments/{clean}")).content == b"a photo"
    for answer in (
        await intake.get(f"/v1/attachments/{infected}"),
        await intake.post(f"/v1/attachments/{infected}/links", None),
    ):
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:redress:problem:attachment-infected")
        assert answer.json()["signature"] == "Eicar-Test.UNOFFICIAL"
    shown = (await intake.get(f"/v1/complaints/{received['id']}")).json()["attachments"]
    assert [each["scan"] for each in shown] == ["clean", "infected"]


async def test_a_scanner_that_is_away_is_asked_again_after_a_pause(intake: Intake, clamd: Scanner) -> None:
    away = with_scanner(intake, "tcp://127.0.0.1:9")
    assert away.scanner is not None
    file = await uploaded(away, b"a photo")
    assert await scan_next(away.scanner, away)
    back = with_scanner(intake, clamd.tcp)
    assert back.scanner is not None
    assert not await scan_next(back.scanner, back)
    await intake.clock.advance_to(intake.clock.now() + timedelta(seconds=3))
    assert await scan_next(back.scanner, back)
    assert (await intake.get(f"/v1/attachments/{file}")).status_code == 200


async def test_what_waits_may_be_given_out_by_setting(intake: Intake) -> None:
    deps = with_scanner(intake, "tcp://127.0.0.1:9", serve_unscanned=True)
    assert (await intake.get(f"/v1/attachments/{await uploaded(deps, b'a photo')}")).status_code == 200


async def test_what_came_before_there_was_a_scanner_is_scanned_when_it_comes_again(intake: Intake) -> None:
    first = await uploaded(intake.services[0].deps, b"a photo")
    assert await intake.one("select scan from blobs") == "not_scanned"
    await uploaded(with_scanner(intake, "tcp://127.0.0.1:9"), b"a photo")
    assert (await intake.get(f"/v1/attachments/{first}")).status_code == 409
