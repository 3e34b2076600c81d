"""Models of the user's own with odd weights, templates and tokens, run by the real engine: answered, or refused."""

import json
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from hybridmesh.agents.worker.onnx_chat import Chat
from hybridmesh.agents.worker.onnx_engine import Engine
from hybridmesh.bus.errors import ModelUnavailable, SetupError, Unanswerable
from hybridmesh.infra.models.gguf_build import build_from_gguf
from hybridmesh.schemas.inference import CompletionRequest, Guide, GuideKind
from tiny_gguf import write_gguf

pytestmark = pytest.mark.connected

Change = Callable[[dict[str, Any]], object]
ASKED = CompletionRequest(system="Be short.", user="Where is it?", max_tokens=4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tiny decoder of random weights, as the store builds it."""
    tiny = write_gguf(tmp_path / "m.gguf", "llama")
    made = tmp_path / "made"
    made.mkdir()
    build_from_gguf(tiny.path, made, "exact", 1, lambda _done, _all: None)
    return made


def change(path: Path, how: Change) -> None:
    facts: dict[str, Any] = json.loads(path.read_text("utf-8"))
    how(facts)
    path.write_text(json.dumps(facts), "utf-8")


def with_template(folder: Path, template: str) -> Chat:
    change(folder / "tokenizer_config.json", lambda facts: facts.update(chat_template=template))
    return Chat.load(folder)


def words(chat: Chat, request: CompletionRequest = ASKED) -> str:
    return chat._tokenizer.decode(chat.prompt(request).tokens.tolist(), skip_special_tokens=False)


@pytest.mark.parametrize("guide", [None, Guide(kind=GuideKind.REGEX, pattern="[a-z]{9}")], ids=["free", "guided"])
def test_weights_that_overflow_are_no_answer(folder: Path, guide: Guide | None) -> None:
    """Nothing is lost: where a model gives no numbers, its first token of a vocabulary is not passed on as its word."""
    model = onnx.load(folder / "model.onnx", load_external_data=False)
    (norm,) = [tensor for tensor in model.graph.initializer if tensor.name == "final_norm.weight"]
    norm.CopyFrom(numpy_helper.from_array(np.full(norm.dims[0], np.float32(3e38)), norm.name))
    onnx.save(model, folder / "model.onnx")
    engine = Engine.load(folder, name="tiny", provider="cpu")
    with pytest.raises(ModelUnavailable) as failed:
        engine.run(ASKED.model_copy(update={"guide": guide}))
    assert failed.value.reason == "model-failed:NotFinite"
    assert not engine.turn()  # nothing of it is left


def test_files_of_two_models_are_no_model(folder: Path) -> None:
    """Nothing is lost: a vocabulary of another size than the graph's would hold answers to the wrong words."""
    change(folder / "genai_config.json", lambda facts: facts["model"].update(vocab_size=9999))
    with pytest.raises(SetupError, match="not of one model"):
        Engine.load(folder, name="tiny", provider="cpu")


def test_a_template_gets_the_tokens_that_it_names(folder: Path) -> None:
    """It runs on what you have: Llama 3's prompts begin with its first token, without which it answers worse."""
    vocabulary = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    change(
        folder / "genai_config.json",
        lambda facts: facts["model"].update(bos_token_id=vocabulary["<|end_of_text|>"]),
    )
    chat = with_template(folder, "{{ bos_token + messages[1].content + eos_token }}")
    assert words(chat) == "<|end_of_text|>Where is it?<|im_end|>"


def test_a_model_that_can_think_first_does_not(folder: Path) -> None:
    """Nothing is hidden: thoughts are not handed out as a draft, so Qwen 3 is asked for its answer alone."""
    chat = with_template(
        folder,
        "{{ messages[1].content }}"
        "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>{% endif %}",
    )
    assert words(chat) == "Where is it?<think>\n\n</think>"


def test_a_template_may_leave_its_loop(folder: Path) -> None:
    """It runs on what you have: templates of the model hub use it, so transformers knows it, too."""
    chat = with_template(folder, "{% for m in messages %}{{ m.content }}{% break %}{% endfor %}")
    assert words(chat) == "Be short."


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ messages.clear() }}",
        "{{ raise_exception('no') }}",
        "{{ 1 / 0 }}",
        "{{ messages[9].content }}",
        "{{ range(1000000) }}",
        "{% include '/etc/passwd' %}",
        "{% for",
        "{{ messages + 1 }}",
    ],
)
def test_a_template_that_is_no_template_is_refused_with_its_model(folder: Path, template: str) -> None:
    """Nothing private leaves: a template is held to its sandbox, and what goes wrong in it is a set-up error."""
    with pytest.raises(SetupError, match="no usable chat template"):
        with_template(folder, template)


def test_a_template_that_fails_on_a_prompt_ends_that_prompt(folder: Path) -> None:
    """Nothing private leaves: the request ends with a reason that tells nothing of its text."""
    chat = with_template(folder, "{{ messages[1].content }}{{ 1 / (messages[1].content in ('', 'Hello'))|int }}")
    with pytest.raises(Unanswerable) as refused:
        chat.prompt(ASKED)
    assert refused.value.reason == "bad-prompt"
    assert refused.value.__cause__ is None
    assert "Where" not in str(refused.value)


def add_tokens(folder: Path, *added: tuple[str, bool]) -> Chat:
    def add(facts: dict[str, Any]) -> None:
        for content, special in added:
            kind = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
            token = {"id": 512 + len(facts["added_tokens"]), "content": content, "special": special, **kind}
            facts["added_tokens"].append(token)

    change(folder / "tokenizer.json", add)
    return with_template(folder, "{{ messages[1].content }}")


def test_a_special_sign_in_a_text_has_no_meaning(folder: Path) -> None:
    """Nothing private leaves: a text cannot end its turn, also where the token for that is one character."""
    chat = add_tokens(folder, ("\u2603", True))
    prompt = chat.prompt(ASKED.model_copy(update={"user": "a\u2603b"}))
    assert prompt.tokens.max() < 512
    assert words(chat, ASKED.model_copy(update={"user": "a\u2603b"})) == "ab"


def test_a_prompt_that_is_surely_too_long_costs_nothing(folder: Path) -> None:
    """It runs on what you have: megabytes are refused before they are made into tokens, which takes seconds and RAM."""
    engine = Engine.load(folder, name="tiny", provider="cpu")
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    for text in ("7" * 4_000_000, "Sensitive words. " * 240_000):
        with pytest.raises(Unanswerable) as refused:
            engine.prepare(ASKED.model_copy(update={"user": text}))
        assert refused.value.reason == "prompt-too-long"
        assert "Sensitive" not in str(refused.value)
    assert time.monotonic() - started < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


def test_tokens_of_plain_signs_change_no_text(folder: Path) -> None:
    """Nothing is hidden: the indents of a program are read as they are, also by a model with tokens for them."""
    chat = add_tokens(folder, ("    ", False), ("\n", False), ("#", False))
    text = "if x:\n    y = 1  # why"
    assert words(chat, ASKED.model_copy(update={"user": text})) == text
