"""Ids of spans before there are spans, and what the environment says of the trace around us."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from orchestrator_py.exports.telemetry import wanted_signals
from orchestrator_py.exports.trace_ids import TraceIds

HEX = st.text("0123456789abcdef", min_size=1, max_size=34)
PARTS = st.tuples(st.sampled_from(["00", "01", "ff", "0"]), HEX, HEX, st.sampled_from(["00", "01", "fe", "1", "zz"]))
WHOLE = st.tuples(
    st.sampled_from(["00", "cc", "ff"]),
    st.sampled_from(["0" * 32, "a" * 32, "A" * 32, "0" * 31 + "1"]),
    st.sampled_from(["0" * 16, "b" * 16, "b" * 15]),
    st.sampled_from(["00", "01", "02", "ff"]),
)


@given(value=st.one_of(st.text(), st.one_of(PARTS, WHOLE).map("-".join), WHOLE.map(lambda parts: "-".join(parts) + "-more")))
def test_a_traceparent_is_taken_exactly_when_the_library_takes_it(value: str) -> None:
    ids = TraceIds.from_environment({"TRACEPARENT": value})
    context = get_current_span(TraceContextTextMapPropagator().extract({"traceparent": value})).get_span_context()
    if context.is_valid:
        assert (ids.trace_id, ids.parent, ids.flags) == (context.trace_id, context.span_id, context.trace_flags)
    else:
        assert ids.parent is None
        assert 0 < ids.trace_id < 2**128


@given(about=st.lists(st.tuples(st.text(), st.text(), st.integers(0, 9)), min_size=2, max_size=6, unique=True))
def test_different_things_have_different_spans_and_the_same_has_the_same(about: list[tuple[str, str, int]]) -> None:
    about = [one for one in about if not any("\0" in part for part in one[:2])]
    ids = TraceIds(trace_id=1)
    found = [ids.span_id(*one) for one in about]
    assert found == [ids.span_id(*one) for one in about]
    assert len(set(found)) == len(about)
    assert all(0 < span < 2**64 for span in found)
    assert not set(found) & {TraceIds(trace_id=1).span_id(*one) for one in about}


def test_a_state_without_a_parent_is_not_passed_on() -> None:
    assert TraceIds.from_environment({"TRACEPARENT": "garbage", "TRACESTATE": "a=1"}).environment("r", "s")["TRACESTATE"] == ""


@pytest.mark.parametrize(
    ("variables", "signals"),
    [
        ({}, set()),
        ({"ENDPOINT": "x"}, {"spans", "metrics"}),
        ({"TRACES_ENDPOINT": "x"}, {"spans"}),
        ({"METRICS_ENDPOINT": "x"}, {"metrics"}),
        ({"LOGS_ENDPOINT": "x"}, set()),
    ],
)
def test_the_endpoints_say_what_is_sent(variables: dict[str, str], signals: set[str]) -> None:
    named = {f"OTEL_EXPORTER_OTLP_{name}": value for name, value in variables.items()}
    assert wanted_signals(named) == signals
    assert wanted_signals({**named, "OTEL_SDK_DISABLED": "TRUE"}) == set()
    assert wanted_signals({**named, "OTEL_SDK_DISABLED": "false"}) == signals
    assert wanted_signals({**named, "OTEL_TRACES_EXPORTER": "none"}) == signals - {"spans"}
