"""JetStream as nats-py speaks it, but for what it does for each message in a long way."""

import json
from typing import Any

import nats.errors
from nats.js import JetStreamContext
from nats.js.api import PubAck
from nats.js.errors import APIError, NoStreamResponseError

from hybridmesh.bus.pulling import Pull


class JetStream(JetStreamContext):
    """Stores and fetches messages over a connection of ours."""

    async def publish(
        self,
        subject: str,
        payload: bytes = b"",
        timeout: float | None = None,  # noqa: ASYNC109 - nats-py's own
        stream: str | None = None,
        headers: dict[str, Any] | None = None,
        msg_ttl: float | None = None,
    ) -> PubAck:
        """Return when the message is stored; raises what nats-py does."""
        if stream is not None or msg_ttl is not None:
            return await super().publish(subject, payload, timeout, stream, headers, msg_ttl)
        try:
            within_s = self._timeout if timeout is None else timeout
            answer = await self._nc.request(subject, payload, timeout=within_s, headers=headers)
        except nats.errors.NoRespondersError:
            raise NoStreamResponseError from None
        told = json.loads(answer.data.decode())
        if "error" in told:
            raise APIError.from_error(told["error"])
        return PubAck(told["stream"], told["seq"], told.get("domain"), told.get("duplicate"))

    async def pull_subscribe_bind(  # type: ignore[override]
        self,
        consumer: str | None = None,
        stream: str | None = None,
        **opts: Any,  # noqa: ANN401 - nats-py's own
    ) -> JetStreamContext.PullSubscription:
        """Return what fetches from a durable consumer; with any option, nats-py's own does."""
        if consumer is None or stream is None or opts:
            return await super().pull_subscribe_bind(consumer, stream, **opts)
        deliver = self._nc.new_inbox()
        return Pull(self, await self._nc.subscribe(deliver), stream, consumer, deliver.encode())
