"""Which store a command means: the file in the data folder, or the one that `--store` or the environment names.

A password stands in the environment or in a file, never on the command line, where everybody on the machine reads it.
"""

import argparse
import os
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from alerts.notify.secret import read_secret
from gateway.store.engines import masked, store_url
from gateway.store.errors import StoreError
from gateway.store.sql import sqlite_url
from sensors.site.secret import Secret

FILE: Final = "hallwatch.db"
ENVIRONMENT: Final = "HALLWATCH_STORE"
PASSWORD: Final = "HALLWATCH_STORE_PASSWORD"  # noqa: S105 - the name of a variable


def add_store(command: argparse.ArgumentParser) -> None:
    """`--store` and `--store-password`."""
    command.add_argument(
        "--store",
        metavar="URL",
        help=f"数据库，默认为数据目录中的 SQLite 文件；也可用环境变量 {ENVIRONMENT} · the database, "
        f"postgresql://USER@HOST:5432/DATABASE; default: a SQLite file in the data folder, or what {ENVIRONMENT} names",
    )
    command.add_argument(
        "--store-password",
        type=Path,
        metavar="FILE",
        help=f"内含数据库密码的文件；也可用环境变量 {PASSWORD} · a file with its password; or set {PASSWORD}",
    )


def named_store(chosen: argparse.Namespace) -> SecretStr | None:
    """The URL of the store that is named, password and all; None for the file in the data folder.

    Raises `StoreError` (`store_address`) for one that is none, and `SecretMissingError` for a password that is
    not where it should be.
    """
    text = chosen.store or os.environ.get(ENVIRONMENT)
    if not text:
        return None
    if chosen.store and _password_in(chosen.store):
        raise StoreError(
            "store_address",
            "命令行上的密码人人可见 · a password on the command line is read by everybody on this machine: "
            f"put it into a file (--store-password FILE) or into {PASSWORD}",
        )
    url = store_url(text)
    if chosen.store_password is not None:
        url = url.set(password=read_secret(Secret(file=str(chosen.store_password))).get_secret_value())
    elif os.environ.get(PASSWORD) and url.get_backend_name() != "sqlite":
        url = url.set(password=os.environ[PASSWORD])
    return SecretStr(url.render_as_string(hide_password=False))


def store_of(chosen: argparse.Namespace) -> SecretStr:
    """The URL of the store that is meant: the one that is named, or the file in the data folder."""
    data: Path = chosen.data
    return named_store(chosen) or SecretStr(sqlite_url(data / FILE))


def existing_store(chosen: argparse.Namespace) -> SecretStr:
    """The store that is meant, for who only reads: a SQLite file that is not there is not made by looking at it.

    Raises `StoreError` (`store_missing`).
    """
    store = store_of(chosen)
    url = store_url(store.get_secret_value())
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).is_file():
        raise StoreError(
            "store_missing",
            f"{url.database} 不存在，请用 --data 或 --store 指明 · there is no such file: name it by --data or --store",
        )
    return store


def shown(url: SecretStr) -> str:
    """The address of a store as people may see it."""
    return masked(store_url(url.get_secret_value()))


def _password_in(text: str) -> bool:
    try:
        return make_url(text).password is not None
    except (ArgumentError, ValueError):
        # What is no URL may still hold one; what it is said of it never repeats it.
        return False
