"""A sample of scenarios under faults, drawn from a seed: each scenario meets some faults, each fault some scenarios."""

import os
import random
from collections.abc import Iterable

from simulators.faults import Fault

# Another number, another sample.
SEED = int(os.environ.get("HALLWATCH_SAMPLE", "5"))


def dealt(names: Iterable[str], each: int, seed: int = SEED) -> list[tuple[str, Fault]]:
    """`each` faults for every scenario, dealt like cards: no fault is drawn again before all others were."""
    dice, left, pairs = random.Random(seed), list[Fault](), list[tuple[str, Fault]]()
    for name in names:
        drawn: list[Fault] = []
        while len(drawn) < each:
            left = left or dice.sample(tuple(Fault), len(Fault))
            fault = next((one for one in left if one not in drawn), None)
            if fault is None:
                left = []
                continue
            left.remove(fault)
            drawn.append(fault)
        pairs += [(name, fault) for fault in drawn]
    return pairs
