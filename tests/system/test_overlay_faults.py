"""Every scenario under every fault between devices and broker ends as the clean one, or as its file says, with why."""

from pathlib import Path

import pytest

from simulators.faults import Fault
from simulators.scenario import scenario_names, shipped_scenario
from tests.system.stage import differences, perform

# A whole day is played once, under the fault that touches most of its messages; the others are short.
DAY = "normal_day"
PAIRS = [(name, fault) for name in scenario_names() for fault in Fault if name != DAY or fault is Fault.DUPLICATE]


@pytest.mark.parametrize(("name", "fault"), PAIRS)
async def test_a_scenario_ends_as_its_file_says_under_a_fault(name: str, fault: Fault, folder_in_memory: Path) -> None:
    scenario = shipped_scenario(name)
    ending = await perform(scenario, folder_in_memory, fault)
    assert differences(scenario.expect_under(fault), ending) == []
