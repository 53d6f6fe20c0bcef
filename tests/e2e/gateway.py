"""The gateway behind the page: the small site on a port that stays the same over a restart, and its users."""

import json
import subprocess
import sys
from pathlib import Path

from tests.fakes.webhook import FakeWebhook
from tests.servers.find import free_port
from tests.servers.mosquitto import Mosquitto
from tests.system.hallwatch import Hallwatch
from tests.system.small_site import Parts, small_site

PASSWORD = "a good long password"
# Wang and Li are told at addresses of their own, so that a test knows who was told.
WANG, LI = "duty", "li"
# A fault counts at once, and who is not seen any more is so after a second.
THRESHOLDS = "{equipment_raise_s: 0, equipment_clear_s: 0, staffed_decay_s: 1}"


def site_text(broker: Mosquitto, webhook: FakeWebhook, more: str = "") -> str:
    """The small site with the webhook as a channel of both people, and `more` lines of the hall."""
    text = small_site(Parts(broker.port, webhook=webhook.url, thresholds=THRESHOLDS))
    person = next(line for line in text.splitlines() if "id: li," in line)
    changed = person.replace(f"hook: {WANG}", f"hook: {LI}")
    assert changed != person
    # A role's next holder is not told before a test on a busy machine has looked.
    assert "answer_s: 5}" in text
    return text.replace(person, changed).replace("answer_s: 5}", "answer_s: 60}") + more


class Gateway(Hallwatch):
    """The real process; `broker` is the one that it listens to, and where a test speaks as a device."""

    def __init__(self, folder: Path, broker: Mosquitto, webhook: FakeWebhook, more: str = "") -> None:
        super().__init__(folder, site_text(broker, webhook, more), {"TEST_HOOK_SECRET": "e2e"})
        # An open page comes back to where it was: a port chosen anew at each start would hide whether it does.
        place = f"127.0.0.1:{free_port()}"
        self.process.command = [place if part == "127.0.0.1:0" else part for part in self.process.command]
        assert place in self.process.command
        self.broker = broker

    def add_user(self, name: str, person: str | None = None, role: str = "admin") -> None:
        """`hallwatch user add`, as who runs this server does it."""
        command = [sys.executable, "-m", "dashboard.cli.main", "user", "add", name, "--role", role]
        command += ["--socket", str(self.socket), *(() if person is None else ("--person", person))]
        subprocess.run(command, input=PASSWORD + "\n", text=True, check=True, timeout=30, capture_output=True)

    def hear(self, device: str, kind: str, *, lane: str = "telemetry", **value: object) -> None:
        """A device of the native family speaks, by `mosquitto_pub`."""
        self.broker.publish(f"hallwatch/v1/main/{lane}/{device}/{kind}", json.dumps({"value": value}))
