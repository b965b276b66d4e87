#!/usr/bin/env python3
"""The whole corpus over the run, every rule's matches, beside rsigma's: corpus_run.py [--tenfold RUN] [--repeat N] [--json]

Both tools on one core (`taskset -c 0`), on the form of the events that each reads best, net of rule loading. CPU time
is user and system; on a machine that does other work it is the one to compare. Needs target/release/sigma-ocsf-tui
(`./x build`), zstd, and rsigma (`cargo install rsigma --version 0.23.0 --locked --root DIR`).
"""

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENABLED = ["--enable", "all", "--raw-fallback"]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    corpus = os.environ.get("SIGMA_OCSF_CORPUS", "../shared/corpus")
    parser.add_argument("--corpus", type=Path, default=Path(corpus), help="rules/, runs/mordor, bench/")
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/sigma-ocsf-tui")
    parser.add_argument("--rsigma", default=shutil.which("rsigma"), help="the program; left out where there is none")
    parser.add_argument("--events", type=Path, help="mordor_flat.jsonl, where it is unpacked already")
    parser.add_argument("--tenfold", type=Path, help="what benches/tenfold.py made of runs/mordor")
    parser.add_argument("--repeat", type=int, default=3, help="the quickest of so many is taken")
    parser.add_argument("--json", action="store_true", help="one JSON document in place of the table")
    return parser.parse_args()


def measured(command: list[str], repeat: int, before=lambda: None) -> dict:
    """Wall and CPU seconds of the quickest by CPU, and its peak memory in MiB."""
    found = []
    for _ in range(repeat):
        before()
        started = time.perf_counter()
        process = subprocess.Popen(
            ["taskset", "-c", "0", *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"{command}: {said.decode(errors='replace')}")
        cpu = usage.ru_utime + usage.ru_stime
        found.append({"wall": wall, "cpu": cpu, "mib": usage.ru_maxrss / 1024})
    return min(found, key=lambda one: one["cpu"])


def net(whole: dict, loading: dict) -> dict:
    return {**whole, "wall": whole["wall"] - loading["wall"], "cpu": whole["cpu"] - loading["cpu"]}


def ours(options: argparse.Namespace, scratch: Path) -> dict[str, dict]:
    rules = [str(options.corpus / "rules"), *ENABLED]
    binary = str(options.binary)
    loading = measured([binary, "check", *rules], options.repeat)
    out = scratch / "bundle"
    clear = lambda: shutil.rmtree(out, ignore_errors=True)

    def over(run: Path) -> dict[str, dict]:
        check = [binary, "check", *rules, "--parquet", str(run)]
        write = [binary, "run", *rules, "--parquet", str(run), "--out", str(out)]
        return {
            "check": net(measured(check, options.repeat), loading),
            "run": net(measured(write, options.repeat, clear), loading),
        }

    rows = {f"{name}, the run": row for name, row in over(options.corpus / "runs/mordor").items()}
    if options.tenfold:
        rows |= {f"{name}, tenfold": row for name, row in over(options.tenfold).items()}
    return {"rule loading": loading, **rows}


def theirs(options: argparse.Namespace, scratch: Path) -> dict[str, dict]:
    events = options.events
    if events is None:
        events = scratch / "mordor_flat.jsonl"
        packed = options.corpus / "bench/mordor_flat.jsonl.zst"
        subprocess.run(["zstd", "-dq", str(packed), "-o", str(events)], check=True)
    command = [options.rsigma, "engine", "eval", "-r", str(options.corpus / "rules"), "-q"]
    loading = measured([*command, "-e", "{}"], options.repeat)
    routed = measured([*command, "-e", f"@{events}", "--logsource-routing"], options.repeat)
    return {"rsigma, rule loading": loading, "rsigma, routed": net(routed, loading)}


def table(rows: dict[str, dict]) -> str:
    reference = rows.get("rsigma, routed")
    lines = ["| what | CPU s | wall s | peak MiB | rsigma / this, CPU |", "|---|---:|---:|---:|---:|"]
    for name, row in rows.items():
        compared = reference is not None and name.endswith(", the run")
        ratio = f"{reference['cpu'] / row['cpu']:.1f}" if compared else ""
        lines.append(f"| {name} | {row['cpu']:.2f} | {row['wall']:.2f} | {row['mib']:.0f} | {ratio} |")
    return "\n".join(lines)


def main() -> None:
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="corpus-run-") as folder:
        rows = ours(options, Path(folder))
        if options.rsigma:
            rows |= theirs(options, Path(folder))
    print(json.dumps(rows, indent=2) if options.json else table(rows))


if __name__ == "__main__":
    main()
