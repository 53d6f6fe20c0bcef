# ruff: noqa: E501 - a line of the site file is a line of the site file
"""A small hall for tests of the whole system: two windows, a few devices, a fire plan, all in one YAML text."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parts:
    """The servers that a test has started."""

    broker_port: int
    webhook: str | None = None
    influx: str | None = None
    influx_org: str = ""
    influx_bucket: str = ""
    version: str = "5"
    thresholds: str = "{}"
    limits: str = "{}"
    watch: str = "{}"


def small_site(parts: Parts) -> str:
    """The site file's text."""
    return (
        HEAD.format(port=parts.broker_port, version=parts.version, limits=parts.limits, watch=parts.watch)
        + (
            INFLUX.format(url=parts.influx, org=parts.influx_org, bucket=parts.influx_bucket)
            if parts.influx is not None
            else ""
        )
        + CHANNELS
        + (WEBHOOK.format(url=parts.webhook) if parts.webhook is not None else "")
        + REST.format(
            thresholds=parts.thresholds,
            contacts="{log: duty, hook: duty}" if parts.webhook is not None else "{log: duty}",
        )
    )


HEAD = """\
site: test-site
name: {{zh: 测试站点, en: Test site}}
mqtt: {{host: 127.0.0.1, port: {port}, version: "{version}", keepalive_s: 10}}
limits: {limits}
watch: {watch}
families:
  - family: native
  - {{family: zigbee2mqtt, base: zigbee2mqtt, hall: main}}
"""
INFLUX = """\
influx: {{url: "{url}", org: "{org}", bucket: "{bucket}", token: {{env: TEST_INFLUX_TOKEN}}, batch: 500}}
"""
CHANNELS = """\
channels:
  - {id: log, type: log}
"""
WEBHOOK = """\
  - {{id: hook, type: webhook, url: "{url}", allow_private: true, timeout_s: 2, secret: {{env: TEST_HOOK_SECRET}}}}
"""
REST = """\
people:
  - {{id: wang, name: {{zh: 王敏, en: Wang Min}}, badges: [AA01], contacts: {contacts}}}
  - {{id: li, name: {{zh: 李强, en: Li Qiang}}, badges: [AA02], contacts: {contacts}}}
halls:
  - id: main
    name: {{zh: 测试大厅, en: Test hall}}
    timezone: Asia/Shanghai
    size: [20, 12]
    hours:
      mon: ["00:00-23:59"]
      tue: ["00:00-23:59"]
      wed: ["00:00-23:59"]
      thu: ["00:00-23:59"]
      fri: ["00:00-23:59"]
      sat: ["00:00-23:59"]
      sun: ["00:00-23:59"]
    zones:
      - {{id: waiting, name: {{zh: 等候区, en: Waiting}}, area_m2: 60, capacity: 80, outline: [[0, 4], [20, 4], [20, 12], [0, 12]]}}
      - {{id: counter, name: {{zh: 窗口区, en: Counter}}, area_m2: 30, capacity: 20, outline: [[0, 0], [20, 0], [20, 4], [0, 4]]}}
    services:
      - {{id: cards, name: {{zh: 卡务, en: Cards}}, service_time_s: 120}}
    windows:
      - {{id: w1, number: 1, name: {{zh: 一号窗口, en: Window 1}}, zone: counter, services: [cards], at: [5, 3]}}
      - {{id: w2, number: 2, name: {{zh: 二号窗口, en: Window 2}}, zone: counter, services: [cards], at: [12, 3]}}
    devices:
      - {{id: reader-1, kinds: [badge], zone: counter, window: w1, at: [5, 2]}}
      - {{id: desk-1, kinds: [presence], zone: counter, window: w1, at: [5, 1]}}
      - {{id: queue-1, kinds: [queue], zone: waiting, service: cards, at: [10, 6]}}
      - {{id: count-1, kinds: [people_count], zone: waiting, at: [3, 8]}}
      - {{id: air-1, kinds: [environment], zone: waiting, at: [16, 9]}}
      - {{id: printer-1, kinds: [equipment], zone: counter, window: w1, asset: printer, at: [6, 2]}}
      - {{id: smoke-1, kinds: [fire], zone: waiting, at: [4, 10]}}
      - {{id: smoke-2, kinds: [fire], zone: waiting, at: [15, 10]}}
      - {{id: call-1, kinds: [fire], zone: waiting, at: [19, 11]}}
      - {{id: help-1, kinds: [button], zone: counter, window: w1, at: [5, 3]}}
      - {{id: z-smoke, family: zigbee2mqtt, address: lobby/smoke, kinds: [fire, battery], zone: waiting, power: sleeping, at: [9, 10]}}
    plans:
      - id: fire
        name: {{zh: 火灾应急预案, en: Fire plan}}
        hazard: fire
        verify_s: 60
        repeat_s: 10
        roles:
          - {{id: commander, name: {{zh: 总指挥, en: Commander}}, holders: [wang, li], answer_s: 5}}
        steps:
          - {{id: call119, role: commander, text: {{zh: 拨打119, en: Call 119}}, due_s: 60}}
        messages:
          - {{stage: verify, audience: holders, text: {{zh: 请立即核实火情, en: Verify the fire at once}}}}
          - {{stage: active, audience: roles, text: {{zh: 立即疏散, en: Evacuate now}}}}
    routing: {{people: [wang, li], answer_s: 10, repeat_s: 10}}
    thresholds: {thresholds}
"""
