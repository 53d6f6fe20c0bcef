"""What `hallwatch doctor` calls each check, and what it says to do where one is wrong: 中文, then English."""

from typing import Final

from gateway.store.check import State

Words = tuple[str, str]

MARKS: Final = {
    State.OK: "[green]✓ 正常 · ok[/]",
    State.WARN: "[yellow]! 注意 · warning[/]",
    State.WRONG: "[bold red]✗ 异常 · wrong[/]",
    State.NOTE: "[dim]– 备注 · note[/]",
}

NAMES: Final[dict[str, Words]] = {
    "reach": ("可连接", "reachable"),
    "schema": ("库结构版本", "schema version"),
    "integrity": ("数据库自检", "integrity"),
    "tables": ("全表可读", "every table read"),
    "durable": ("提交即落盘", "commits reach the disk"),
    "encoding": ("编码", "encoding"),
    "space": ("空间", "space"),
    "keys": ("未结事项唯一", "open keys unique"),
    "cursors": ("历史游标", "history cursor"),
    "behind": ("历史落后", "history behind"),
    "gaps": ("已告知的缺失", "gaps told of"),
    "journal": ("日志连续可读", "journal whole and readable"),
    "sites": ("站点文件齐全", "site files kept"),
    "snapshot": ("快照摘要", "snapshot's digest"),
    "fold": ("快照等于重放", "snapshot equals the replay"),
    "running": ("运行中", "running"),
    "broker": ("消息服务器连接", "broker linked"),
    "writing": ("存储应答", "store takes what is written"),
    "identity": ("无密钥、仅靠消息服务器权限的设备", "devices without a key: the broker's ACL alone protects them"),
    "clocks": ("设备时钟偏差", "devices whose clocks are off"),
    "site": ("站点文件", "site file"),
    "secret": ("密钥", "secret"),
    "data": ("数据目录", "data folder"),
    "disk": ("磁盘余量", "room on the disk"),
    "mqtt_reach": ("消息服务器可登录", "broker answers and takes the login"),
    "mqtt_tls": ("到消息服务器的加密", "encryption to the broker"),
    "mqtt_retains": ("保留消息", "retained messages are kept"),
    "mqtt_holds": ("离线时代存消息", "messages are held while we are away"),
    "mqtt_disk": ("消息服务器存盘", "the broker writes what it holds to disk"),
    "acl_anonymous": ("匿名登录", "who says no name"),
    "acl_gateway": ("网关账号的权限", "the gateway's own rights"),
    "acl_device": ("设备账号", "a device's login"),
    "acl_others": ("设备冒充他人", "a device as somebody else"),
    "acl_hears": ("设备窃听", "what a device hears"),
    "influx_reach": ("InfluxDB 可连接", "InfluxDB answers"),
    "influx_token": ("InfluxDB 令牌", "InfluxDB's token"),
    "influx_bucket": ("InfluxDB 桶与保留期", "InfluxDB's bucket and its retention"),
    "influx_write": ("InfluxDB 写入并读回", "InfluxDB: written and read back"),
    "channel": ("通道可达（未发送）", "channel reached, nothing sent"),
    "sent": ("测试消息", "test message"),
    "page": ("链接所指的页面", "the page that links lead to"),
    "page_tls": ("页面证书", "the page's certificate"),
    "clock": ("本机时钟对照", "this machine's clock by others"),
    "clock_sync": ("时间同步", "time synchronisation"),
}

_RESTORE: Final = (
    "先停止运行并复制现有数据，再用 hallwatch restore 把最近的备份恢复到新的存储",
    "stop the system, copy what is there, and restore the last backup into a new store (hallwatch restore)",
)

