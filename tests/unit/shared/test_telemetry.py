"""Trace context and logs."""

import json

import pytest
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import IntegrityError

from shared.telemetry.logs import describe, said
from shared.telemetry.tracing import (
    current_trace_id,
    current_traceparent,
    parse,
    span,
    traceparent_of,
    use_traceparent,
    use_traces,
)

ONE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TWO = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203332-01"


def test_the_trace_goes_on_where_a_traceparent_is_used() -> None:
    assert current_traceparent() is None
    with use_traceparent(ONE):
        assert current_traceparent() == ONE
        assert current_trace_id() == "0af7651916cd43dd8448eb211c80319c"
        with use_traceparent("nonsense"):
            assert current_traceparent() is None
    assert current_traceparent() is None


def test_in_a_batch_each_key_has_its_trace() -> None:
    with use_traceparent(ONE), use_traces({"b": TWO}):
        assert traceparent_of("a") == ONE
        assert traceparent_of("b") == TWO


def test_work_without_a_trace_begins_one_and_nothing_is_recorded() -> None:
    with span("sample", "work") as context:
        assert current_traceparent() == context.traceparent
        with span("sample", "inner") as inner:
            assert inner.trace_id == context.trace_id
    with span("sample", "work", parent=ONE):
        assert current_traceparent() == ONE


@pytest.mark.parametrize(
    "bad",
    [None, "", "00-abc-def-01", ONE.upper(), ONE[:-3], "00-" + "0" * 32 + "-b7ad6b7169203331-01", f"{ONE}-more"],
)
def test_a_malformed_traceparent_is_none(bad: str | None) -> None:
    assert parse(bad) is None


class Contact(BaseModel):
    phone: int


def test_an_error_that_quotes_its_input_is_logged_without_it() -> None:
    given = {"phone": "call 138" + "12341234"}
    with pytest.raises(ValidationError) as caught:
        Contact.model_validate_json(json.dumps(given))
    assert "13812341234" in str(caught.value)
    assert "13812341234" not in describe(caught.value)
    broken = IntegrityError("insert into people", {"phone": "13812341234"}, Exception("Key (phone)=(13812341234)"))
    assert said(broken) == "IntegrityError"
    assert said(RuntimeError("plain")) == "RuntimeError: plain"


def test_the_cause_of_an_error_is_told_with_it() -> None:
    try:
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise RuntimeError("outer") from error
    except RuntimeError as error:
        told = describe(error)
    assert "RuntimeError: outer" in told
    assert "caused by" in told
    assert "KeyError: 'inner'" in told
