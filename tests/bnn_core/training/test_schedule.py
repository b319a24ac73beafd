"""The learning rate and the gain over a phase."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_core import InputError, RunConfig
from bnn_core.config import CompressionConfig, PhaseConfig
from bnn_core.training.schedule import (
    Place,
    check_batches,
    compression_gain,
    learning_rate,
    share_done,
    steps_an_epoch,
)


def phase(decay: str) -> PhaseConfig:
    return PhaseConfig.model_validate({"learning_rate": 0.01, "decay": decay})


@pytest.mark.parametrize("done", [0, 24, 99, 100, 1250, 2499])
def test_the_rate_warms_up_and_falls_to_zero(done: int) -> None:
    expected = 0.01 * min(1, (done + 1) / 100) * 0.5 * (1 + math.cos(math.pi * done / 2500))
    assert learning_rate(phase("cosine"), done, 2500) == pytest.approx(expected)


def test_without_decay_the_rate_stays_at_its_peak() -> None:
    assert [learning_rate(phase("none"), done, 2500) for done in (99, 1000, 2499)] == [0.01] * 3


@given(steps=st.integers(1, 2000), decay=st.sampled_from(["cosine", "none"]))
def test_a_phase_of_any_length_learns_at_every_step_and_soon_at_its_peak(steps: int, decay: str) -> None:
    rates = [learning_rate(phase(decay), done, steps) for done in range(steps)]
    assert all(0 < rate <= 0.01 for rate in rates)
    assert max(rates) >= 0.9 * 0.01
    assert rates.index(max(rates)) <= steps // 10


@given(start=st.floats(0.1, 100), end=st.floats(0.1, 100), share=st.floats(0, 1))
def test_the_gain_goes_from_start_to_end_by_equal_factors(start: float, end: float, share: float) -> None:
    compression = CompressionConfig.model_construct(gain_start=start, gain_end=end)
    assert compression_gain(compression, 0) == pytest.approx(start)
    assert compression_gain(compression, 1) == pytest.approx(end)
    there = math.log(compression_gain(compression, share))
    assert there == pytest.approx((1 - share) * math.log(start) + share * math.log(end), abs=1e-9)


@given(digits=st.integers(2, 2000), batch=st.integers(2, 2000), least=st.integers(1, 2))
def test_only_a_last_batch_that_is_too_small_joins_the_one_before(
    digits: int, batch: int, least: int
) -> None:
    whole, rest = divmod(digits, batch)
    joins = whole > 0 and rest < least
    assert steps_an_epoch(digits, batch, least) == whole + (not joins)


@pytest.mark.parametrize("batch_norm", [{"network.variant": "threshold"}, {"network.constant_units": 4}])
def test_batch_norm_is_refused_a_single_digit_a_step(batch_norm: dict[str, object]) -> None:
    one = {"phase1.batch": 1, "phase2.batch": 1}
    check_batches(RunConfig().updated(one), 100)
    check_batches(RunConfig().updated({**batch_norm, **one, "phase2.epochs": 0}), 100)
    check_batches(RunConfig().updated({**batch_norm, "phase1.batch": 1, "phase2.batch": 2}), 100)
    with pytest.raises(InputError, match=r"^phase2.batch is 1: allowed is 2 or more where phase 2 .*-norm"):
        check_batches(RunConfig().updated({**batch_norm, **one}), 100)
    with pytest.raises(InputError, match=r"^data.train_digits is 1: allowed is 2 or more"):
        check_batches(RunConfig().updated(batch_norm), 1)


def test_a_phase_without_steps_has_no_share() -> None:
    assert share_done(0, 0) == 0


def test_a_place_sums_up_an_epoch_and_goes_on() -> None:
    place = Place(epoch=3, step=2, started=True, loss_sum=6.0, loss_digits=4)
    assert place.loss == 1.5
    place.spend(2.0)
    place.forget_epoch()
    assert place.loss is None
    assert (place.epoch_seconds, place.phase_seconds, place.seconds) == (0.0, 2.0, 2.0)
    place.next_phase()
    assert (place.phase, place.epoch, place.step, place.started) == (2, 0, 0, False)
    assert (place.phase_seconds, place.seconds) == (0.0, 2.0)
