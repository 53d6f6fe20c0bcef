"""Names for the page: of things in both languages, and of people only for who may see them."""

from dataclasses import dataclass

from dashboard.server.wire import Name
from sensors.site.index import SiteIndex
from sensors.site.model import Words


def name(words: Words) -> Name:
    """Words as the wire has them; English falls back to Chinese."""
    return Name(words.zh, words.en or words.zh)


@dataclass(frozen=True, slots=True)
class People:
    """Puts people into words: `shown` is False for a reader who may not see names."""

    site: SiteIndex
    shown: bool

    def name(self, id: str | None) -> Name | None:
        """A person's name, None for a reader who may not see it."""
        if id is None or not self.shown:
            return None
        person = self.site.person(id)
        return Name(id, id) if person is None else name(person.name)

    def actor(self, actor: str | None) -> Name | str | None:
        """Who did something: a person's name where the site knows it, "" for a reader who may not see it."""
        if actor is None:
            return None
        if not self.shown:
            return ""
        person = self.site.person(actor)
        return actor if person is None else name(person.name)

    def text(self, text: str) -> str:
        """What a person has typed, in which names may stand."""
        return text if self.shown else ""
