#!/usr/bin/env bash
# Takes the walk of docs/tour.md in the real program, and writes what the screen shows into it.
#
#   docs/tour.sh [BINARY]            all captures of docs/tour.md, and the pictures in docs/images/
#   docs/tour.sh --prepare FOLDER    only the folder that the walk is taken in, to take it by hand
#
# BINARY is target/release/sigma-ocsf-tui unless told. Needs tmux; the pictures need python3.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf 'tour: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# --- the folder -------------------------------------------------------------------------------------------------

# Rules, packs and events of the fixtures, to be changed at will.
prepare() {
    mkdir "$1" || die "$1 has to be a new folder"
    cp -r "$here/fixtures/rules" "$here/fixtures/run" "$here/mapping_packs" "$here/tests/grow.sh" "$1"
    # The mistake that the second walk finds: the program is called winword.exe.
    sed -i 's/\\winword\.exe/\\word.exe/' "$1/rules/windows/process_creation/office_starts_shell.yml"
    parts "$1"
}

# The events of some log sources, each as one Parquet part, in the order in which they are to arrive.
parts() {
    local number=0 source field
    mkdir "$1/parts"
    while read -r source field; do
        printf '%s\n' "title: All of $source" "logsource: {category: $source, product: windows}" \
            "detection: {all: {$field|exists: true}, condition: all}" >"$1/all.yml"
        "$binary" matches "$1/all.yml" --pack "$1/mapping_packs/ocsf-1.7.0" --parquet "$1/run" \
            --format parquet --out "$1/parts/part-$number.parquet" >&2
        number=$((number + 1))
    done <<'SOURCES'
file_event TargetFilename
process_creation CommandLine
network_connection DestinationIp
SOURCES
    rm "$1/all.yml"
}

# --- the terminal -----------------------------------------------------------------------------------------------

terminal() { tmux -u -L "$socket" "$@"; }

# Opens the screen: the size, then the program's arguments.
open() {
    terminal kill-server 2>/dev/null || true
    # A server that is about to leave refuses the next session.
    sleep 0.5
    rm -rf "$work/config" "$work/state"
    terminal -f /dev/null new-session -d -x "${1%x*}" -y "${1#*x}" -c "$world" \
        -e "SIGMA_OCSF_CONFIG_DIR=$work/config" -e "SIGMA_OCSF_STATE_DIR=$work/state" -e COLORTERM=truecolor \
        "TERM=xterm-256color exec '$binary' ${*:2}"
    # The last screen of a program that has ended stays, to be shown with the complaint.
    terminal set-option -g remain-on-exit on
}

# Waits for a text on the screen.
await() {
    local tries
    for ((tries = 0; tries < 600; tries++)); do
        if terminal capture-pane -p | grep -qF -- "$1"; then return; fi
        sleep 0.1
    done
    terminal capture-pane -p >&2
    die "never on the screen: $1"
}

# Presses keys, by tmux's names.
press() {
    local key
    for key in "$@"; do
        terminal send-keys -- "$key"
        sleep 0.15
    done
}

# Types a text.
type_in() { terminal send-keys -l -- "$1"; }

# Keeps the screen once it has come to rest, under a name.
shot() {
    local before now
    now=$(terminal capture-pane -p)
    while before=$now && sleep 0.6 && now=$(terminal capture-pane -p) && [ "$before" != "$now" ]; do :; done
    terminal capture-pane -p >"$work/$1.txt"
    terminal capture-pane -e -N -p >"$work/$1.ansi"
    say "$1"
}

# --- the walks --------------------------------------------------------------------------------------------------

editing_a_pack() {
    open 120x30 rules --pack mapping_packs/ocsf-1.7.0 --parquet run
    await '48 matched'
    press /
    type_in 'Bad Address'
    press Enter
    await 'unmapped_field  line 14'
    shot refused
    press a
    await 'answers.rdata'
    press Enter
    await 'of all rules'
    shot proposals
    press w
    await 'written to network.yaml'
    await '5 Matches  1 of 7'
    shot written
    press d
    await 'Since the baseline'
    shot changes
    press Escape u
    await 'network.yaml is as it was'
    await 'unmapped_field  line 14'
    shot undone
    diff -r "$here/mapping_packs" "$world/mapping_packs" >&2 || die "undo left the pack changed"
}

debugging_a_rule() {
    open 120x32 rules/windows --pack mapping_packs/ocsf-1.7.0 --parquet run
    await '47 matched'
    press /
    type_in 'office'
    press Enter 2
    await '5 Matches  0'
    press G k k k k k k k k k k k k k k j j j
    shot linked
    press w
    await 'Funnel'
    shot why
    press G k k k k
    shot nearest
    press Escape i End Left Left Left Left Left Left Left Left
    type_in 'win'
    press Enter
    await 'unsaved: matches'
    shot tried
    press C-s
    await 'written'
    await '5 Matches  1 of 27'
    press 5 Enter
    await '─ Event'
    shot event
    press Escape u
    await 'as it was'
}

