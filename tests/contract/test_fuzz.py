"""Schemathesis at every operation of all seven services, in one process with a life behind it.

What is sent is the same at every run. ``REDRESS_FUZZ_CASES=100 pytest tests/contract/test_fuzz.py`` goes deeper,
``REDRESS_FUZZ_SEED=7`` goes elsewhere, ``-k "insight"`` stays with one service.
"""

import os
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator
from copy import deepcopy
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.schemas import APIOperation, BaseSchema

from redress.app import document_of, installed
from shared.web.auth import Role
from tests.support.fuzzing import Aim, faults_of, not_a_problem, request_of
from tests.support.living import Living, living

#: Random cases per operation, and as many at the edges of its schema.
CASES = int(os.environ.get("REDRESS_FUZZ_CASES", "4"))
SEED = int(os.environ.get("REDRESS_FUZZ_SEED", "3"))
METHODS = ("get", "post", "put", "patch", "delete")
#: Mostly somebody who may do everything, so that cases get past the door.
CALLERS = (*[Role.ADMIN] * 6, Role.AGENT, Role.ADAPTER)

sent: Counter[str] = Counter()


@cache
def document(service: str) -> dict[str, Any]:
    return document_of(service)


@cache
def schema(service: str) -> BaseSchema:
    read = deepcopy(document(service))
    for item in read["paths"].values():
        for parameter in item.get("get", {}).get("parameters", ()):
            if parameter["name"] == "include":
                # Schemathesis looks half a minute for the longest list of names that the pattern takes.
                parameter["schema"]["anyOf"][0].pop("maxLength", None)
    return schemathesis.openapi.from_dict(read)


def operations() -> Iterator[tuple[str, str, str]]:
    for service in installed():
        for path, item in document(service)["paths"].items():
            for method in item:
                if method in METHODS:
                    yield service, method.upper(), path


OPERATIONS = list(operations())
every_operation = pytest.mark.parametrize(
    ("service", "method", "path"), OPERATIONS, ids=[" ".join(each) for each in OPERATIONS]
)


@pytest.fixture(scope="module")
def system() -> Generator[Living]:
    # Not pytest's own folder: that one is shut to others, and under root the database's user is another.
    with (
        tempfile.TemporaryDirectory(prefix="redress-fuzz-", ignore_cleanup_errors=True) as folder,
        living(Path(folder)) as system,
    ):
        yield system
    total = sum(sent.values())
    print(f"\n{total} answers looked at:", ", ".join(f"{count} × {status}" for status, count in sorted(sent.items())))


# The services run beside the test and draw their random numbers; hypothesis takes them for its strategies'.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@every_operation
def test_every_answer_is_what_the_document_says(system: Living, service: str, method: str, path: str) -> None:
    operation: APIOperation = schema(service)[path][method]
    faults: dict[str, str] = {}

    def send(case: Case, aim: Aim | None, caller: Role) -> None:
        if aim is not None:
            aim.at(case)
        made = request_of(case, system.as_(caller))
        answer = system.send(service, made.method, made.path, headers=made.headers, content=made.content)
        sent[f"{answer.status_code // 100}xx"] += 1
        for fault, told in faults_of(case, answer):
            faults.setdefault(fault, told)

    for number, case in enumerate(at_the_edges(operation)):
        send(case, Aim(system.real, number, number % 4) if number % 2 else None, CALLERS[number % len(CALLERS)])

    modes = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]
    aims = st.none() | st.builds(Aim, st.just(system.real), st.integers(0, 1000), st.integers(0, 3))

    @seed(SEED)
    @settings(
        max_examples=CASES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(modes), aims, st.sampled_from(CALLERS))
    def at_random(case: Case, aim: Aim | None, caller: Role) -> None:
        send(case, aim, caller)

    at_random()
    assert not faults, "\n\n".join(f"{fault}\n{told}" for fault, told in faults.items())


def at_the_edges(operation: APIOperation) -> Iterator[Case]:
    """The examples of the document, and values at the bounds of its types: spread evenly over all that there are."""
    made: list[Case] = []
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        config = operation.schema.config.generation_for(operation=operation, phase="coverage")
        found = operation.schema.iter_coverage_cases(operation, generation_modes=[mode], generation_config=config)
        cases = [case for case in found if case.method.upper() == operation.method.upper()]
        made += islice(cases, 0, None, max(1, len(cases) // max(1, CASES // 2)))
    return iter(made)


@every_operation
def test_nobody_gets_in_without_signing_in_or_with_another_role(
    system: Living, service: str, method: str, path: str
) -> None:
    told = document(service)["paths"][path][method.lower()]
    if not told.get("security"):
        pytest.skip("open to everybody")
    url = path
    for parameter in told.get("parameters", ()):
        if parameter["in"] == "path":
            url = url.replace(f"{{{parameter['name']}}}", system.real(parameter["name"])[0])
    content = b"{}" if "requestBody" in told else None
    json = {"Content-Type": "application/json"}

    for headers, body in (
        (json, content),
        (json, b"{"),
        (json, b"\xff"),
        ({**json, "Idempotency-Key": "a b"}, content),
    ):
        stranger = system.send(service, method, url, headers=headers, content=body)
        assert (stranger.status_code, not_a_problem(stranger)) == (401, []), stranger.text
        assert stranger.headers["WWW-Authenticate"].startswith("Bearer")

    for role in Role:
        if role is not Role.ADMIN and role.value not in told["x-roles"]:
            answer = system.send(service, method, url, headers={**json, **system.as_(role)}, content=content)
            assert (role, answer.status_code, not_a_problem(answer)) == (role, 403, [])
