"""The account of messages: what became of each, per device, so that nothing is lost without being counted."""

from sensors.hall.state import Account, HallState
from sensors.inputs import Tallied


def add(state: HallState, item: Tallied) -> None:
    """Add one batch's account; what no listed device sent is counted as stray."""
    for tally in item.tallies:
        device = state.devices.get(tally.device)
        account: Account = state.stray if device is None else device.account
        account.received += tally.received
        account.stored += tally.stored
        account.duplicate += tally.duplicate
        account.quarantined += tally.quarantined
        account.refused += tally.refused
        account.awaiting += tally.awaiting
        account.probe += tally.probe
        for reason, count in tally.reasons.items():
            account.reasons[reason] = account.reasons.get(reason, 0) + count
