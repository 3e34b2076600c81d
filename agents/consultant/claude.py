"""The Anthropic adapter: one request a question, every way it can go wrong mapped to the mesh's own terms.

What the SDK (2.x) does by default and must not do here: retry and sleep as long as the server asks, take wrong
shapes for answers, read its credentials and headers from the environment, send trace context, log bodies.
"""

import asyncio
import logging
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

from pydantic import SecretStr

from hybridmesh.agents.consultant.patience import asked_wait_s
from hybridmesh.agents.consultant.port import CloudRefusal, CloudReply, Gate, Question
from hybridmesh.agents.consultant.statuses import refusal_reason
from hybridmesh.bus.agent import Clock
from hybridmesh.bus.errors import CloudUnavailable, MeshError, PermanentError, SetupError

if TYPE_CHECKING:
    from anthropic import APIStatusError
    from anthropic.types import Message, OutputConfigParam

ANTHROPIC_URL = "https://api.anthropic.com"

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_WHOLE = frozenset({"end_turn", "stop_sequence"})
_CUT = frozenset({"max_tokens", "model_context_window_exceeded"})
# These log requests, bodies included, at DEBUG.
_TALKATIVE = ("anthropic", "httpx2", "httpcore2")


class ClaudeModel:
    """Claude behind the CloudModel port, over one pool of connections.

    ``timeout_s`` bounds a whole call; ``max_answer_bytes`` bounds what is read of an answer, errors included.
    Raises SetupError for an address that is none, or that would carry the key in clear text over a network, and for a
    key that no header can carry.
    """

    def __init__(
        self,
        *,
        api_key: SecretStr,
        clock: Clock,
        base_url: str = ANTHROPIC_URL,
        timeout_s: float = 90.0,
        inference_geo: str | None = None,
        max_answer_bytes: int = 1_000_000,
        simulated: bool = False,
    ) -> None:
        import httpx2
        from anthropic import AsyncAnthropic

        from hybridmesh.agents.consultant.guarded_transport import GuardedTransport

        key = check_access(api_key, base_url)
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)
        self._clock = clock
        self._timeout_s = timeout_s
        self._inference_geo = inference_geo
        self._simulated = simulated
        # Shorter than the whole: a call that never reached anybody is not taken for one that may have been answered.
        timeout = httpx2.Timeout(timeout_s, connect=timeout_s / 3)
        transport = GuardedTransport(httpx2.AsyncHTTPTransport(retries=0), max_answer_bytes=max_answer_bytes)
        self._client = AsyncAnthropic(
            api_key=key,
            base_url=base_url,
            max_retries=0,
            timeout=timeout,
            open_telemetry={"propagation": False, "traces": {"content_mode": "metadata_only"}},
            http_client=httpx2.AsyncClient(
                transport=transport, follow_redirects=False, trust_env=False, timeout=timeout
            ),
            _strict_response_validation=True,
        )

    @property
    def provider(self) -> str:
        """``anthropic``, or ``simulated`` when the far end is the simulated cloud."""
        return "simulated" if self._simulated else "anthropic"

    @property
    def simulated(self) -> bool:
        """Whether it was set up for the simulated cloud."""
        return self._simulated

    def __repr__(self) -> str:
        return f"ClaudeModel(provider={self.provider!r})"

    async def ask(self, question: Question, gate: Gate) -> CloudReply | CloudRefusal:
        """Send the question once; see :class:`CloudModel`."""
        import anthropic
        import httpx2

        from hybridmesh.agents.consultant.guarded_transport import gated

        try:
            with gated(gate):
                async with asyncio.timeout(self._timeout_s):
                    return await self._send(question)
        # The chains are cut: what the SDK's errors hold may quote the prompt.
        except anthropic.APIStatusError as error:
            return self._judge(error)
        except anthropic.APITimeoutError as error:
            raise CloudUnavailable(
                "no answer in time", reason="cloud-timeout", uncertain=not _never_connected(error)
            ) from None
        except anthropic.APIConnectionError as error:
            _reraise(error)
        except anthropic.APIResponseValidationError:
            raise CloudUnavailable("an answer of the wrong shape", reason="cloud-garbled", uncertain=True) from None
        except (ValueError, httpx2.HTTPError):
            raise CloudUnavailable("an answer that cannot be read", reason="cloud-garbled", uncertain=True) from None
        except TimeoutError:
            raise CloudUnavailable("no answer in time", reason="cloud-timeout", uncertain=True) from None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _send(self, question: Question) -> CloudReply | CloudRefusal:
        from anthropic import omit

        from hybridmesh.agents.consultant.guarded_transport import SENT_SHA256

        prompt = question.prompt
        raw = await self._client.messages.with_raw_response.create(
            model=question.model,
            max_tokens=question.max_tokens,
            system=prompt.system or omit,
            messages=[{"role": "user", "content": prompt.user}],
            output_config=omit if prompt.json_schema is None else _structured(prompt.json_schema),
            inference_geo=self._inference_geo or omit,
        )
        message = await raw.parse()
        response = raw.http_response
        return _read(
            message,
            request_id=response.headers.get("request-id", ""),
            sent_sha256=str(response.extensions[SENT_SHA256]),
            simulated=self._simulated or response.headers.get("x-simulated") == "true",
        )

    def _judge(self, error: "APIStatusError") -> CloudRefusal:
        reason = refusal_reason(error.status_code, error.error_code)
        if reason is not None:
            return CloudRefusal(reason, request_id=error.request_id or "")
        wait = asked_wait_s(error.response.headers, self._clock())
        raise CloudUnavailable(
            f"status {error.status_code}", reason=f"cloud-status-{error.status_code}", retry_after_s=wait
        ) from None


