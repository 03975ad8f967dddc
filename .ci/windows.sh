#!/bin/bash
# Builds for Windows and runs the result under Wine, on Debian 12, as root.
# Usage: windows.sh setup | std | prefix | start | stop | env | test
#
# Debian's rustc-web brings its own std sources with their vendored crates, so std for x86_64-pc-windows-gnu is built
# offline, once for each compiler. The rest of CI uses the machine's own toolchain; the two never share a target directory.
set -euo pipefail
T=x86_64-pc-windows-gnu
CACHE=${WINRIG_CACHE:-$HOME/.cache/winrig}          # cache this directory between CI runs
export WINEPREFIX=${WINEPREFIX:-/var/tmp/winrig-prefix} WINEDEBUG=-all WINEDLLOVERRIDES=winedbg.exe=d
export PATH=/usr/bin:/bin:/usr/sbin:/sbin           # not ~/.cargo/bin: rustup's proxies have no Windows std
unset DISPLAY RUSTFLAGS CARGO_BUILD_TARGET CARGO_TARGET_DIR || true

apt_packages() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get -o DPkg::Lock::Timeout=300 update -qq
  apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends \
    rustc-web cargo-web rust-web-src rust-web-clippy gcc-mingw-w64-x86-64-win32 wine wine64 ca-certificates
}

build_std() {                                       # offline: uses only files of rust-web-src
  local key dst lib w f
  key=$(rustc -vV | sed -n 's/^commit-hash: //p')
  dst=/usr/lib/rustlib/$T/lib
  if [ ! -e "$CACHE/std-$key/ok" ]; then
    lib=$(rustc --print sysroot)/lib/rustlib/src/rust/library
    w=/var/tmp/winrig-std; rm -rf "$w"; mkdir -p "$w/src"
    cat > "$w/Cargo.toml" <<TOML
cargo-features = ["profile-rustflags"]
[package]
name = "winstd"
version = "0.0.0"
edition = "2021"
[dependencies]
std = { path = "$lib/std", features = ["panic-unwind", "backtrace"] }
test = { path = "$lib/test" }
proc_macro = { path = "$lib/proc_macro" }
[patch.crates-io]
rustc-std-workspace-core = { path = "$lib/rustc-std-workspace-core" }
rustc-std-workspace-alloc = { path = "$lib/rustc-std-workspace-alloc" }
rustc-std-workspace-std = { path = "$lib/rustc-std-workspace-std" }
[profile.release.package.compiler_builtins]
codegen-units = 10000
[profile.release.package.panic_abort]
rustflags = ["-Cpanic=abort"]
[workspace]
TOML
    printf '#![feature(no_core)]\n#![no_core]\n' > "$w/src/lib.rs"
    cp "$lib/Cargo.lock" "$w/Cargo.lock"
    ( cd "$w"
      export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$w/target CARGO_PROFILE_RELEASE_DEBUG=0 \
        __CARGO_DEFAULT_LIB_METADATA=winstd RUSTFLAGS="-Zforce-unstable-if-unmarked -Cembed-bitcode=yes" \
        CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc
      cargo build -q --release --target $T --offline --config 'source.crates-io.replace-with="v"' \
        --config "source.v.directory=\"$lib/vendor\"" )
    rm -rf "$CACHE"/std-*; mkdir -p "$CACHE/std-$key"
    for f in "$w/target/$T/release/deps/"*.rlib; do
      case $f in *libwinstd-*) ;; *) cp "$f" "$CACHE/std-$key/" ;; esac
    done
    touch "$CACHE/std-$key/ok"; rm -rf "$w"
  fi
  rm -rf "$dst"; mkdir -p "$dst"; cp "$CACHE/std-$key"/*.rlib "$dst/"
}

build_prefix() {                                    # ~7 s, 0.7 GB: make it each time, do not cache it
  local s; s=$(mktemp -d)
  cat > "$s/p.c" <<'C'
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(BYTE *p, SIZE_T n) {
  while (n) { ULONG c = n > 0x10000000 ? 0x10000000 : (ULONG)n;
    if (!SystemFunction036(p, c)) return FALSE; p += c; n -= c; }
  return TRUE; }
C
  x86_64-w64-mingw32-gcc -O2 -s -shared -o "$s/bcryptprimitives.dll" "$s/p.c" -ladvapi32
  timeout 120 wine wineboot -i >/dev/null 2>&1; timeout 60 wineserver -w
  cp "$s/bcryptprimitives.dll" "$WINEPREFIX/drive_c/windows/system32/"   # Wine 8 lacks it; Rust's std needs it
  timeout 60 wine winecfg -v win10 >/dev/null 2>&1; timeout 60 wineserver -w   # else it claims Windows 7
  rm -rf "$s"
}

start_wine() {                                      # one Windows process stays alive: a cold start costs seconds each time
  [ -p "$WINEPREFIX/hold" ] || mkfifo "$WINEPREFIX/hold"
  ( exec 3<>"$WINEPREFIX/hold"; exec timeout 3600 wine cmd.exe <&3 >/dev/null 2>&1 ) &
  for _ in $(seq 30); do timeout 20 wine net start 2>/dev/null | grep -q . && break; sleep 1; done
}

run_tests() {                                       # from the root of the repository
  export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=wine
  export CARGO_TARGET_DIR=target/win CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0
  # Everything must build, the tests too; those that need only a world in memory are run.
  cargo test --workspace --all-targets --locked --target $T --no-run
  cargo test --workspace --locked --target $T --lib --test engine -- --skip real --skip disk_store
  smoke target/win/$T/debug/retrace.exe
}

smoke() {                                           # the program itself: its version, and a plan of a real runbook
  local exe=$1
  timeout 120 wine "$exe" --version
  timeout 120 wine "$exe" --state target/win/state plan .ci/windows.yaml --no-input --color never
}

case ${1:-} in
  setup) apt_packages; build_std; build_prefix ;;
  std) build_std ;;
  prefix) build_prefix ;;
  start) start_wine ;;
  stop) wineserver -k || true ;;
  test) start_wine; trap 'wineserver -k || true' EXIT; run_tests ;;
  env) cat <<ENV
export PATH=/usr/bin:/bin:/usr/sbin:/sbin WINEPREFIX='$WINEPREFIX' WINEDEBUG=-all WINEDLLOVERRIDES=winedbg.exe=d
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=wine CARGO_TARGET_DIR=target/win
ENV
    ;;
  *) echo "usage: $0 setup|std|prefix|start|stop|env|test"; exit 2 ;;
esac
