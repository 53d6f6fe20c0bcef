"""A message of the quarantine on its second way: as a person has mended it, and as history whatever it says."""

from gateway.store.contract import QuarantineRow, Settled
from sensors.decode.family import Packet
from sensors.decode.reception import Received, Verdict
from sensors.errors import RefusedError, UndecodableError
from sensors.inputs import Heard, Lane


def mended(row: QuarantineRow, settled: Settled, now: int) -> Packet:
    """The message with what was mended of it; raises `RefusedError` where its end is missing."""
    kept = row.message
    if settled.payload is None and kept.length != len(kept.payload):
        raise RefusedError("payload_cut", length=str(kept.length))
    topic = kept.topic if settled.topic is None else settled.topic
    payload = kept.payload if settled.payload is None else settled.payload
    return Packet(topic, payload, Lane(kept.lane), now, retained=kept.retained)


def as_history(packet: Packet, received: Received) -> Heard:
    """What goes into the journal; raises `UndecodableError` or, if it is no news, `RefusedError`."""
    match received.verdict:
        case Verdict.QUARANTINED:
            raise UndecodableError(received.reason, received.detail)
        case Verdict.DUPLICATE:
            raise RefusedError("replay_duplicate")
        case Verdict.AWAITING:
            raise RefusedError("replay_awaiting")
        case Verdict.REFUSED | Verdict.PROBE:
            raise RefusedError("replay_refused")
    return Heard(packet.at, packet.topic, packet.payload, packet.lane, packet.retained, replayed=True)
