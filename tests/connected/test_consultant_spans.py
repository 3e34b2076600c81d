"""What the cloud's SDK tells a tracer that somebody has installed: the one place in the mesh where spans are made."""

import contextlib
from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cloud_double import Part, Received, Script, answer, as_json, echo, failure, reset, truncated_json
from consultant_bench import Desk, requested
from hybridmesh.bus.errors import CloudUnavailable
from hybridmesh.schemas.consults import Prompt

pytestmark = pytest.mark.connected

CANARY = "quokka-in-a-span"


@pytest.fixture(scope="module")
def spans() -> Iterator[InMemorySpanExporter]:
    """All that a tracer is told; it can be installed once a process."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    yield exporter
    provider.shutdown()


def complain(request: Received) -> Part:
    """An error that quotes the question."""
    return as_json({"type": "error", "error": {"type": "invalid_request_error", "message": request.body.decode()}}, 400)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(echo, id="answer"),
        pytest.param(complain, id="quoting-error"),
        pytest.param(failure(529), id="overload"),
        pytest.param(answer(CANARY, stop="refusal"), id="refusal"),
        pytest.param(truncated_json(answer(CANARY), 60), id="garbled"),
        pytest.param(reset(), id="reset"),
    ],
)
async def test_no_span_holds_text(spans: InMemorySpanExporter, script: Script) -> None:
    """Nothing private leaves: a trace says that a call was made and what it took, never what was said."""
    spans.clear()
    async with Desk(script) as desk:
        with contextlib.suppress(CloudUnavailable):
            await desk.consultant.consult(requested(Prompt(system=CANARY, user=CANARY)))
        assert desk.cloud.requests
        assert all("traceparent" not in request.headers for request in desk.cloud.requests)
    told = spans.get_finished_spans()
    assert told, "the SDK tells tracers nothing any more: this test protects nothing"
    assert CANARY not in "".join(span.to_json() for span in told)
