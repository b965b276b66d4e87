#!/usr/bin/env bash
# The front door: `./x help`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# The pins of SUPPORTED_VERSIONS.md; tests/architecture.rs holds the two together.
readonly DUCKDB_PACKAGE_VERSION=1.5.6-r.1
readonly LIBRARY_DIR=.duckdb

usage() {
    cat <<'TEXT'
usage: ./x COMMAND [ARGS]

  demo [ARGS]      open the screen over fixtures/; without a terminal, print the report instead
  run [--] ARGS    run sigma-ocsf-tui with ARGS
  test [ARGS]      run all tests; ARGS go to `cargo test`
  build            build target/release/sigma-ocsf-tui
  ci               everything that has to pass: format, lints, tests, corpus, documentation
  bless [ARGS]     run the tests and accept every snapshot as it is now
  vectors FILE...  run conformance vectors by every backend; ends with `N passed, N failed`
  pysigma          hold imported and exported pipelines to the real pySigma and sigma-cli, in a virtual environment
  conformance      hash plans and results over the fixtures and compare with those kept; --write keeps them
  fuzz [SECONDS]   run each fuzz target for so long (30); needs cargo-fuzz
  fixtures         regenerate the fixture run from fixtures/events.yaml
  setup            fetch the prebuilt DuckDB library; the others do it by themselves
  help             print this

SIGMA_OCSF_DUCKDB=bundled compiles DuckDB from source instead of fetching it.
DUCKDB_LIB_DIR=DIR uses the libduckdb that lies in DIR.
TEXT
}

say() { printf 'x: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# --- DuckDB -----------------------------------------------------------------------------------------------------

platform() {
    local os arch
    case "$(uname -s)" in
        Linux) os=linux ;;
        Darwin) os=darwin ;;
        *) os=other ;;
    esac
    case "$(uname -m)" in
        x86_64 | amd64) arch=x64 ;;
        aarch64 | arm64) arch=arm64 ;;
        *) arch=other ;;
    esac
    # The published library is linked against glibc.
    if [ "$os" = linux ] && ldd --version 2>&1 | grep -qi musl; then os=linux-musl; fi
    printf '%s-%s\n' "$os" "$arch"
}

# SHA-512 of the package, base64 as registries write it; nothing for a platform without one.
pinned_checksum() {
    case "$1" in
        linux-x64) echo 'IXcrZJE6kEqM0Z4wwdVnGBHX/frOS33VPNAwDXQ/Q+Fs84b058Qe94chrCCIcNJlG8Y3UHIUU4eBeCQxW5mN1Q==' ;;
    esac
}

checksum_of() { sha512sum "$1" | cut -d ' ' -f 1; }
hexadecimal() { printf '%s' "$1" | base64 -d | od -An -v -tx1 | tr -d ' \n'; }

# Fetches into $2 the package for platform $1. 1: there is none to be had; the script ends on a bad checksum.
fetch_package() {
    local package="@duckdb/node-bindings-$1@$DUCKDB_PACKAGE_VERSION" archive
    if ! archive=$(cd "$2" && npm pack --silent --ignore-scripts "$package" 2>npm.log </dev/null); then
        if grep -q EINTEGRITY "$2/npm.log"; then die "npm refused $package: it is not what its registry announces"; fi
        say "npm could not fetch $package"
        return 1
    fi
    archive="$2/$(printf '%s\n' "$archive" | tail -n 1)"
    if [ "$(checksum_of "$archive")" != "$(hexadecimal "$(pinned_checksum "$1")")" ]; then
        die "$package differs from the checksum pinned in ./x; refusing to use it"
    fi
    mv "$archive" "$2/package.tgz"
}

# Unpacks $1/package.tgz to $1/ready and puts that in place, by one rename: complete or not at all.
# Chained by hand: bash does not stop at an error inside a condition, and `setup` calls this in one.
place_library() {
    mkdir "$1/ready" &&
        tar -xzf "$1/package.tgz" -C "$1/ready" --strip-components=1 package/libduckdb.so package/LICENSE &&
        printf '%s\n' "$2" >"$1/ready/stamp" || return 1
    if [ -e "$LIBRARY_DIR" ]; then mv -T "$LIBRARY_DIR" "$1/old" || return 1; fi
    mv -T "$1/ready" "$LIBRARY_DIR"
}

install_library() {
    local work
    find . -maxdepth 1 -name "$LIBRARY_DIR.tmp.*" -mmin +60 -exec rm -rf {} +
    work=$(mktemp -d "$LIBRARY_DIR.tmp.XXXXXX")
    # shellcheck disable=SC2064 # the folder's name is known now
    trap "rm -rf '$work'" EXIT
    fetch_package "$1" "$work" || return 1
    place_library "$work" "$(stamp_for "$1")" || die "could not unpack DuckDB into $LIBRARY_DIR"
    rm -rf "$work"
}

