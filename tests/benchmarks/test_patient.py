"""The patient in plain Python, given the engine's own random numbers, lives the life that the engine gives that patient."""

import numpy as np
import pytest

from painlab import parameters
from painlab.engine import execution
from painlab.outcomes import OUTCOMES
from painlab.randomness import DRAWS, Block, uniforms
from tests.benchmarks.questions import SCENARIOS, scenario_named

SEED, PATIENTS, WEEKS = 5, 150, 40

# Where the engine takes each decision's number from: block and place.
PLACES = {
    name: (block, place)
    for block, names in {
        Block.BODY: ("noise", "flare", "flare_size", "appointment", "kept", "sought"),
        Block.PRESCRIBING: ("diagnosed", "reviewed", "start", "stop", "accept", "review_stop"),
        Block.REFERRAL: ("completed", "wait", "responder"),
        Block.TRAITS_BODY: ("pain", "lasting_share", "age", "response", "opioid_response", "course_time"),
        Block.TRAITS_MIND: ("distress", "sleep", "adherence", "work_demand", "comorbidity", "prior_treatment"),
        Block.TRAITS_OPIOID: ("on_opioids", "dose", "first_supply", "stop_ease", "goal"),
    }.items()
    for place, name in enumerate(names)
}
PLACES |= {"escalate": PLACES["start"], "return": PLACES["stop"]}


def draws_of(number: int):
    """The engine's draws for one patient, as `Patient` asks for them."""

    def draw(decision: str, week: int, treatment: int) -> float:
        if decision == "session":
            six, place = divmod(treatment - 1, DRAWS)
            return float(uniforms(SEED, number, week, int(Block.SESSION), six)[place])
        block, place = PLACES[decision]
        return float(uniforms(SEED, number, week, int(block), treatment)[place])

    return draw


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_same_chances_give_the_same_life(peer_module, name):
    peer_module("numpy")  # the folder above is on the path from here on
    from benchmarks.peers.inputs import arms_of
    from benchmarks.peers.patient import Patient

    scenario, central = scenario_named(name), parameters.values()
    theirs = np.zeros((2, len(OUTCOMES), WEEKS + 1))
    for arm, given in enumerate(arms_of(scenario, central)):
        for number in range(PATIENTS):
            patient = Patient(given, draws_of(number))
            for week in range(WEEKS + 1):
                patient.live()
                theirs[arm, :, week] += patient.counts
    ours = execution.run(scenario, [central], patients=PATIENTS, seed=SEED, weeks=WEEKS).means[0]
    # Single precision moves everything a little, and now and then a patient who stood on an edge to its other side.
    edge = np.minimum([one.most for one in OUTCOMES], 100.0)[:, None] * 1.001 / PATIENTS
    assert (np.abs(theirs / PATIENTS - ours) <= 1e-3 * ours + edge).all()
    assert (np.abs(theirs / PATIENTS - ours) > 1e-3 * ours + 1e-4).mean() < 0.01
