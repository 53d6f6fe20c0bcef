"""Faults that come and go while a day is played: what a person lays over the demo's hall and takes away again."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from sensors.site.model import Words
from simulators.clock import SimClock
from simulators.faults import Arriving, Fault, lay
from simulators.fleet import Fleet
from simulators.link import Wire
from simulators.publication import Publication

OUTAGE: Final = "outage"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault that can be laid over a running hall: what it is called, and what to watch for."""

    id: str
    title: Words
    watch: Words


# Flapping is left out: it must know minutes ahead what will be said, and a person may press a scenario meanwhile.
TROUBLES: Final = (
    Trouble(
        OUTAGE,
        Words(zh="设备网络中断", en="Devices cut off"),
        Words(
            zh="所有设备说不上话：两三分钟内逐个变成“迟报”“离线”，数字变灰，没有一个仍显示正常；恢复后积压的消息补到",
            en="No device gets through: one by one they turn stale and offline, figures turn grey, none stays normal; "
            "when it is taken away, what waited arrives",
        ),
    ),
    Trouble(
        Fault.DUPLICATE,
        Words(zh="消息重复", en="Messages twice"),
        Words(
            zh="一半消息到两次：对账里“重复”增长，告警、人数和工单不变",
            en="Half of all comes twice: “duplicate” grows in the account; alarms, counts and tickets stay as they are",
        ),
    ),
    Trouble(
        Fault.DELAY,
        Words(zh="消息迟到", en="Messages late"),
        Words(zh="每条晚到至多五秒：一切照旧，只是晚一点", en="Up to five seconds late: all as before, a little later"),
    ),
    Trouble(
        Fault.REORDER,
        Words(zh="消息乱序", en="Messages out of order"),
        Words(
            zh="后说的先到：数字不会跳回旧值，对账里没有缺号",
            en="What was said later comes first: no figure falls back to an old one, and no gap is counted",
        ),
    ),
    Trouble(
        Fault.SKEW,
        Words(zh="设备时钟错乱", en="Clocks wrong"),
        Words(
            zh="设备的钟差出两小时：出现“设备时钟偏差”告警，事情仍按收到的时间记录",
            en="Clocks are wrong by up to two hours: “clock skew” alarms rise, and things are dated by when they came",
        ),
    ),
    Trouble(
        Fault.SILENCE,
        Words(zh="设备断续失声", en="Devices silent now and then"),
        Words(
            zh="每台设备不时静默 45 秒：丢的消息记作缺号，没有人被打扰",
            en="Each is silent for 45 s now and then: what is lost is counted as gaps, and nobody is called for it",
        ),
    ),
    Trouble(
        Fault.REBOOT,
        Words(zh="设备反复重启", en="Devices start anew"),
        Words(
            zh="序号从零再来：新消息照收，不会被当作重复",
            en="Their numbers begin again: what is new is taken as new, not as a duplicate",
        ),
    ),
    Trouble(
        Fault.RECOUNT,
        Words(zh="设备重新计数", en="Devices count anew"),
        Words(
            zh="没有启动号的设备从零计数：火警等要紧的消息仍然不会丢",
            en="Devices without a boot number count from zero: what matters, a fire, is not lost even so",
        ),
    ),
)


@dataclass(slots=True)
class Weather:
    """What lies over the way from the devices to the broker; `trouble` (an id of `TROUBLES`) may change at any time."""

    fleet: Fleet
    seed: int = 1
    trouble: str | None = None
    _held: list[Arriving] = field(default_factory=list)

    def over(self, said: Iterable[Publication]) -> Iterator[Arriving]:
        """What arrives, in order of time. When a fault is taken away, what it holds back arrives at once."""
        words, ahead = iter(said), list[Publication]()

        def while_so(trouble: str | None) -> Iterator[Publication]:
            while ahead:
                yield ahead.pop()
            for one in words:
                if self.trouble != trouble:
                    ahead.append(one)
                    return
                yield one

        while (first := next(words, None) if not ahead else ahead.pop()) is not None:
            ahead.append(first)
            trouble = self.trouble
            arriving: Iterator[Arriving] = (Arriving(one.at, one) for one in while_so(trouble))
            if trouble is not None and trouble != OUTAGE:
                arriving = lay(Fault(trouble), while_so(trouble), self.fleet, start=first.at, seed=self.seed)
            for one in arriving:
                yield replace(one, at=min(one.at, ahead[0].at)) if ahead else one

    async def blow(self, said: Iterable[Publication], wire: Wire, clock: SimClock) -> None:
        """Publish what arrives, each when it does. While devices are cut off QoS 1 waits in them and QoS 0 is lost."""
        for one in self.over(said):
            await clock.sleep_until(one.at)
            # What the broker would say again, only a broker can.
            if one.dup and b'"seq"' not in one.said.payload:
                continue
            if self.trouble == OUTAGE:
                self._held += [one] if one.said.qos > 0 else []
                continue
            held, self._held = self._held, []
            for each in (*held, one):
                await wire.publish(each.said)
