"""The mesh as an AsyncAPI 3.0 document: FastStream writes it from the topology, what it cannot know is added.

A broker that never connects declares every consumed, published, answered and asked subject of the table.
FastStream describes a channel for each of these operations; they are joined here to one channel a subject, and
get what JetStream and the envelope bring: stream, durable, account, headers, the reply of a request.
"""

import json
from typing import Any, cast

from faststream.nats import NatsBroker
from faststream.specification import AsyncAPI
from pydantic import BaseModel

from hybridmesh.bus.envelope_headers import REPLY_HEADERS, REQUEST_HEADERS, SIGNED_HEADERS
from hybridmesh.bus.topology import TOPOLOGY, MessageType, Row, filter_of, queue_stream, row_of, timer_stream
from hybridmesh.schemas.registry import EXCHANGES
