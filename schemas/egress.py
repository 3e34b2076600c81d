"""What left the machine, byte for byte: the record beside the audit log's hash of it."""

from datetime import datetime

from hybridmesh.schemas.message import StepMessage


class EgressRecorded(StepMessage):
    """The body of one cloud call, stored before it is sent; ``sha256`` is what the audit log holds of it.

    ``call_id`` tells the calls of one attempt apart, as a call that failed may be made again.
    """

    NAME = "egress.recorded"

    body: str
    sha256: str
    destination: str
    model: str
    simulated: bool
    call_id: str
    sent_at: datetime

    def identity(self) -> str:
        """Return ``task/step/stage/attempt/call``."""
        return f"{super().identity()}/{self.call_id}"
