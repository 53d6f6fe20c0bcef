"""Scenarios under the faults between devices and broker end as the clean ones, or as their file says, with why.

`make scenarios` plays every scenario under every fault, over a real Mosquitto; here is a sample of them through the
path alone, drawn from a seed, and in `test_simulate.py` a smaller one over a real Mosquitto.
"""

from pathlib import Path

import pytest

from simulators.faults import Fault
from simulators.scenario import scenario_names, shipped_scenario
from tests.system.dealing import dealt
from tests.system.stage import differences, perform

# A whole day is played under the fault that touches most of its messages, and under the one that it ends otherwise by;
# the other scenarios are short.
DAY = "normal_day"
OF_THE_DAY = (Fault.DUPLICATE, Fault.SILENCE)
EACH = 3
SAMPLE = [(DAY, fault) for fault in OF_THE_DAY] + dealt((name for name in scenario_names() if name != DAY), EACH)


def test_the_sample_leaves_out_no_fault_and_no_scenario() -> None:
    assert {name for name, _ in SAMPLE} == set(scenario_names())
    assert {fault for _, fault in SAMPLE} == set(Fault)
    assert len(SAMPLE) == len(set(SAMPLE)) == EACH * (len(scenario_names()) - 1) + len(OF_THE_DAY)


@pytest.mark.parametrize(("name", "fault"), SAMPLE)
async def test_a_scenario_ends_as_its_file_says_under_a_fault(name: str, fault: Fault, folder_in_memory: Path) -> None:
    scenario = shipped_scenario(name)
    ending = await perform(scenario, folder_in_memory, fault)
    assert differences(scenario.expect_under(fault), ending) == []