triage_of_a_live_run() {
    mkdir "$world/live"
    arrive 0
    open 120x30 rules/windows --pack mapping_packs/ocsf-1.7.0 --parquet live
    await '4 matched'
    shot waiting
    arrive 1 half
    shot half_written
    arrive 1
    await '28 matched'
    shot arrived
    press /
    type_in 'new level:high'
    press Enter
    shot only_new
    press 5 m
    shot marked
    press c
    await '.test.yml'
    arrive 2
    await '»38 new'
    shot saved_case
    press Escape C
    await 'Coverage'
    shot coverage
}

# Puts a part, or its first half, where the screen looks.
arrive() {
    local part=parts/part-$1.parquet
    if [ "${2:-}" = half ]; then
        head -c "$(($(wc -c <"$world/$part") / 2))" "$world/$part" >"$world/live/part-$1.parquet"
        sleep 1
    else
        cp "$world/$part" "$world/live"
    fi
}

# --- the pictures -----------------------------------------------------------------------------------------------

# Draws a kept screen: its name, the terminal that it is for, and what it shows.
picture() {
    mkdir -p "$here/docs/images"
    python3 "$here/docs/screen_svg.py" 120 36 "$2" "$3" <"$work/$1.ansi" >"$work/$1.svg"
    mv "$work/$1.svg" "$here/docs/images/$1.svg"
}

pictures() {
    open 120x36 rules --pack mapping_packs/ocsf-1.7.0 --parquet run --theme dark
    await '48 matched'
    press /
    type_in 'Certutil'
    press Enter Escape 2
    await '5 Matches  1 of 27'
    press g j j j j j j j j j j j j j j j j j j
    shot screen
    press 1 /
    type_in 'office'
    press Enter 2
    await '5 Matches  0'
    press G k k k k k k k k k k k k k k j j j w
    await 'Funnel'
    press G k k k k
    shot funnel
    press Escape Escape /
    type_in 'Bad Address'
    press Enter 1
    await 'unmapped_field  line 14'
    press a
    await 'answers.rdata'
    press Enter
    await 'of all rules'
    shot alias
    rm -rf "$world/live"
    mkdir "$world/live"
    arrive 0
    open 120x36 rules/windows --pack mapping_packs/ocsf-1.7.0 --parquet live --theme light
    await '4 matched'
    arrive 1
    await '28 matched'
    arrive 2
    await '33 matched'
    press t t /
    type_in 'new'
    press Enter g j j j j j j j j
    await '5 Matches  »3 new'
    shot live
    picture screen dark 'Rules, source, route and aliases, SQL and matches of one rule, linked by the cursor'
    picture funnel dark 'Why a rule matches nothing: figures beside its source, the funnel, and the nearest misses'
    picture alias dark 'Proposals for a field without an alias: target, type, share of events, effect on all rules'
    picture live light 'A live run in the light theme: rules and rows with new matches, marked'
}

# Puts each capture into docs/tour.md, after the line that names it.
fill_in() {
    awk -v work="$work" '
        skipping && /^```$/ { skipping = 0; next }
        skipping { next }
        { print }
        /^<!-- screen: [a-z_]+ -->$/ {
            print "```text"
            while ((getline line < (work "/" $3 ".txt")) > 0) print line
            print "```"
            skipping = 1
        }
    ' "$here/docs/tour.md" >"$work/tour.md"
    mv "$work/tour.md" "$here/docs/tour.md"
}

preparing=
if [ "${1:-}" = --prepare ]; then preparing=${2:?which folder?} && shift 2; fi
binary=$(realpath "${1:-$here/target/release/sigma-ocsf-tui}")
[ -x "$binary" ] || die "no program at $binary; ./x build makes it"
if [ -n "$preparing" ]; then
    prepare "$preparing"
    exit
fi
work=$(mktemp -d)
world=$work/world
socket=tour-$$
# shellcheck disable=SC2064 # the names are known now
trap "tmux -L '$socket' kill-server 2>/dev/null || true; sleep 1; rm -rf '$work'" EXIT
prepare "$world"
if [ -n "${ONLY:-}" ]; then "$ONLY"; cp "$work"/*.txt "$work"/*.ansi /tmp/tourx/; exit; fi
editing_a_pack
debugging_a_rule
triage_of_a_live_run
pictures
fill_in