MENDS: Final[dict[str, Words]] = {
    "reach": (
        "检查地址、密码、网络和数据库服务是否启动",
        "check the address, the password, the network, and that the database runs",
    ),
    "schema": (
        "用与数据库相同版本的 hallwatch；较旧的库在新版 hallwatch run 启动时自动升级",
        "use the release that the database is of; an older one is brought up when the newer `hallwatch run` starts",
    ),
    "integrity": _RESTORE,
    "tables": _RESTORE,
    "durable": (
        "在数据库服务器上打开 fsync、full_page_writes 和 synchronous_commit；SQLite 文件应为 WAL 模式",
        "turn fsync, full_page_writes and synchronous_commit on at the server; a SQLite file should be in WAL mode",
    ),
    "encoding": (
        "新建 UTF8 编码的数据库（CREATE DATABASE … ENCODING 'UTF8'），用备份与恢复搬过去",
        "make a database with ENCODING 'UTF8' and move there by backup and restore",
    ),
    "space": (
        "清理磁盘或把数据目录移到更大的盘；磁盘写满后不再确认任何消息",
        "free the disk or move the data to a larger one: on a full disk no message is acknowledged",
    ),
    "keys": _RESTORE,
    "cursors": _RESTORE,
    "behind": (
        "检查 InfluxDB 是否可达；在它恢复之前日志会一直保留到磁盘预算",
        "see whether InfluxDB answers; until it does the journal is kept for it, up to its disk budget",
    ),
    "journal": _RESTORE,
    "sites": (
        "缺少的站点文件请从版本库找回并用它启动一次；日志的那一段按现在的站点文件重放",
        "find the missing site file and start once with it; that stretch is replayed by the present one meanwhile",
    ),
    "snapshot": (
        "损坏的快照不会被使用；正常重启一次即写入新的快照",
        "a damaged snapshot is not used; an orderly restart writes a new one",
    ),
    "fold": (
        "请保留数据并报告此问题；重启会从日志重新计算状态",
        "keep the data and report this; remove the snapshots to let a start replay the journal",
    ),
    "running": ("用 hallwatch run 启动", "start it: hallwatch run"),
    "broker": (
        "检查 MQTT 服务器是否运行、地址与账号是否正确",
        "see that the MQTT broker runs, and that its address and login are right",
    ),
    "writing": (
        "存储无应答：检查磁盘空间、权限和数据库服务；在此之前不确认任何消息",
        "the store does not answer: look at space, rights and the database; nothing is acknowledged until it does",
    ),
    "clocks": (
        "给设备配置 NTP；在校准之前以接收时间为准",
        "give the devices NTP; until then their messages count by when they came",
    ),
    "site": ("用 hallwatch check FILE 查看每处的改法", "hallwatch check FILE says of each how to mend it"),
    "secret": (
        "文件应存在、属于运行 Hallwatch 的用户、权限 0600（chmod 600 FILE）",
        "the file should be there, belong to the user who runs Hallwatch, and be his alone: chmod 600 FILE",
    ),
    "data": ("chmod 700 数据目录：里面有姓名和登录", "chmod 700 the data folder: names and logins are in it"),
    "disk": (
        "清理磁盘，或把 limits.journal_mib 调小；磁盘写满后不再确认任何消息",
        "free the disk, or lower limits.journal_mib: on a full disk no message is acknowledged",
    ),
    "mqtt_reach": (
        "检查 mqtt 一段的 host、port、tls、username、password，以及服务器是否运行",
        "look at host, port, tls, username and password under mqtt, and whether the broker runs",
    ),
    "mqtt_tls": (
        "跨机器连接请用 tls（如 8884 端口）；证书到期前更换",
        "between machines use tls (port 8884 of the shipped configuration); renew the certificate before it ends",
    ),
    "mqtt_retains": (
        "服务器应支持保留消息，并允许网关读写 hallwatch/v1/+/notice/#",
        "the broker should keep retained messages, and let the gateway write hallwatch/v1/+/notice/#",
    ),
    "mqtt_holds": (
        "使用 deploy/mosquitto 的配置：max_queued_messages 1000000、max_queued_bytes 0；否则网关重启期间会丢消息",
        "take deploy/mosquitto: max_queued_messages 1000000, max_queued_bytes 0; else a restart here loses some",
    ),
    "mqtt_disk": (
        "persistence true、autosave_interval 5（见 deploy/mosquitto）：否则服务器重启会丢失代存的消息",
        "persistence true, autosave_interval 5 (deploy/mosquitto): else what is held is lost when the broker restarts",
    ),
    "acl_anonymous": (
        "allow_anonymous false，并设置 password_file",
        "allow_anonymous false, and a password_file",
    ),
    "acl_gateway": (
        "使用 deploy/mosquitto/hallwatch.acl：网关只写 gateway 和 notice",
        "take deploy/mosquitto/hallwatch.acl: the gateway writes below gateway and notice alone",
    ),
    "acl_device": (
        "检查设备的登录名（即设备编号）、密码和 ACL 中的 pattern write",
        "look at the device's login (its id), its password, and the ACL's pattern write",
    ),
    "acl_others": (
        "使用 deploy/mosquitto/hallwatch.acl，或给设备设 key：现在任何设备都能冒充别的设备报火警",
        "take deploy/mosquitto/hallwatch.acl, or give devices a key: now each can cry fire in another's name",
    ),
    "acl_hears": (
        "使用 deploy/mosquitto/hallwatch.acl：设备只读 notice",
        "take deploy/mosquitto/hallwatch.acl: a device reads notices alone",
    ),
    "influx_reach": ("检查 influx.url 以及 InfluxDB 是否运行", "look at influx.url, and whether InfluxDB runs"),
    "influx_token": (
        "在 InfluxDB 中为该桶建立可读写的令牌，放到 influx.token 所指之处",
        "make a token that may read and write the bucket, and put it where influx.token says",
    ),
    "influx_bucket": (
        "检查 influx.org 与 influx.bucket；保留期过短时 influx bucket update --retention 365d",
        "look at influx.org and influx.bucket; where it is kept too short: influx bucket update --retention 365d",
    ),
    "influx_write": (
        "查看 InfluxDB 的日志和磁盘；网关会一直保留日志等它恢复",
        "look at InfluxDB's log and disk; the journal is kept for it meanwhile",
    ),
    "channel": (
        "检查地址、密钥、TLS 与防火墙；内网地址须写 allow_private: true",
        "look at address, secret, TLS and firewall; an address inside needs allow_private: true",
    ),
    "sent": ("按所说的错误码查 docs/notify.md", "look the code up in docs/notify.md"),
    "page": (
        "检查 --base-url、反向代理和防火墙：消息里的链接指向这里",
        "look at --base-url, the proxy and the firewall: the links in messages lead there",
    ),
    "page_tls": (
        "用反向代理提供 TLS，或 --tls-cert 与 --tls-key；证书到期前更换",
        "let a proxy speak TLS, or --tls-cert and --tls-key; renew the certificate before it ends",
    ),
    "clock": (
        "启用时间同步（chrony 或 systemd-timesyncd）：班次、升级和签名都以时钟为准",
        "turn on time synchronisation (chrony, systemd-timesyncd): shifts, escalation and signatures rest on it",
    ),
    "clock_sync": ("启用 chrony 或 systemd-timesyncd", "turn on chrony or systemd-timesyncd"),
}
