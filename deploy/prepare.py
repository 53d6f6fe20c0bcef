#!/usr/bin/env python3
"""Makes what deploy/compose.yaml mounts: folders, passwords, certificates, broker logins and deploy/.env.

Needs Python and openssl, nothing else. What is there already is kept, so it can be run again: after an update, or with
`--device ID` to give one more device its login. Everything is made for its owner alone.
"""

import argparse
import base64
import hashlib
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
# Whom the programs run as where root prepares: nobody on most machines, and the user of our image.
NOBODY: Final = 10001
FOLDERS: Final = (
    *("secrets", "secrets/devices", "site", "hallwatch", "postgres", "influxdb", "influxdb-config", "grafana"),
    *("mosquitto", "mosquitto-access", "mosquitto-access/certs"),
)
PASSWORDS: Final = ("postgres-password", "influxdb-password", "influxdb-token", "mqtt-password", "grafana-password")
CA_DAYS, SERVER_DAYS = 3650, 800
# Mosquitto's own form of a password ("$7$"): PBKDF2 with SHA-512, in as many rounds as mosquitto_passwd(1) does. These
# passwords are random: more rounds would only make the broker slow when all devices come back at once.
ROUNDS: Final = 101


def main(arguments: Sequence[str] | None = None) -> int:
    """Make what is missing; returns the exit status."""
    parser = argparse.ArgumentParser(description="准备部署目录 · prepare the folder for Compose")
    parser.add_argument(
        "--host", default="localhost", help="设备连接本机所用的名字 · the name by which devices connect"
    )
    parser.add_argument(
        "--base-url", default="http://127.0.0.1:8080", help="他人访问页面的地址 · how people reach the page"
    )
    parser.add_argument(
        "--device", action="append", default=[], metavar="ID", help="再加一台设备的登录 · one more device's login"
    )
    parser.add_argument("--into", type=Path, default=HERE, metavar="DIR", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if shutil.which("openssl") is None:
        print("prepare: 需要 openssl · openssl is needed", file=sys.stderr)
        return 1
    for device in chosen.device:
        if not device.isascii() or not device.replace("-", "").replace("_", "").replace(".", "").isalnum():
            print(f"prepare: {device!r} 不是设备编号 · is no device's id", file=sys.stderr)
            return 2
    os.umask(0o077)
    into: Path = chosen.into
    data = into / "data"
    for folder in FOLDERS:
        (data / folder).mkdir(parents=True, exist_ok=True)
    for name in PASSWORDS:
        keep(data / "secrets" / name, secrets.token_urlsafe(32))
    certificates(data / "mosquitto-access" / "certs", chosen.host)
    logins(data, chosen.device)
    copy_new(HERE / "mosquitto" / "hallwatch.acl", data / "mosquitto-access" / "hallwatch.acl")
    copy_new(HERE / "site.yaml", data / "site" / "site.yaml")
    owner = give_away(data)
    keep(into / ".env", f"HALLWATCH_USER={owner}\nHALLWATCH_BASE_URL={chosen.base_url}\nHALLWATCH_DEVICES=127.0.0.1\n")
    print(f"好了 · ready: {data}")
    return 0


def keep(file: Path, text: str) -> None:
    """Write a file that is not there yet."""
    if not file.exists():
        file.write_text(text, encoding="utf-8")


def copy_new(source: Path, target: Path) -> None:
    """Copy a file that is not there yet: what was changed here stays."""
    keep(target, source.read_text(encoding="utf-8"))


def logins(data: Path, devices: Sequence[str]) -> None:
    """The broker's two files of logins: programs, and devices by their ids."""
    access = data / "mosquitto-access"
    password = (data / "secrets" / "mqtt-password").read_text(encoding="utf-8")
    keep(access / "hallwatch.programs.passwd", f"gateway:{hashed(password)}\n")
    known = access / "hallwatch.devices.passwd"
    keep(known, "")
    for device in devices:
        if not any(line.startswith(f"{device}:") for line in known.read_text(encoding="utf-8").splitlines()):
            own = data / "secrets" / "devices" / device
            keep(own, secrets.token_urlsafe(24))
            with known.open("a", encoding="utf-8") as file:
                file.write(f"{device}:{hashed(own.read_text(encoding='utf-8'))}\n")
            print(f"{device}: 密码在 · its password is in {own}")


def hashed(password: str) -> str:
    """A password as Mosquitto keeps it."""
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS)
    return f"$7${ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def certificates(folder: Path, host: str) -> None:
    """An authority of the house, and the broker's certificate for its names. Devices are given `ca.pem`."""
    if (folder / "server.pem").exists():
        return
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc")
    ca = ("-x509", "-days", str(CA_DAYS), "-subj", "/CN=Hallwatch devices", "-keyout", "ca.key", "-out", "ca.pem")
    marks = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    openssl(folder, "req", *key, *ca, *marks)
    # An address is written as one, or no client finds itself in it.
    kind = "IP" if host.replace(".", "").isdigit() or ":" in host else "DNS"
    names = ",".join(dict.fromkeys((f"{kind}:{host}", "DNS:mosquitto", "DNS:localhost", "IP:127.0.0.1")))
    (folder / "names").write_text(f"subjectAltName={names}\nextendedKeyUsage=serverAuth\n", encoding="utf-8")
    openssl(folder, "req", *key, "-subj", f"/CN={host[:64]}", "-keyout", "server.key", "-out", "server.csr")
    signer = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", str(SERVER_DAYS))
    openssl(folder, "x509", "-req", "-in", "server.csr", *signer, "-extfile", "names", "-out", "server.pem")
    for left in ("server.csr", "names", "ca.srl"):
        (folder / left).unlink(missing_ok=True)
    # The broker has no use for the authority's key: whoever has it can pose as the broker.
    (folder / "ca.key").rename(folder.parents[1] / "secrets" / "ca.key")


def openssl(folder: Path, *arguments: str) -> None:
    """Run openssl in a folder; raises `SystemExit` with what it said."""
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"prepare: openssl: {done.stderr.strip()}")


def give_away(data: Path) -> str:
    """Whom the programs run as: who prepares, or nobody where that is root. Returns uid:gid."""
    if os.geteuid() != 0:
        return f"{os.getuid()}:{os.getgid()}"
    for path in (data, *data.rglob("*")):
        if path.lstat().st_uid == 0:
            os.lchown(path, NOBODY, NOBODY)
    return f"{NOBODY}:{NOBODY}"


if __name__ == "__main__":
    sys.exit(main())
