"""Who is told, and where: the hall's order of people, a person's contacts, the hall's public notice."""

from typing import Final

from alerts.letter import Contact
from alerts.model import Alarm, Priority
from alerts.rules import HAZARDS
from sensors.site.model import Channel, EmailChannel, Hall, MqttChannel, Plan, Site, WebhookChannel
from sensors.site.robots import Robot

# The keys of alarms about a channel of ours end with the channel's id.
CHANNEL_ALARMS: Final = ("dead_letter/", "channel_failing/")
# Of all channels together: of a matter of life nobody outside the house could be told.
NOBODY_TOLD: Final = "nobody_told/"


class Routing:
    """Answers who is told in one hall of one site."""

    def __init__(self, site: Site, hall: Hall) -> None:
        self.follow(site, hall)

    def follow(self, site: Site, hall: Hall) -> None:
        """Go by this version of the site file from now on; runs go on with the copy that they began with."""
        self.hall = hall
        self._people = {person.id: person for person in site.people}
        self._channels: dict[str, Channel] = {channel.id: channel for channel in site.channels}

    def plan_for(self, alarm: Alarm) -> Plan | None:
        """The plan of an alarm's hazard: the first one that the site file gives."""
        hazard = HAZARDS.get(alarm.kind)
        return next((plan for plan in self.hall.plans if plan.hazard == hazard), None)

    def plan(self, id: str) -> Plan | None:
        """A plan of the hall."""
        return next((plan for plan in self.hall.plans if plan.id == id), None)

    def people_for(self, alarm: Alarm) -> tuple[str, ...]:
        """Who is told of an alarm without a run, in order; who cannot be reached is left out, so nobody waits for him.

        For a matter of life the holders of the hazard's plan are told as well, and everybody if that is nobody.
        """
        people = list(self.hall.routing.people)
        if alarm.priority is Priority.LIFE_SAFETY:
            plan = self.plan_for(alarm)
            people += holders(plan) if plan is not None else ()
        reached = tuple(person for person in dict.fromkeys(people) if self.contacts_for(alarm, person))
        if not reached and alarm.priority is Priority.LIFE_SAFETY:
            return self.everyone()
        return reached

    def contacts_for(self, alarm: Alarm, person: str) -> list[Contact]:
        """Where a person is told of an alarm; not by the channel that it is about, if there is another."""
        channels = self.hall.routing.channels
        if alarm.priority is Priority.LIFE_SAFETY:
            channels = ()
        contacts = self.contacts(person, channels)
        broken = next((alarm.key.removeprefix(key) for key in CHANNEL_ALARMS if alarm.key.startswith(key)), None)
        others = [contact for contact in contacts if contact.channel != broken]
        return others or contacts

    def contacts(self, person: str, channels: tuple[str, ...] = ()) -> list[Contact]:
        """A person's contacts on `channels`, on all of the person's if that is empty.

        A channel that needs no address of a person (log, MQTT, webhook) reaches everybody if it is named.
        """
        who = self._people.get(person)
        if who is None:
            return []
        wanted = channels or tuple(who.contacts)
        return [
            Contact(person, channel, who.contacts.get(channel, ""))
            for channel in wanted
            if channel in self._channels and (channel in who.contacts or not self._needs_address(channel))
        ]

    def public(self, channels: tuple[str, ...]) -> list[Contact]:
        """The hall's public notice: the channels named, else all MQTT channels."""
        wanted = channels or tuple(name for name, one in self._channels.items() if isinstance(one, MqttChannel))
        return [
            Contact(None, channel, "")
            for channel in wanted
            if channel in self._channels and not self._needs_address(channel)
        ]

    def everyone(self) -> tuple[str, ...]:
        """All people of the site who can be reached."""
        return tuple(person for person in self._people if self.contacts(person))

    def reachable(self, person: str, channels: tuple[str, ...] = ()) -> bool:
        """Whether a person can be told at all."""
        return bool(self.contacts(person, channels))

    def is_outside(self, channel: str) -> bool:
        """Whether a channel leads out of the house: by it people are reached who do not stand in the hall."""
        return isinstance(self._channels.get(channel), EmailChannel | WebhookChannel | Robot)

    def has_outside(self) -> bool:
        """Whether any channel leads out of the house."""
        return any(map(self.is_outside, self._channels))

    def has_channel(self, id: str) -> bool:
        """Whether the site file still gives this channel."""
        return id in self._channels

    def _needs_address(self, channel: str) -> bool:
        return isinstance(self._channels[channel], EmailChannel)


def holders(plan: Plan) -> tuple[str, ...]:
    """All holders of all roles, each once, first holders first."""
    longest = max(len(role.holders) for role in plan.roles)
    ranked = (role.holders[rank] for rank in range(longest) for role in plan.roles if rank < len(role.holders))
    return tuple(dict.fromkeys(ranked))
