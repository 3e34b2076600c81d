"""What the recognizers find in a text, without the model: type and value, as disjoint spans."""

from hybridmesh.agents.classifier.recognizers import RECOGNIZERS
from hybridmesh.agents.classifier.spans import resolve


def find_all(text: str) -> list[tuple[str, str]]:
    """Return the type and the words of each value, in order."""
    spans = [span for recognizer in RECOGNIZERS for span in recognizer.find(text)]
    return [(span.type, text[span.start : span.end]) for span in resolve(spans)]
