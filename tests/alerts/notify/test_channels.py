import json
import logging
from pathlib import Path

import pytest

from alerts.notify.links import LIFE_MS, Link, LinkError, Links
from alerts.notify.log import LogSender
from alerts.notify.mqtt import MqttSender
from alerts.notify.open import open_senders
from alerts.notify.secret import SecretMissingError, read_secret
from alerts.notify.sender import Answer, Sent, TryAgain, Unknown
from sensors.site.model import LogChannel, MqttChannel, WebhookChannel
from sensors.site.secret import Secret
from tests.alerts.notify.samples import TEXT, message

NOW = 1_760_000_000_000
LINKS = Links(b"secret of the store", "http://hall.example:8080/")


async def test_the_log_gets_the_message_but_not_the_link(caplog: pytest.LogCaptureFixture) -> None:
    assert await LogSender().send(message(), TEXT) == Sent()
    assert "火警：B区 / Fire: zone B" in caplog.text
    assert caplog.records[0].levelno == logging.CRITICAL
    assert "token-of-the-link" not in caplog.text


@pytest.mark.parametrize(
    ("person", "address", "to"), [("wang", "8001", {"to": "8001"}), (None, "", {}), ("wang", "", {})]
)
async def test_a_message_on_mqtt_says_whose_it_is_and_a_public_notice_is_nobodys(
    person: str | None, address: str, to: dict[str, str]
) -> None:
    published: list[tuple[str, bytes]] = []

    async def publish(topic: str, payload: bytes) -> None:
        published.append((topic, payload))

    assert (
        await MqttSender(publish, "sign/{hall}/notice").send(message(drill=True, person=person, address=address), TEXT)
        == Sent()
    )
    topic, payload = published[0]
    assert topic == "sign/h1/notice"
    notice = json.loads(payload)
    assert notice["drill"] is True
    assert {key: notice[key] for key in notice if key == "to"} == to
    assert b"wang" not in payload
    assert b"token-of-the-link" not in payload


@pytest.mark.parametrize(
    ("error", "answer"), [(ConnectionError(), TryAgain("broker_lost")), (TimeoutError(), Unknown("timeout"))]
)
async def test_a_lost_broker_is_tried_again_and_what_it_did_not_acknowledge_may_be_there(
    error: Exception, answer: Answer
) -> None:
    async def publish(topic: str, payload: bytes) -> None:
        raise error

    assert await MqttSender(publish, "t").send(message(), TEXT) == answer


async def test_all_channels_of_a_site_are_opened(tmp_path: Path) -> None:
    async def publish(topic: str, payload: bytes) -> None:
        """Nobody listens."""

    channels = (
        LogChannel(id="log", type="log"),
        MqttChannel(id="sign", type="mqtt"),
        WebhookChannel(id="hook", type="webhook", url="https://example.org/"),
    )
    async with open_senders(channels, publish, lambda: NOW) as senders:
        assert set(senders) == {"log", "sign", "hook"}
    missing = WebhookChannel(id="hook", type="webhook", url="https://example.org/", secret=Secret(env="HALLWATCH_NONE"))
    with pytest.raises(SecretMissingError, match="HALLWATCH_NONE"):
        async with open_senders((missing,), publish, lambda: NOW):
            pass


def test_a_secret_is_read_from_file_or_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    file.write_text("one\n", encoding="utf-8")
    monkeypatch.setenv("HALLWATCH_TWO", "two")
    assert read_secret(Secret(file=str(file))).get_secret_value() == "one"
    assert read_secret(Secret(env="HALLWATCH_TWO")).get_secret_value() == "two"
    assert "two" not in repr(read_secret(Secret(env="HALLWATCH_TWO")))
    for missing in (Secret(file=str(tmp_path / "none")), Secret(env="HALLWATCH_NONE")):
        with pytest.raises(SecretMissingError):
            read_secret(missing)


def test_a_link_is_read_back_until_it_ends() -> None:
    url = LINKS.url("h1", "M7", NOW)
    assert url.startswith("http://hall.example:8080/a/")
    token = url.rsplit("/", 1)[1]
    link = LINKS.read(token, NOW + LIFE_MS)
    assert (link.hall, link.message) == ("h1", "M7")
    with pytest.raises(LinkError, match="link_expired"):
        LINKS.read(token, NOW + LIFE_MS + 1000)


def test_no_changed_link_is_taken() -> None:
    token = LINKS.token(Link("h1", "M7", NOW))
    for place in range(len(token)):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        # The last sign may hold bits that say nothing.
        if place < len(token) - 1:
            with pytest.raises(LinkError, match="link_bad"):
                LINKS.read(changed, NOW)
    for rubbish in ("", "A", "é", "A" * 10_000, token + "\n", "%00"):
        with pytest.raises(LinkError, match="link_bad"):
            LINKS.read(rubbish, NOW)
    with pytest.raises(LinkError, match="link_bad"):
        Links(b"another secret", "").read(token, NOW)
