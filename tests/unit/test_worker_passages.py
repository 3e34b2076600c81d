"""Long texts are cut for the model by relevance, within the budget, and never silently."""

from hypothesis import given
from hypothesis import strategies as st

from hybridmesh.agents.worker.passages import GAP, choose, share

words = st.sampled_from(["router", "invoice", "the", "Grüße", "x", "refund.", "line", "¿qué?", "a" * 50])
paragraphs = st.lists(words, min_size=1, max_size=120).map(" ".join)
texts = st.lists(paragraphs, min_size=1, max_size=12).map("\n\n".join)


@given(texts, st.integers(60, 3000))
def test_the_budget_is_kept_and_every_character_is_accounted_for(text: str, budget: int) -> None:
    """Nothing is hidden: what the model did not see is counted, and the count is true."""
    chosen = choose(text, "refund of the invoice", budget)
    assert len(chosen.text) <= max(budget, 0) or len(text) <= budget
    if chosen.left_out == 0:
        assert chosen.text == text
    shown = sum(len(part) for part in chosen.text.split(f"\n{GAP}\n"))
    assert shown == len(text) - chosen.left_out


@given(texts, st.integers(60, 3000))
def test_what_is_shown_stands_in_the_text_in_order(text: str, budget: int) -> None:
    """Nothing is hidden: passages are the writer's words, in the writer's order."""
    at = 0
    for part in choose(text, "refund", budget).text.split(f"\n{GAP}\n"):
        at = text.index(part, at) + len(part)


@given(texts, st.integers(60, 3000))
def test_beginning_and_end_are_always_kept(text: str, budget: int) -> None:
    """Nothing is lost: who writes and what they ask for mostly stands at the ends."""
    parts = choose(text, "", budget).text.split(f"\n{GAP}\n")
    first, last = parts[0], parts[-1]
    assert first
    assert text.startswith(first)
    assert last
    assert text.endswith(last)


def test_the_passage_that_answers_the_question_is_chosen() -> None:
    """Nothing is lost: the one page that matters reaches the model from the middle of many."""
    filler = [f"Page {number}. It rained and nothing happened that anybody could use." * 3 for number in range(80)]
    filler[41] = "The engineer replaced the faulty switch in the basement and wrote a report about it."
    chosen = choose("\n\n".join(filler), "What did the engineer replace?", 1500)
    assert "faulty switch in the basement" in chosen.text
    assert chosen.text.count(GAP) >= 2
    assert chosen.left_out > 10_000


@given(st.lists(st.integers(0, 5000), max_size=6), st.integers(0, 6000))
def test_a_budget_is_shared_among_documents(lengths: list[int], budget: int) -> None:
    """Nothing is lost: a long document does not push a short one out of the prompt."""
    shares = share(lengths, budget)
    assert sum(shares) <= budget
    assert all(given <= length for given, length in zip(shares, lengths, strict=True))
    if sum(lengths) <= budget:
        assert shares == lengths
    elif lengths:
        assert min(shares) >= min([*lengths, budget // len(lengths)])
