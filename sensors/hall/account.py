"""The account of messages: what became of each, per device, so that nothing is lost without being counted."""

from collections.abc import Iterator

from sensors.hall.state import Account, HallState
from sensors.inputs import Tallied


def add(state: HallState, item: Tallied) -> None:
    """Add one batch's account; what no listed device sent is counted as stray."""
    for tally in item.tallies:
        device = state.devices.get(tally.device)
        account: Account = state.stray if device is None else device.account
        account.received += tally.received
        account.stored += tally.stored
        if tally.stored == tally.received:  # nearly always
            continue
        account.duplicate += tally.duplicate
        account.quarantined += tally.quarantined
        account.refused += tally.refused
        account.awaiting += tally.awaiting
        account.probe += tally.probe
        for reason, count in tally.reasons.items():
            account.reasons[reason] = account.reasons.get(reason, 0) + count


def merge(into: Account, other: Account) -> None:
    """Add another account to one."""
    into.received += other.received
    into.stored += other.stored
    into.duplicate += other.duplicate
    into.quarantined += other.quarantined
    into.refused += other.refused
    into.awaiting += other.awaiting
    into.probe += other.probe
    into.gaps += other.gaps
    for reason, count in other.reasons.items():
        into.reasons[reason] = into.reasons.get(reason, 0) + count


def sum_of(state: HallState) -> Account:
    """Messages of all devices, and of none, by what became of them."""
    total = Account()
    merge(total, state.stray)
    for device in state.devices.values():
        merge(total, device.account)
    return total


def outcomes(account: Account) -> int:
    """What became of messages, added up; it must be `received`."""
    return account.stored + account.duplicate + account.quarantined + account.refused + account.awaiting + account.probe


def uneven(state: HallState) -> Iterator[str]:
    """The devices whose outcomes do not add up to what was received; "" for what no device sent."""
    for name, device in state.devices.items():
        if outcomes(device.account) != device.account.received:
            yield name
    if outcomes(state.stray) != state.stray.received:
        yield ""
