#!/usr/bin/env bash
# Builds InfluxDB's server once, from its Go module, into the user's cache, and prints where it is.
#
# Needs go >= 1.24, cargo with a Rust compiler, and a C compiler; takes about four minutes on two cores.
# Three things stand in the way of a plain `go build`: the module's replace line (so it is built through the go.mod
# beside this script), a pkg-config of InfluxData's that compiles the query language's Rust part, and lints of newer
# Rust compilers that this part treats as errors.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=$(sed -n 's|^[[:space:]]github.com/influxdata/influxdb/v2 v\([0-9.]*\).*|\1|p' "$here/go.mod")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/hallwatch/influxd-$version

if [ -x "$cache/influxd" ]; then
    echo "$cache/influxd"
    exit 0
fi
for tool in go cargo rustc cc; do
    if ! command -v "$tool" >/dev/null; then
        echo "influxd $version is not built: no '$tool' on PATH (go >= 1.24, Rust with cargo, and a C compiler build it)" >&2
        exit 3
    fi
done

mkdir -p "$cache"
if command -v flock >/dev/null; then
    # Two builds at once would take twice as long for the same file: the second waits, then finds it.
    exec 9>"$cache/lock"
    flock 9
    if [ -x "$cache/influxd" ]; then
        echo "$cache/influxd"
        exit 0
    fi
fi
echo "building InfluxDB $version, once, into $cache (about four minutes)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/rustc" <<'SCRIPT'
#!/bin/sh
exec "$@" --cap-lints warn
SCRIPT
chmod +x "$work/rustc"

# The module names a Rust version of its own; rustup would try to fetch it. The one that is installed does.
if command -v rustup >/dev/null; then
    RUSTUP_TOOLCHAIN=$(rustup show active-toolchain 2>/dev/null | cut -d ' ' -f 1)
    export RUSTUP_TOOLCHAIN
fi

cd "$here"
export GOTOOLCHAIN=local GOFLAGS=-buildvcs=false
GOBIN=$work go install github.com/influxdata/pkg-config >&2
PKG_CONFIG=$work/pkg-config RUSTC_WRAPPER=$work/rustc \
    go build -o "$cache/influxd.part" github.com/influxdata/influxdb/v2/cmd/influxd >&2
mv "$cache/influxd.part" "$cache/influxd"
echo "$cache/influxd"
