"""The hall's state as the fold of its journal: from a snapshot, or from empty to check one.

A start loads the newest good snapshot and folds what follows through step 3 alone; what step 4 decided stands
in rows. Each stretch of the journal is folded with the site file that was in force when it was written.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from gateway.store.contract import Journal, JournalRow, Snapshot
from sensors.decode.reception import Reception
from sensors.hall.hall import Hall
from sensors.hall.snapshot import STATE_VERSION, decode_state, encode_state
from sensors.hall.state import HallState
from sensors.inputs import AnyInput, Heard, Resited, Started, unpack
from sensors.site.model import Site

ROWS_A_READ = 500


@dataclass(frozen=True, slots=True)
class Folded:
    """A hall folded to `index`, the index of the next input; without the rows that nobody can read."""

    hall: Hall
    index: int
    site: str
    damaged: tuple[JournalRow, ...] = ()


@dataclass(slots=True)
class Folder:
    """Folds inputs one by one; `sites` are the site files by digest that the journal names."""

    name: str
    sites: Mapping[str, Site]
    hall: Hall
    reception: Reception
    digest: str

    @classmethod
    def start(cls, name: str, digest: str, sites: Mapping[str, Site], state: HallState | None) -> "Folder":
        """Begin with a snapshot's state, or with none."""
        hall = Hall(sites[digest], name, state)
        return cls(name, sites, hall, Reception(sites[digest], name, hall.state), digest)

    def take(self, item: AnyInput) -> None:
        """Fold one input, deadlines first, just as `alerts.core.Core.step` does."""
        if isinstance(item, Started):
            self._follow(item.site)
        self.hall.lapse(item)
        while (due := self.hall.next_due()) is not None and due <= item.at:
            self.hall.fire_due(due)
        if isinstance(item, Resited):
            self._follow(item.site)
        arrival = self.reception.read(item) if isinstance(item, Heard) else None
        self.hall.step(item, arrival)

    def _follow(self, digest: str) -> None:
        if digest != self.digest and digest in self.sites:
            site = self.sites[digest]
            self.digest = digest
            self.hall = Hall(site, self.name, self.hall.state)
            self.reception = Reception(site, self.name, self.hall.state)


async def fold(
    journal: Journal,
    name: str,
    digest: str,
    sites: Mapping[str, Site],
    *,
    from_empty: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Folded:
    """Fold a hall's journal to its end.

    `digest` is the site to begin with where no snapshot says otherwise. A batch that is damaged is left out and
    named: a hall is never started on half a journal in silence, and never left without a gateway for it.
    """
    snapshot = None if from_empty else await journal.snapshot(name)
    state, index = _usable(snapshot, whole=await _is_whole(journal, name))
    known = state.site if state is not None else await _first_site(journal, name)
    begin = known if known in sites else digest
    folder = Folder.start(name, begin, sites, state)
    damaged: list[JournalRow] = []
    while rows := await journal.read(name, index, ROWS_A_READ):
        for row in rows:
            for item in _inputs(row, damaged)[max(0, index - row.index) :]:
                folder.take(item)
            index = row.index + row.count
        if progress is not None:
            progress(index)
    return Folded(folder.hall, index, folder.digest, tuple(damaged))


def _inputs(row: JournalRow, damaged: list[JournalRow]) -> list[AnyInput]:
    try:
        return unpack(row.blob)
    except msgspec.DecodeError:
        damaged.append(row)
        return []


def take_snapshot(state: HallState, index: int) -> Snapshot:
    """The hall's state as a snapshot before input `index`."""
    blob = encode_state(state)
    return Snapshot(state.hall, index, state.now, STATE_VERSION, blob, hashlib.sha256(blob).hexdigest())


async def _first_site(journal: Journal, name: str) -> str:
    """The site file that was in force when the journal began."""
    rows = await journal.read(name, 0, 1)
    items = _inputs(rows[0], []) if rows else []
    return next((item.site for item in items if isinstance(item, Started)), "")


async def _is_whole(journal: Journal, name: str) -> bool:
    rows = await journal.read(name, 0, 1)
    return not rows or rows[0].index == 0


def _usable(snapshot: Snapshot | None, *, whole: bool) -> tuple[HallState | None, int]:
    # A snapshot of another shape of the state is second best: the journal knows better, if it still has it all.
    if snapshot is None or (snapshot.version != STATE_VERSION and whole):
        return None, 0
    return decode_state(snapshot.blob), snapshot.index
