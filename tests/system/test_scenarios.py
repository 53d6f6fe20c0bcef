"""Proof 5: every scenario ends with exactly what its file says, and the same inputs end the same twice."""

from pathlib import Path

import pytest

from simulators.scenario import scenario_names, shipped_scenario
from tests.system.stage import differences, perform


@pytest.mark.parametrize("name", scenario_names())
async def test_a_scenario_ends_as_its_file_says_and_so_twice(name: str, folder_in_memory: Path) -> None:
    scenario = shipped_scenario(name)
    ending = await perform(scenario, folder_in_memory / "one")
    assert differences(scenario.expect, ending) == []
    assert await perform(scenario, folder_in_memory / "two") == ending