# What the stamp file says once the pinned package lies in its place.
stamp_for() { printf '%s %s\n' "$DUCKDB_PACKAGE_VERSION" "$(pinned_checksum "$1")"; }

library_is_current() {
    [ -f "$LIBRARY_DIR/libduckdb.so" ] && [ -f "$LIBRARY_DIR/stamp" ] &&
        [ "$(cat "$LIBRARY_DIR/stamp")" = "$(stamp_for "$1")" ]
}

bundled() {
    say "$1: compiling DuckDB from source, once; 15 to 35 minutes on two cores"
    unset DUCKDB_LIB_DIR
    flags=(--features bundled)
}

prebuilt() {
    export DUCKDB_LIB_DIR=$1
    flags=(--no-default-features)
}

# Sets `flags`, what cargo is told about DuckDB.
setup() {
    local here
    here=$(platform)
    if [ "${SIGMA_OCSF_DUCKDB:-}" = bundled ]; then
        bundled "SIGMA_OCSF_DUCKDB=bundled"
    elif [ -n "${DUCKDB_LIB_DIR:-}" ]; then
        prebuilt "$DUCKDB_LIB_DIR"
    elif [ -z "$(pinned_checksum "$here")" ]; then
        bundled "no prebuilt DuckDB $DUCKDB_PACKAGE_VERSION for $here"
    elif library_is_current "$here"; then
        prebuilt "$PWD/$LIBRARY_DIR"
    elif ! command -v npm >/dev/null; then
        bundled "npm, which fetches the prebuilt DuckDB, is not installed"
    elif say "fetching DuckDB $DUCKDB_PACKAGE_VERSION for $here" && install_library "$here"; then
        prebuilt "$PWD/$LIBRARY_DIR"
    else
        bundled "no prebuilt DuckDB"
    fi
    if [ "${CI:-}" = true ]; then flags+=(--locked); fi
}

# --- commands ---------------------------------------------------------------------------------------------------

with_cargo() {
    local command=$1
    shift
    cargo "$command" "${flags[@]}" "$@"
}

# Documentation tests do not get the run path that build.rs gives every other program.
run_tests() { LD_LIBRARY_PATH="${DUCKDB_LIB_DIR:-}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" with_cargo test "$@"; }

demo() {
    setup
    with_cargo build --bin sigma-ocsf-tui
    local mode=()
    if ! [ -t 0 ] || ! [ -t 1 ]; then mode=(check); fi
    exec "${CARGO_TARGET_DIR:-target}/debug/sigma-ocsf-tui" ${mode[@]+"${mode[@]}"} \
        fixtures/rules --parquet fixtures/run/normalized "$@"
}

# The end-to-end test drives the screen in tmux.
ensure_tmux() {
    if command -v tmux >/dev/null; then return; fi
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing tmux for the end-to-end test"
        apt-get update -qq && apt-get install -y -qq tmux >/dev/null && return
    fi
    say "tmux is not installed: the end-to-end test cannot drive the screen"
}

