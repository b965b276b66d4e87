#!/usr/bin/env python3
"""`stream` over the events of the run, beside rsigma's over the same: stream_run.py [--share N] [--repeat N] [--json]

Both tools on one core (`taskset -c 0`), each on JSON Lines in the form that it reads: OCSF with dotted keys, and the events as
they were before normalisation. CPU time is user and system, loading aside; on a machine that does other work it is the one
to compare. The detections of the stream are held to those of `run` over the same events, correlations aside where only a
share of the events is taken. Needs target/release/sigma-ocsf-tui (`./x build`), DuckDB's Python package, zstd, and rsigma
(`cargo install rsigma --version 0.23.0 --locked --root DIR`).
"""

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import duckdb
from corpus_run import ENABLED, ROOT, measured, net


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    corpus = os.environ.get("SIGMA_OCSF_CORPUS", "../shared/corpus")
    parser.add_argument("--corpus", type=Path, default=Path(corpus), help="rules/, runs/mordor, bench/")
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/sigma-ocsf-tui")
    parser.add_argument("--rsigma", default=shutil.which("rsigma"), help="the program; left out where there is none")
    parser.add_argument("--events", type=Path, help="mordor_flat.jsonl, where it is unpacked already")
    parser.add_argument("--ocsf", type=Path, help="OCSF JSON Lines to keep, or that an earlier run has kept")
    parser.add_argument("--share", type=int, default=1, help="every so manieth event")
    parser.add_argument("--repeat", type=int, default=3, help="the quickest of so many is taken")
    parser.add_argument("--no-check", action="store_true", help="do not compare with `run`")
    parser.add_argument("--json", action="store_true", help="one JSON document in place of the table")
    return parser.parse_args()


def write_ocsf(options: argparse.Namespace, target: Path) -> None:
    """The events by time, one object each, with dotted keys, without what is NULL."""
    connection = duckdb.connect(config={"threads": 1})
    found = connection.execute(
        f"""SELECT * FROM read_parquet('{options.corpus}/runs/mordor/**/*.parquet', union_by_name = true)
        WHERE hash("metadata.event_id") % {options.share} = 0 ORDER BY "time", "metadata.event_id" """
    )
    names = [column[0] for column in found.description]
    with target.open("w") as file:
        while rows := found.fetchmany(2000):
            for row in rows:
                event = {name: value for name, value in zip(names, row) if value is not None}
                file.write(json.dumps(event, ensure_ascii=False, default=str) + "\n")


def detections(path: Path, events: set[str]) -> set[tuple]:
    """Those of event rules, of these events."""
    found = (json.loads(line) for line in path.open())
    return {
        (one["rule_id"], one["rule_title"], one["event_ids"][0])
        for one in found
        if one["group"] is None and one["event_ids"][0] in events
    }


def compare(options: argparse.Namespace, scratch: Path, lines: Path, out: Path) -> str:
    """The stream's detections against those of `run`."""
    bundle = scratch / "bundle"
    rules = [str(options.corpus / "rules"), *ENABLED]
    run = [str(options.binary), "run", *rules, "--parquet", str(options.corpus / "runs/mordor"), "--out", str(bundle)]
    subprocess.run(run, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    events = {json.loads(line)["metadata.event_id"] for line in lines.open()}
    batch = bundle / "detections/detections.jsonl"
    (ours, theirs) = (detections(path, events) for path in (out, batch))
    if ours != theirs:
        raise SystemExit(f"the stream has {len(ours - theirs)} detections that `run` has not, and lacks {len(theirs - ours)}")
    of_windows = [sum('"group":null' not in line for line in path.open()) for path in (out, batch)]
    return f"{len(ours)} detections of event rules, as `run` has; windows: {of_windows[0]} and {of_windows[1]}"


def main() -> None:
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="stream-run-") as folder:
        scratch = Path(folder)
        lines = options.ocsf or scratch / "ocsf.jsonl"
        if not lines.exists():
            write_ocsf(options, lines)
        count = sum(1 for _ in lines.open("rb"))
        (empty, out) = (scratch / "empty.jsonl", scratch / "out.jsonl")
        empty.touch()
        command = [str(options.binary), "stream", str(options.corpus / "rules"), *ENABLED, "--no-reload", "--out", str(out)]
        clear = lambda: out.unlink(missing_ok=True)
        loading = measured([*command, "--events", str(empty)], options.repeat, clear)
        ours = net(measured([*command, "--events", str(lines)], options.repeat, clear), loading)
        rows = {"stream, loading": (loading, None), "stream": (ours, count)}
        if options.rsigma:
            rows |= theirs(options, scratch)
        said = None if options.no_check else compare(options, scratch, lines, out)
    if options.json:
        print(json.dumps({name: {**row, "events": events} for name, (row, events) in rows.items()}, indent=2))
        return
    print("| what | CPU s | wall s | peak MiB | events a CPU second |\n|---|---:|---:|---:|---:|")
    for name, (row, events) in rows.items():
        rate = f"{events / row['cpu']:,.0f}" if events else ""
        print(f"| {name} | {row['cpu']:.2f} | {row['wall']:.2f} | {row['mib']:.0f} | {rate} |")
    if said:
        print(said)


def theirs(options: argparse.Namespace, scratch: Path) -> dict[str, tuple]:
    events = options.events
    if events is None:
        events = scratch / "mordor_flat.jsonl"
        packed = options.corpus / "bench/mordor_flat.jsonl.zst"
        subprocess.run(["zstd", "-dq", str(packed), "-o", str(events)], check=True)
    count = sum(1 for _ in events.open("rb"))
    command = [options.rsigma, "engine", "eval", "-r", str(options.corpus / "rules"), "-q"]
    loading = measured([*command, "-e", "{}"], options.repeat)
    each = net(measured([*command, "-e", f"@{events}"], options.repeat), loading)
    routed = net(measured([*command, "-e", f"@{events}", "--logsource-routing"], options.repeat), loading)
    return {"rsigma, loading": (loading, None), "rsigma": (each, count), "rsigma, routed": (routed, count)}


if __name__ == "__main__":
    main()
