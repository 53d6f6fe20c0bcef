"""The example site that comes with Hallwatch, and site files as the simulating commands read them."""

from dataclasses import dataclass
from importlib.resources import files
from io import StringIO

from ruamel.yaml import YAML

from dashboard.sessions import SiteRefusedError
from sensors.site.load import read_site
from sensors.site.model import Site
from sensors.site.problem import format_problems

EXAMPLE = files("dashboard").joinpath("sites").joinpath("university.yaml")


@dataclass(frozen=True, slots=True)
class KeptSite:
    """A site, the text that says so, and its digest, by which the journal knows it."""

    site: Site
    text: str
    digest: str


def load(text: str, name: str) -> KeptSite:
    """Read a site with its digest; raises `SiteRefusedError` with every error in it."""
    loaded = read_site(text, name)
    if loaded.site is None:
        raise SiteRefusedError(format_problems(loaded.problems, loaded.name))
    return KeptSite(loaded.site, text, loaded.digest)


def load_site(text: str, name: str) -> Site:
    """Read a site; raises `SiteRefusedError` with every error in it."""
    return load(text, name).site


def on_broker(text: str, host: str, port: int, username: str) -> str:
    """The site's text with another broker, one that speaks MQTT 3.1.1."""
    yaml = YAML()
    site = yaml.load(text)
    site["mqtt"] = {"host": host, "port": port, "version": "3.1.1", "username": username}
    written = StringIO()
    yaml.dump(site, written)
    return written.getvalue()
