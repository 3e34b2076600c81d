"""Guides over a tokenizer of single bytes: texts in any normal form, and patterns that are none."""

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

from hybridmesh.agents.worker.onnx_guides import Guides, without_normalizer
from hybridmesh.bus.errors import Unanswerable
from hybridmesh.schemas.inference import Guide, GuideKind

END = 256
DECOMPOSED = "Mu\u0308ller"


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file like that of models whose tokenizer makes prompts NFC."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE(vocab={letter: index for index, letter in enumerate(alphabet)}, merges=[]))
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(["<end>"])
    file = tmp_path_factory.mktemp("bytes") / "tokenizer.json"
    made.save(str(file))
    return file


@pytest.fixture(scope="module")
def guides(tokenizer: Path) -> Guides:
    """Guides for that vocabulary."""
    return Guides(tokenizer, END + 1, [END])


@pytest.mark.parametrize(
    ("guide", "text"),
    [
        (Guide(kind=GuideKind.REGEX, pattern=DECOMPOSED), DECOMPOSED),
        (Guide(kind=GuideKind.GRAMMAR, pattern=f'start: "{DECOMPOSED}"'), DECOMPOSED),
        (Guide(kind=GuideKind.JSON_SCHEMA, pattern=json.dumps({"enum": [DECOMPOSED]})), f'"{DECOMPOSED}"'),
    ],
    ids=lambda value: getattr(value, "kind", "text"),
)
def test_a_text_keeps_its_form(guides: Guides, tokenizer: Path, guide: Guide, text: str) -> None:
    """Nothing is lost: a name whose umlaut is two characters in the records can be the answer, as it is there."""
    follower = guides.follow(guide)
    written: list[int] = []
    while not follower.ended:
        for token in follower.forced():
            follower.consume(token)
            written.append(token)
    assert Tokenizer.from_file(str(tokenizer)).decode(written) == text


@pytest.mark.parametrize("pattern", ["[" * 100_000, '{"a":' * 100_000, "[]", "{", '{"const": "\\ud800"}'])
def test_a_schema_that_is_none_is_a_bad_guide(guides: Guides, pattern: str) -> None:
    """Nothing is lost: whatever is given as a schema is the end of its own request, with a reason."""
    with pytest.raises(Unanswerable) as refused:
        guides.follow(Guide(kind=GuideKind.JSON_SCHEMA, pattern=pattern))
    assert refused.value.reason == "bad-guide"


@pytest.mark.parametrize(
    "normalizer",
    [
        "null",
        '{"type": "NFC"}',
        '{"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "x"}, {"type": "Strip", "left": {}}]}',
    ],
)
def test_a_normalizer_is_taken_out_however_many_parts_it_has(normalizer: str) -> None:
    """It runs on what you have: exported models have some of several parts; a token of that name is none."""
    text = f'{{"model": {{"vocab": {{"\\"normalizer\\": {{}}": 0}}}}, "normalizer": {normalizer}, "decoder": null}}'
    facts = json.loads(without_normalizer(text))
    assert facts.pop("normalizer", None) is None
    assert facts == {"model": {"vocab": {'"normalizer": {}': 0}}, "decoder": None}
