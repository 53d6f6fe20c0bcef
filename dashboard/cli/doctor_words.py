"""What `hallwatch doctor` calls each check, and what it says to do where one is wrong: 中文, then English."""

from typing import Final

from gateway.store.check import State

Words = tuple[str, str]

MARKS: Final = {
    State.OK: "[green]✓ 正常 · ok[/]",
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
}