# Rules, conditions and packs to begin with, each in a file of its own.
seed() {
    local corpus=fuzz/corpus file count=0 pack
    mkdir -p "$corpus"/{rule_parser,compile,condition_parser,pack_loader,sql_escaping}
    while IFS= read -r file; do
        cp "$file" "$corpus/rule_parser/${file//\//_}"
        cp "$file" "$corpus/compile/${file//\//_}"
    done < <(find fixtures/rules -name '*.yml')
    while IFS= read -r line; do
        count=$((count + 1))
        printf '%s' "$line" >"$corpus/condition_parser/seed-$count"
        printf '%s' "$line" >"$corpus/sql_escaping/seed-$count"
    done < <(grep -rhoP '^\s+(condition|Image|CommandLine)[^:]*: \K.*' fixtures/rules | sort -u)
    for pack in fixtures/packs/*/ mapping_packs/*/; do
        if ! [ -f "$pack/pack.yaml" ] || ! [ -f "$pack/routes.yaml" ]; then continue; fi
        for file in "$pack"/aliases/*.yaml; do
            { cat "$pack/pack.yaml" && printf '\0' && cat "$pack/routes.yaml" && printf '\0' && cat "$file"; } \
                >"$corpus/pack_loader/$(basename "$pack")-$(basename "$file")"
        done
    done
}

# libFuzzer needs the unstable flags of a nightly compiler; RUSTC_BOOTSTRAP=1 lets a stable one take them.
fuzz() {
    local seconds=${1:-30} target toolchain=()
    case "$seconds" in '' | *[!0-9]*) die "how many seconds? $seconds is not a number" ;; esac
    cargo fuzz --version >/dev/null 2>&1 || die "cargo-fuzz is not installed: cargo install cargo-fuzz"
    if cargo +nightly --version >/dev/null 2>&1; then
        toolchain=(+nightly)
    else
        say "no nightly toolchain: trying the stable one with RUSTC_BOOTSTRAP=1"
        export RUSTC_BOOTSTRAP=1
    fi
    setup
    local features=()
    if [ -z "${DUCKDB_LIB_DIR:-}" ]; then features=(--features bundled); fi
    export LD_LIBRARY_PATH="${DUCKDB_LIB_DIR:-}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
    seed
    # Without AddressSanitizer: there is no unsafe code here for it to watch, and DuckDB is not built with it.
    for target in rule_parser condition_parser pack_loader sql_escaping compile; do
        say "fuzz target $target, $seconds seconds"
        cargo ${toolchain[@]+"${toolchain[@]}"} fuzz run --sanitizer none ${features[@]+"${features[@]}"} "$target" -- \
            -max_total_time="$seconds" -timeout=10 -max_len=16384 -print_final_stats=1 -verbosity=1 ||
            die "$target found something; the input lies in fuzz/artifacts/$target"
    done
    say "nothing found"
}

# The pinned pySigma and sigma-cli, in target/pysigma. 1: they cannot be had here.
pysigma_environment() {
    local home=target/pysigma requirements=tests/pysigma/requirements.txt
    if cmp -s "$home/requirements.txt" "$requirements"; then return; fi
    command -v python3 >/dev/null && rm -rf "$home" && mkdir -p target && python3 -m venv "$home" 2>/dev/null &&
        timeout 300 "$home/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements" \
            </dev/null &&
        cp "$requirements" "$home/requirements.txt"
}

pysigma() {
    with_cargo build --quiet --bin sigma-ocsf-tui
    target/pysigma/bin/python tests/pysigma/check.py "$(realpath "${CARGO_TARGET_DIR:-target}")/debug/sigma-ocsf-tui"
}

# Committed with their source, so that reading them needs no build.
check_fixtures() {
    local before
    before=$(cat fixtures/run*/normalized/ocsf_events/*.parquet | sha512sum)
    with_cargo run --quiet --example fixtures
    if [ "$(cat fixtures/run*/normalized/ocsf_events/*.parquet | sha512sum)" != "$before" ]; then
        die "fixtures/run differs from fixtures/events.yaml; run ./x fixtures and commit the result"
    fi
}

ci() {
    local log
    setup
    ensure_tmux
    say "format"
    cargo fmt --all --check
    say "lints"
    with_cargo clippy --all-targets -- -D warnings
    say "fixtures"
    check_fixtures
    say "conformance"
    with_cargo run --quiet --example conformance
    say "tests"
    log=$(mktemp)
    # shellcheck disable=SC2064 # the file's name is known now
    trap "rm -f '$log'" EXIT
    run_tests -- --show-output | tee "$log"
    if [ -d ../shared/corpus ] && grep -n '^skipped: .*corpus' "$log"; then
        die "../shared/corpus is there, and a corpus test was skipped"
    fi
    say "pySigma"
    if pysigma_environment; then pysigma; else say "skipped: python3 with pip cannot get the pinned pySigma here"; fi
    say "documentation"
    RUSTDOCFLAGS="-D warnings" with_cargo doc --no-deps
    say "all passed"
}

command=${1:-help}
if [ $# -gt 0 ]; then shift; fi
case "$command" in
    setup) setup ;;
    demo) demo "$@" ;;
    test)
        setup
        run_tests "$@"
        ;;
    build)
        setup
        with_cargo build --release "$@"
        ;;
    ci) ci ;;
    bless)
        setup
        INSTA_UPDATE=always run_tests "$@"
        ;;
    vectors)
        setup
        with_cargo run --quiet --example vectors -- "$@"
        ;;
    pysigma)
        setup
        pysigma_environment || die "python3 with pip cannot get tests/pysigma/requirements.txt here"
        pysigma
        ;;
    conformance)
        setup
        with_cargo run --quiet --example conformance -- "$@"
        ;;
    fuzz) fuzz "$@" ;;
    fixtures)
        setup
        with_cargo run --quiet --example fixtures
        ;;
    run)
        if [ "${1:-}" = -- ]; then shift; fi
        setup
        with_cargo run --quiet -- "$@"
        ;;
    help | -h | --help) usage ;;
    *)
        say "unknown command: $command"
        usage >&2
        exit 2
        ;;
esac