def check_access(api_key: SecretStr, base_url: str | None) -> str:
    """Return the key as it is sent; raises SetupError for one, or for an address, that cannot be used."""
    _require_private_channel(base_url or ANTHROPIC_URL)
    return _readable(api_key)


def _read(message: "Message", *, request_id: str, sent_sha256: str, simulated: bool) -> CloudReply | CloudRefusal:
    """Turn a well-formed message into a reply, or into a refusal where there is nothing to go by."""
    usage = message.usage
    tokens_in = usage.input_tokens + (usage.cache_creation_input_tokens or 0) + (usage.cache_read_input_tokens or 0)
    text = "".join(block.text for block in message.content if block.type == "text")
    text = text.encode("utf-8", "replace").decode()  # JSON may hold half a character, which no message of ours can
    stop = message.stop_reason or ""
    if stop not in _WHOLE | _CUT or not text.strip():
        reason = "cloud-model-refused" if stop == "refusal" else "cloud-no-answer"
        return CloudRefusal(reason, request_id, tokens_in, usage.output_tokens, message.model)
    return CloudReply(
        text=text,
        stop=stop,
        complete=stop in _WHOLE,
        input_tokens=tokens_in,
        output_tokens=usage.output_tokens,
        model=message.model,
        request_id=request_id,
        sent_sha256=sent_sha256,
        simulated=simulated,
    )


def _structured(schema: dict[str, object]) -> "OutputConfigParam":
    """Hold the answer to a JSON schema; bounds that the API does not take become part of a description."""
    from anthropic import transform_schema

    try:
        return {"format": {"type": "json_schema", "schema": transform_schema(schema)}}
    except (ValueError, TypeError, AttributeError, AssertionError):  # as it meets the parts that it does not know
        raise PermanentError("a schema that the API does not take", reason="cloud-bad-schema") from None


def _reraise(error: Exception) -> NoReturn:
    """Raise what one of our guards raised inside the SDK, which wraps it, or say that there is no connection."""
    if isinstance(error.__cause__, MeshError):
        raise error.__cause__ from None
    raise CloudUnavailable(
        "no connection, or it broke", reason="cloud-unreachable", uncertain=not _never_connected(error)
    ) from None


def _never_connected(error: Exception) -> bool:
    """Say whether the request surely never reached anybody."""
    import httpx2

    return isinstance(error.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout)


def _require_private_channel(base_url: str) -> None:
    remedy = "set cloud.base_url to an https:// address"
    try:
        parts = urlsplit(base_url)
        port = parts.port  # raises ValueError, too
    except ValueError:
        raise SetupError("the cloud's address is none", remedy=remedy) from None
    if not parts.hostname or port == 0:
        raise SetupError("the cloud's address is none", remedy=remedy)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return
    raise SetupError("the cloud's address is not https", remedy=remedy)


def _readable(api_key: SecretStr) -> str:
    """Return the key without the blanks around it, such as the line end of the file that it came from.

    One that no header can carry would fail after its egress is on record, and count as a call that may have been paid.
    """
    key = api_key.get_secret_value().strip()
    if key and key.isascii() and key.isprintable() and " " not in key:
        return key
    raise SetupError(
        "the cloud key holds something that no key does", remedy="copy it again, into one line of ANTHROPIC_API_KEY"
    )
