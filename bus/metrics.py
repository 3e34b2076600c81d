"""What an agent counts and times, for Prometheus: message types, codes and durations, never a word of a message."""

import contextlib
from collections.abc import Callable, Generator, Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hybridmesh.bus.errors import SetupError
from hybridmesh.schemas.inference import ModelLoad

# A pass of the router takes milliseconds, a draft of the local model seconds, a cloud's answer up to minutes.
_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300)

# The fields of ModelLoad, as they are told.
_OF_A_MODEL = {
    "waiting": "Requests that wait for a local model.",
    "running": "Requests that a local model answers now.",
    "latency_s": "Seconds of a whole answer, a moving average.",
    "read_tokens_s": "Tokens of prompts read a second, a moving average.",
    "write_tokens_s": "Tokens written a second over all requests, a moving average.",
    "kv_bytes": "Bytes that hold the tokens of requests and kept prefixes.",
    "kv_limit_bytes": "Bytes that may hold tokens.",
}


class _Models(Collector):
    """The local models as they are when somebody looks."""

    def __init__(self, agent: str, loads: Callable[[], Sequence[ModelLoad]]) -> None:
        self._agent = agent
        self._loads = loads

    def collect(self) -> Generator[Metric]:
        """Yield a gauge for each figure."""
        loads = self._loads()
        for name, words in _OF_A_MODEL.items():
            gauge = GaugeMetricFamily(f"hybridmesh_model_{name}", words, labels=("agent", "model"))
            for load in loads:
                gauge.add_metric((self._agent, load.model), getattr(load, name))
            yield gauge


class Metrics:
    """The figures of one process; names and labels are part of the public interface."""

    def __init__(self, agent: str) -> None:
        self._agent = agent
        self.registry = CollectorRegistry()
        self._handled = Histogram(
            "hybridmesh_message_seconds",
            "From taking a message off its queue to its acknowledgement.",
            ("agent", "type"),
            registry=self.registry,
            buckets=_SECONDS,
        )
        self._handed_back = Counter(
            "hybridmesh_messages_handed_back",
            "Messages that go back to their queue, to be tried again.",
            ("agent", "reason"),
            registry=self.registry,
        )
        self._buried = Counter(
            "hybridmesh_messages_buried",
            "Messages that went to the dead letters.",
            ("agent", "reason"),
            registry=self.registry,
        )
        self._answered = Histogram(
            "hybridmesh_request_seconds",
            "The time that a request to this agent took.",
            ("agent", "request", "outcome"),
            registry=self.registry,
            buckets=_SECONDS,
        )
        self._busy = Gauge(
            "hybridmesh_messages_in_hand", "Messages being handled now.", ("agent",), registry=self.registry
        )

    def follow(self, loads: Callable[[], Sequence[ModelLoad]]) -> None:
        """Ask, at each scrape and in its thread, what the local models do."""
        self.registry.register(_Models(self._agent, loads))

    def took(self, type_name: str, seconds: float) -> None:
        """Count a message that was handled and acknowledged."""
        self._handled.labels(self._agent, type_name).observe(seconds)

    def handed_back(self, reason: str) -> None:
        """Count a message that is tried again; ``reason`` is a code of the error tree, or an error's type."""
        self._handed_back.labels(self._agent, reason).inc()

    def buried(self, reason: str) -> None:
        """Count a dead letter."""
        self._buried.labels(self._agent, reason).inc()

    @contextlib.contextmanager
    def in_hand(self) -> Generator[None]:
        """Count a message as being handled."""
        gauge = self._busy.labels(self._agent)
        gauge.inc()
        try:
            yield
        finally:
            gauge.dec()

    def answered(self, request: str, outcome: str, seconds: float) -> None:
        """Count a request; ``outcome`` is ``ok``, or the error's kind and code that the asker got."""
        self._answered.labels(self._agent, request, outcome).observe(seconds)

    def serve(self, host: str, ports: Iterable[int]) -> int:
        """Answer scrapes at ``/metrics`` on the first of the ports that is free, for as long as the process lives.

        Raises:
            SetupError: all are taken.

        """
        for port in ports:
            with contextlib.suppress(OSError):
                start_http_server(port, addr=host, registry=self.registry)
                return port
        raise SetupError("no port for metrics is free", remedy="choose another block of them with metrics.port")
