"""Scenarios under the faults between devices and broker end as the clean ones, or as their file says, with why.

`make scenarios` plays every scenario under every fault, over a real Mosquitto; here is a sample of them through the
path alone, drawn from a seed so that each scenario meets some faults and each fault some scenarios.
"""

import os
import random
from pathlib import Path

import pytest

from simulators.faults import Fault
from simulators.scenario import scenario_names, shipped_scenario
from tests.system.stage import differences, perform

# A whole day is played under the fault that touches most of its messages, and under the one that it ends otherwise by;
# the other scenarios are short.
DAY = "normal_day"
OF_THE_DAY = (Fault.DUPLICATE, Fault.SILENCE)
EACH = 3
# Another number, another sample.
SEED = int(os.environ.get("HALLWATCH_SAMPLE", "5"))


def sample(seed: int) -> list[tuple[str, Fault]]:
    """`EACH` faults for each scenario, dealt like cards: no fault is drawn again before all others were."""
    dice, left, pairs = random.Random(seed), list[Fault](), [(DAY, fault) for fault in OF_THE_DAY]
    for name in scenario_names():
        drawn: list[Fault] = []
        while name != DAY and len(drawn) < EACH:
            left = left or dice.sample(tuple(Fault), len(Fault))
            fault = next((one for one in left if one not in drawn), None)
            if fault is None:
                left = []
                continue
            left.remove(fault)
            drawn.append(fault)
        pairs += [(name, fault) for fault in drawn]
    return pairs


def test_the_sample_leaves_out_no_fault_and_no_scenario() -> None:
    pairs = sample(SEED)
    assert {name for name, _ in pairs} == set(scenario_names())
    assert {fault for _, fault in pairs} == set(Fault)
    assert len(pairs) == len(set(pairs)) == EACH * (len(scenario_names()) - 1) + len(OF_THE_DAY)


@pytest.mark.parametrize(("name", "fault"), sample(SEED))
async def test_a_scenario_ends_as_its_file_says_under_a_fault(name: str, fault: Fault, folder_in_memory: Path) -> None:
    scenario = shipped_scenario(name)
    ending = await perform(scenario, folder_in_memory, fault)
    assert differences(scenario.expect_under(fault), ending) == []
