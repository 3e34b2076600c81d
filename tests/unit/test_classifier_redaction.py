"""Nothing private leaves, and nothing else is taken: which texts of a step are read, and what replaces their values."""

from collections.abc import Mapping, Sequence

from hybridmesh.agents.classifier.redaction import plan_words, redact, redacted_of, texts_of
from hybridmesh.schemas.plans import StepSpec
from hybridmesh.schemas.privacy import Span
from hybridmesh.schemas.steps import StepContext
from hybridmesh.schemas.tasks import Document

KEY = b"k" * 32


def context(*inputs: tuple[str, str], words: tuple[str, ...] = ()) -> StepContext:
    return StepContext(
        goal="praise", profile="balanced", spec=StepSpec(id="a", title="A", instruction="Reply."),
        inputs=tuple(Document(name=name, text=text) for name, text in inputs), plan_words=words,
    )  # fmt: skip


async def find_praise(texts: Sequence[str], known: Mapping[str, str]) -> list[list[Span]]:
    """Take every "praise" for a person, as a token classifier may."""
    return [
        [Span(start=at, end=at + 6, type="PERSON", score=1, source="model")] if (at := text.find("praise")) >= 0 else []
        for text in texts
    ]


async def test_the_plans_own_words_stay() -> None:
    """Nothing is lost: a choice's result is the workflow's word; elsewhere the same word is judged as any other."""
    step = context(("letter", "praise from Ada"), ("result:categorise", "praise"), words=("praise",))
    texts = texts_of(step)
    found = await redact(find_praise, texts, KEY, {}, plan_words(step))
    redacted = redacted_of(found.result.texts)
    assert redacted.inputs[1] == Document(name="result:categorise", text="praise")
    assert "praise" not in redacted.inputs[0].text
    assert "praise" not in redacted.goal
    assert found.spans[-1] == ()


def test_only_a_whole_text_is_a_word_of_the_plan() -> None:
    """Nothing private leaves: neither a name of an input, nor a text that merely holds the word, is exempt."""
    assert plan_words(context(("praise", "praise of Ada"), ("x", "praise "), words=("praise",))) == frozenset()
    assert plan_words(context(("a", "praise"), ("b", "other"), words=("praise",))) == {3}
    assert plan_words(context(("a", "praise"))) == frozenset()
