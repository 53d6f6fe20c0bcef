"""Looks an installation over, from its site file outwards: what each part found, in the order in which it is mended."""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from alerts.notify.secret import SecretMissingError, read_secret
from dashboard.doctor.access import DeviceLogin, access_findings
from dashboard.doctor.broker import CONFIGS, broker_findings, config_findings
from dashboard.doctor.channels import channel_findings, send_test
from dashboard.doctor.clock import Heard, clock_findings, synchronised
from dashboard.doctor.history import history_findings
from dashboard.doctor.place import page_findings, room_findings, secret_findings, site_findings
from dashboard.sessions import SiteRefusedError, broker_of
from gateway.link.contract import Broker
from gateway.store.check import Finding, State
from sensors.site.load import Loaded
from sensors.site.model import Site
from sensors.site.secret import Secret


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asks to be looked at. `device` is a device's id with the file of its password.

    `device_broker` is the devices' door where it is another than the gateway's, `device_ca` whom they trust there.
    `configs` are the files of a Mosquitto on this machine.
    """

    loaded: Loaded
    data: Path
    broker: tuple[str, int] | None = None
    base_url: str | None = None
    device: tuple[str, Path] | None = None
    device_broker: tuple[str, int] | None = None
    device_ca: Path | None = None
    person: str | None = None
    configs: Iterable[Path] = CONFIGS


async def look(asked: Asked) -> list[Finding]:
    """Everything that the site file names. Raises `NoSuchPersonError`."""
    found = list(site_findings(asked.loaded))
    site = asked.loaded.site
    if site is None:
        return found
    clocks: list[Heard] = []
    found += [*secret_findings(site), *room_findings(asked.data, site)]
    broker = _broker(asked, site)
    if isinstance(broker, Finding):
        found.append(broker)
    else:
        found += await _at_broker(asked, site, broker)
    if site.influx is not None:
        found += await history_findings(site.influx, clocks)
    found += await channel_findings(site, clocks)
    if asked.base_url is not None:
        found += await page_findings(asked.base_url, clocks)
    found += [*clock_findings(clocks), *await synchronised()]
    if asked.person is not None and isinstance(broker, Broker):
        found += await send_test(site, asked.person, broker)
    return found


def _broker(asked: Asked, site: Site) -> Broker | Finding:
    try:
        return broker_of(site.mqtt, asked.broker, 2**20)
    except (SecretMissingError, SiteRefusedError, ssl.SSLError) as error:
        return Finding("mqtt_reach", State.WRONG, str(error))


async def _at_broker(asked: Asked, site: Site, broker: Broker) -> list[Finding]:
    found = await broker_findings(broker)
    if broker.host in {"127.0.0.1", "::1", "localhost"}:
        found += config_findings(asked.configs)
    if found[0].state is State.WRONG:
        return found
    device = None
    if asked.device is not None:
        name, file = asked.device
        try:
            password = read_secret(Secret(file=str(file))).get_secret_value()
        except SecretMissingError as error:
            return [*found, Finding("acl_device", State.WRONG, str(error))]
        host, port = asked.device_broker or (broker.host, broker.port)
        tls = broker.tls
        if asked.device_ca is not None:
            tls = ssl.create_default_context(cafile=asked.device_ca)
        elif tls is not None and site.mqtt.tls is not None and site.mqtt.tls.cert is not None:
            # The gateway's own certificate would be another way in.
            tls = ssl.create_default_context(cafile=site.mqtt.tls.ca)
        device = DeviceLogin(name, replace(broker, host=host, port=port, username=name, password=password, tls=tls))
    return found + await access_findings(broker, device)
