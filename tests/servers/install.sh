#!/usr/bin/env bash
# Puts the real servers on the machine where that is possible, and says in a line each what is missing where it is not.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

has() { command -v "$1" >/dev/null; }
has_postgres() { has postgres || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; }
has_chromium() { has chromium || has chromium-browser || has google-chrome || [ -n "${HALLWATCH_CHROMIUM:-}" ]; }
has_chinese_font() { has fc-list && [ -n "$(fc-list :lang=zh family 2>/dev/null | head -n 1)" ]; }

packages=()
has mosquitto || packages+=(mosquitto)
has mosquitto_pub || packages+=(mosquitto-clients)
has mkfs.ext4 || packages+=(e2fsprogs)
has mount || packages+=(mount)
has_chromium || packages+=(chromium)
has_postgres || packages+=(postgresql)
has firefox-esr || packages+=(firefox-esr)
has promtool || packages+=(prometheus)
has_chinese_font || packages+=(fontconfig fonts-noto-cjk)

if [ ${#packages[@]} -gt 0 ] && has apt-get && [ "$(id -u)" = 0 ]; then
    echo "installing with apt-get: ${packages[*]}"
    # PostgreSQL's package would make a cluster of its own and start it.
    if ! has_postgres; then
        mkdir -p /etc/postgresql-common/createcluster.d
        echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/hallwatch-tests.conf
    fi
    log=$(mktemp)
    export DEBIAN_FRONTEND=noninteractive
    if ! { apt-get update -q && apt-get install -q -y --no-install-recommends "${packages[@]}"; } >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
    fi
    rm -f "$log"
    # The package starts a broker of its own. The tests start theirs, each with its own port and folder.
    case " ${packages[*]} " in
        *" mosquitto "*) service mosquitto stop >/dev/null 2>&1 || true ;;
    esac
    case " ${packages[*]} " in
        *" postgresql "*) service postgresql stop >/dev/null 2>&1 || true ;;
    esac
    # Of Prometheus only promtool is wanted, which checks our figures and rules.
    case " ${packages[*]} " in
        *" prometheus "*)
            service prometheus stop >/dev/null 2>&1 || true
            service prometheus-node-exporter stop >/dev/null 2>&1 || true
            ;;
    esac
fi

if ! has mosquitto || ! has mosquitto_pub; then
    echo "MISSING Mosquitto: install the Debian packages mosquitto and mosquitto-clients; tests with a broker are skipped" >&2
fi
if ! has_chromium; then
    echo "MISSING Chromium: install the Debian package chromium; tests in a browser are skipped" >&2
fi
if ! has firefox-esr; then
    echo "MISSING Firefox: install the Debian package firefox-esr; the test that two browsers agree is skipped" >&2
fi
if ! has_postgres; then
    echo "MISSING PostgreSQL: install the Debian package postgresql; tests with it are skipped" >&2
fi
if ! has promtool; then
    echo "MISSING promtool: install the Debian package prometheus; tests of the figures and alert rules are skipped" >&2
fi
if ! has_chinese_font; then
    echo "MISSING a Chinese font: install the Debian package fonts-noto-cjk; screenshots show boxes instead of 中文" >&2
fi

if [ -n "${HALLWATCH_INFLUXD:-}" ] || has influxd; then
    exit 0
fi
log=$(mktemp)
if ! bash "$here/influxd/build.sh" 2>"$log"; then
    tail -n 5 "$log" >&2
    echo "MISSING InfluxDB: put influxd 2.7 on PATH or its path in HALLWATCH_INFLUXD; tests with it are skipped" >&2
fi
rm -f "$log"
