"""The abstract summary of a step that is of no known kind, asked of the local model."""

from hybridmesh.agents.worker.abstracts import without_marks
from hybridmesh.agents.worker.passages import choose
from hybridmesh.schemas.inference import CompletionRequest
from hybridmesh.schemas.steps import Redacted

_SYSTEM = "You describe what kind of problem a text is about, for a reader who must not learn whom it is about."
_CHARS = 2400


def summary_request(redacted: Redacted) -> CompletionRequest:
    """Return the request for a summary of the redacted texts, whose marks stand as plain words."""
    texts = "\n\n".join(without_marks(document.text) for document in redacted.inputs)
    shown = choose(texts, redacted.instruction, _CHARS)
    return CompletionRequest(
        system=_SYSTEM,
        user=f"# Text\n{shown.text}\n\n# Answer\nSay in two general sentences what kind of problem this is. "
        "No names, no numbers, no dates, no places, no quotes.",
        max_tokens=80,
        purpose="draft",
    )
