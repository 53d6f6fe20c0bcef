"""The MQTT sessions of a hall, and the words of parts that say what is wrong with them."""

import ssl
from collections.abc import Callable

from alerts.notify.secret import read_secret
from dashboard.settings import Settings
from gateway.clockwork import Clockwork
from gateway.link.contract import Broker, Session
from gateway.link.pace import TAKEN, UNSTEADY
from gateway.link.session import LINKS
from gateway.pipeline import Pipeline
from sensors.errors import HallwatchError
from sensors.inputs import Lane
from sensors.site.model import Mqtt, Site
from sensors.topics import gateway_status_topic


class SiteRefusedError(HallwatchError):
    """The site file has errors; the text of this error names each with its line and mend."""

    code = "site_refused"


def session_names(site: Site, hall: str) -> dict[Lane, str]:
    """By which client ids the broker knows the sessions of a hall."""
    return {lane: f"hallwatch-{site.site}-{hall}-{lane.name.lower()}" for lane in Lane}


def hall_sessions(settings: Settings, site: Site, hall: str, clock: Clockwork, pipeline: Pipeline) -> list[Session]:
    """Life safety on a session of its own; fixed client ids, so that the broker keeps both for us."""
    broker = broker_of(site.mqtt, settings.broker, site.limits.unacknowledged_mib * 2**20)
    shaken = stands(pipeline, "link_unsteady", hall)
    unsteady = _one_word(telling(pipeline, "link_unsteady", hall), stood=shaken)
    names = session_names(site, hall)
    return [
        LINKS[broker.version](
            broker,
            client_id=names[lane],
            lane=lane,
            status_topic=gateway_status_topic(hall, names[lane]),
            now=clock.now,
            deliver=pipeline.deliver,
            changed=pipeline.linked,
            refused=_refused(pipeline, lane),
            unsteady=unsteady(lane),
            stood=_stood(pipeline, lane, shaken=shaken),
        )
        for lane in Lane
    ]


def _stood(pipeline: Pipeline, lane: Lane, *, shaken: bool) -> frozenset[str]:
    refused = stands(pipeline, "subscription_refused", lane.name.lower())
    return frozenset(name for name, stood in (("refused", refused), ("unsteady", shaken)) if stood)


def _refused(pipeline: Pipeline, lane: Lane) -> Callable[[str], None]:
    tell = telling(pipeline, "subscription_refused", lane.name.lower())
    return lambda filters: tell(f"subscription_refused {filters}" if filters else "")


def _one_word(tell: Callable[[str], None], *, stood: bool) -> Callable[[Lane], Callable[[str], None]]:
    """What is wrong with both sessions is one condition: the graver code, and whose it is."""
    wrong: dict[Lane, str] = dict.fromkeys(Lane, UNSTEADY) if stood else {}

    def of(lane: Lane) -> Callable[[str], None]:
        def say(code: str) -> None:
            wrong[lane] = code
            lanes = [one for one in Lane if wrong.get(one)]
            worst = TAKEN if TAKEN in wrong.values() else UNSTEADY
            tell(f"{worst} {','.join(one.name.lower() for one in lanes)}" if lanes else "")

        return say

    return of


def stands(pipeline: Pipeline, condition: str, subject: str) -> bool:
    """Whether a process before this one told of a condition and ended with it: who watches it goes on from there.

    Else nobody would say that it is over, and its alarm would stand for ever.
    """
    known = pipeline.core.hall.state.conditions.get(f"gateway/{condition}/{subject}")
    return known is not None and known.active is not None


def telling(pipeline: Pipeline, condition: str, subject: str) -> Callable[[str], None]:
    """For a part that says what is wrong with it, and "" when nothing is any more."""

    def tell(detail: str) -> None:
        pipeline.raised(condition, subject, holds=bool(detail), detail=detail)

    return tell


def broker_of(mqtt: Mqtt, override: tuple[str, int] | None, most_bytes: int) -> Broker:
    """The broker of a site file, or another host; raises `SiteRefusedError`, `SecretMissingError`."""
    host, port = override or (mqtt.host, mqtt.port)
    context = None
    if mqtt.tls is not None:
        try:
            context = ssl.create_default_context(cafile=mqtt.tls.ca)
            if mqtt.tls.cert is not None:
                context.load_cert_chain(mqtt.tls.cert, mqtt.tls.key)
        except OSError as error:
            files = ", ".join(file for file in (mqtt.tls.ca, mqtt.tls.cert, mqtt.tls.key) if file is not None)
            raise SiteRefusedError(f"mqtt.tls: {files}: {error}") from error
    return Broker(
        host,
        port,
        version=mqtt.version,
        username=mqtt.username,
        password=None if mqtt.password is None else read_secret(mqtt.password).get_secret_value(),
        tls=context,
        keepalive_s=mqtt.keepalive_s,
        max_unacknowledged=mqtt.max_unacknowledged,
        max_unacknowledged_bytes=most_bytes,
    )
