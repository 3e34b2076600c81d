"""What a model's figures say of a step, also on machines whose clocks are coarse."""

from hybridmesh.agents.worker.onnx_figures import ModelFigures


def test_a_step_that_took_no_time_is_a_fast_one() -> None:
    """It runs on what you have: a clock of 16 ms ticks says 0 s of a fast step, which ends no model."""
    assert ModelFigures().read(8, 0.0).read_tokens_s == 8000
    assert ModelFigures().wrote(1, 0.0).write_tokens_s == 1000


def test_the_newest_step_weighs_a_fifth() -> None:
    """Nothing is hidden: one slow step does not hide how fast a model is, and a model that slows down shows it."""
    figures = ModelFigures().wrote(10, 1.0).wrote(20, 1.0)
    assert figures.write_tokens_s == 12
