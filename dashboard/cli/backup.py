"""`hallwatch backup FILE` and `hallwatch restore FILE`: the store as one file, and an empty store filled from one."""

import argparse
import time
from pathlib import Path

from dashboard.cli.moment import local_time
from dashboard.cli.place import Commands, add_data, make_data_folder
from dashboard.cli.stores import add_store, existing_store, named_store, shown, store_of
from gateway.store.backup import write_backup
from gateway.store.restore import restore_backup


def add_to(commands: Commands) -> None:
    """Add both commands."""
    backup = commands.add_parser("backup", help="备份，运行中也可 · back the store up, also while it runs")
    backup.add_argument("file", type=Path, metavar="FILE", help="新文件，仅本人可读 · a new file, for its owner alone")
    backup.set_defaults(run=run_backup)
    restore = commands.add_parser("restore", help="恢复到空的存储 · restore into an empty store")
    restore.add_argument("file", type=Path, metavar="FILE", help="备份文件 · a backup")
    restore.set_defaults(run=run_restore)
    for command in (backup, restore):
        add_data(command)
        add_store(command)


def run_backup(chosen: argparse.Namespace) -> int:
    """Copy the store as it is at this moment. Raises `StoreError`."""
    store = existing_store(chosen)
    sums = write_backup(store.get_secret_value(), chosen.file, time.time_ns() // 1_000_000)
    rows = sum(one.rows for one in sums)
    size = chosen.file.stat().st_size
    print(f"{shown(store)} → {chosen.file}: {rows} 行 · rows, {size} 字节 · bytes")
    print("内含人员姓名与密钥，请妥善保管 · it holds names of people and keys: keep it safe")
    return 0


def run_restore(chosen: argparse.Namespace) -> int:
    """Fill an empty store and compare it with the file. Raises `StoreError`."""
    if named_store(chosen) is None:
        make_data_folder(chosen.data)
    store = store_of(chosen)
    backup = restore_backup(store.get_secret_value(), chosen.file, time.time_ns() // 1_000_000)
    rows = sum(one.rows for one in backup.sums)
    made = local_time(backup.head.made)
    print(f"{chosen.file} ({made}) → {shown(store)}: {rows} 行，已逐行核对 · rows, each compared")
    return 0
