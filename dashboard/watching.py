"""Joins what watches a hall's path into one look: its sessions, its store, and what is in hand."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.link.contract import Session as Link
from gateway.pipeline import Pipeline
from gateway.watch.survey import Survey
from gateway.watch.watched import Session, Watched


@dataclass(frozen=True, slots=True)
class WatchOfHall:
    """What the server asks about one hall's path."""

    path: Pipeline
    sessions: Sequence[Link]
    survey: Survey

    def __call__(self) -> Watched:
        """As of now."""
        return Watched(
            sessions=tuple(_session(link) for link in self.sessions),
            store=self.survey.look(),
            waiting=self.path.waiting,
            index=self.path.index,
        )


def _session(link: Link) -> Session:
    return Session(link.lane.name.lower(), link.connected, link.subscribed.is_set(), link.received)
