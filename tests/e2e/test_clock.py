"""A trace whose clock steps while a harvest goes on: it is found all the same, and nobody else is acted on."""

import pytest
from replayed import HOUR, refused, replay, sample

DAY, YEAR = 24 * HOUR, 365 * 24 * HOUR


@pytest.mark.parametrize("step", [2, -2, HOUR, -HOUR, DAY, -DAY, YEAR, -YEAR])
@pytest.mark.parametrize("back", [False, True], ids=["for good", "and back"])
def test_a_clock_that_steps_in_the_middle_of_a_harvest_hides_nothing_and_hurts_nobody(tmp_path, step, back):
    exchanges = sample()
    harvest = [one["t"] for one, _, actor, _ in exchanges if actor == "hydra"]
    # It steps when the harvest is about to be named, and back when a third of it is over.
    first, second = harvest[12], harvest[len(harvest) // 3]
    parts = {"people": [], "harvest": []}
    for one, _, actor, _ in exchanges:
        wrong = first <= one["t"] < second or (one["t"] >= second and not back)
        parts["harvest" if actor == "hydra" else "people"].append((one, step if wrong else 0))
    actions = replay(tmp_path, parts)
    assert refused(actions["people"]) == 0
    assert refused(actions["harvest"][60:]) > 0.75 * len(actions["harvest"][60:])
