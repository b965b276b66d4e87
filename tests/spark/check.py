"""Exported jobs against a real Spark: `./x spark` runs this in a virtual environment.

usage: check.py SIGMA-OCSF-TUI SPARK-VECTORS [CORPUS [mordor]]

Golden equivalence of all backends, `stream` among them, detection by detection, on the fixtures in both layouts and on the corpus, and the
verdict of every conformance vector. With `mordor`, the equivalence on that run alone, of every rule, which takes a while.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL, VECTORS = sys.argv[1:3]
CORPUS = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else None
MORDOR = sys.argv[4:] == ["mordor"]
FAILURES = []
CHECKS = 0
SPARK_REASONS = ("spark_regex", "spark_expression", "spark_correlation")


def check(holds, message):
    global CHECKS
    CHECKS += 1
    if not holds:
        FAILURES.append(message)
        print(f"failed: {message}")


def ran(arguments, codes=(0,), **options):
    done = subprocess.run([*map(str, arguments)], cwd=ROOT, capture_output=True, text=True, **options)
    if done.returncode not in codes:
        sys.exit(f"{arguments}: {done.returncode}\n{done.stderr[-3000:]}")
    return done


def spark(job, events, out, codes=(0,), options=()):
    script = [sys.executable, job / "run.py", "--parquet", events, "--out", out, "--run-id", "check", *options]
    return ran(script, codes, env=dict(os.environ, PYSPARK_SUBMIT_ARGS=SUBMIT))


def lines(folder):
    """Detections by plan, without what names the backend."""
    found = []
    for line in (folder / "detections" / "detections.jsonl").read_text(encoding="utf-8").split("\n")[:-1]:
        detection = json.loads(line)
        bridge = detection["extensions"]["bridge"]
        for key in ("backend", "plan_sha256"):
            bridge.pop(key)
        check(line == json.dumps(json.loads(line), ensure_ascii=False, separators=(",", ":"), sort_keys=True),
              f"not canonical: {line[:200]}")
        found.append(detection)
    return found


def refused_by_spark(job):
    """The names of the plans that run elsewhere, and not in Spark."""
    names = set()
    for plan in (job / "plans").glob("*.plan.json"):
        document = json.loads(plan.read_text(encoding="utf-8"))
        if document["non_executable"] and document["non_executable"]["subcode"] in SPARK_REASONS:
            names.add(plan.name[: -len(".plan.json")])
    return names


# Events as they come: JSON Lines, by time.
AS_LINES = """
import sys
from pyspark.sql import SparkSession
events, out = sys.argv[1:]
spark = SparkSession.builder.getOrCreate()
files = {"recursiveFileLookup": True, "pathGlobFilter": "*.parquet", "mergeSchema": True}
read = spark.read.options(**files).parquet(events)
read.orderBy("time").coalesce(1).write.json(out)
"""


def streamed(rules, events, scene, options):
    """What `stream` detects in the same events, in the order of a bundle."""
    folder = scene / "as-lines"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    ran([sys.executable, "-c", AS_LINES, events, folder / "json"], env=dict(os.environ, PYSPARK_SUBMIT_ARGS=SUBMIT))
    (text,) = (folder / "json").glob("part-*.json")
    (folder / "detections").mkdir()
    out = folder / "detections/detections.jsonl"
    ran([TOOL, "stream", *rules, "--events", text, "--out", out, "--run-id", "check", *options])
    return by_plan(lines(folder))


def by_plan(detections):
    return sorted(detections, key=lambda line: (line["plan"], line["detection_id"]))


def equivalent(name, rules, events, scene, options=()):
    started = time.monotonic()
    job, out, bundle = scene / f"{name}-job", scene / f"{name}-out", scene / f"{name}-bundle"
    ran([TOOL, "export", *rules, "--backend", "spark_sql", "--out", job, *options])
    run = [TOOL, "run", *rules, "--parquet", events, "--run-id", "check", *options]
    ran([*run, "--out", bundle])
    interpreted = scene / f"{name}-interpreted"
    ran([*run, "--out", interpreted, "--backend", "interpreter"])
    check(lines(interpreted) == lines(bundle), f"{name}: the interpreter gives other detections than DuckDB")
    as_they_come = streamed(rules, events, scene, options)
    check(as_they_come == by_plan(lines(bundle)), f"{name}: the stream gives other detections than DuckDB")
    spark(job, events, out)
    refused = refused_by_spark(job)
    by_spark = lines(out)
    by_duckdb = [line for line in lines(bundle) if line["plan"] not in refused]
    check(json.loads((out / "errors.json").read_text()) == [], f"{name}: rules failed in Spark")
    check(by_duckdb, f"{name}: nothing matched, so nothing was compared")
    check(by_spark == by_duckdb, f"{name}: {len(by_spark)} detections by Spark, {len(by_duckdb)} by DuckDB")
    rules = len(json.loads((job / "job.json").read_text(encoding="utf-8"))["rules"])
    windows = sum(line["group"] is not None for line in by_spark)
    print(f"{name}: {rules} rules, {len(refused)} refused by Spark alone, {len(by_spark)} detections, {windows} windows, "
          f"{time.monotonic() - started:.0f} s")
    return job


def vectors(files, scene):
    folder = scene / "vectors"
    ran([VECTORS, folder, *files])
    spark(folder / "job", folder / "events", folder / "out", codes=(0, 1))
    matched = {line["plan"] for line in lines(folder / "out")}
    failed = {error["plan"]: error["message"] for error in json.loads((folder / "out/errors.json").read_text())}
    refused = 0
    listed = json.loads((folder / "vectors.json").read_text(encoding="utf-8"))
    for vector in listed:
        expected = vector["expect"] if isinstance(vector["expect"], str) else json.dumps(vector["expect"])
        verdict = vector["refusal"] or json.dumps(any(plan in matched for plan in vector["plans"]))
        verdict = next((f"error: {failed[plan]}" for plan in vector["plans"] if plan in failed), verdict)
        if "open repetition" in verdict or "fraction" in verdict:
            refused += 1
            continue
        check(verdict.split(": ")[0] == expected, f"{vector['id']}: expected {expected}, got {verdict}")
    print(f"vectors: {len(listed)}, {refused} of them refused by Spark alone")


def failing_rules(job, events, scene):
    """One rule that Spark refuses and one that fails on an event: both are named, and the others run."""
    broken = scene / "broken"
    shutil.copytree(job, broken)
    manifest = json.loads((broken / "job.json").read_text(encoding="utf-8"))
    rules = [rule for scan in manifest["scans"] for scope in scan["scopes"] for rule in scope["rules"]]
    refused, raising = manifest["rules"][rules[0]], manifest["rules"][rules[1]]
    refused["condition"] = "no_such_function()"
    raising["condition"] = "raise_error(CAST(`time` AS STRING)) IS NULL"
    (broken / "job.json").write_text(json.dumps(manifest), encoding="utf-8")
    spark(broken, events, scene / "broken-out", codes=(1,))
    errors = json.loads((scene / "broken-out/errors.json").read_text())
    kinds = {error["plan"]: error["kind"] for error in errors}
    check(kinds == {refused["name"]: "backend_compile_error", raising["name"]: "backend_eval_error"}, f"errors: {errors}")
    whole = [line for line in lines(scene / "fixtures-out") if line["plan"] not in kinds]
    check(lines(scene / "broken-out") == whole, "a failing rule has stopped others")


def bundle_of_run(scene):
    """`run --backend spark_sql` gives a bundle that holds, with the detections of DuckDB's."""
    out = scene / "run-bundle"
    ran([TOOL, "run", "fixtures/rules", "--parquet", "fixtures/run", "--out", out, "--run-id", "check",
         "--backend", "spark_sql", "--master", MASTER, "--enable", "correlation"],
        env=dict(os.environ, PATH=f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"))
    check(lines(out) == lines(scene / "fixtures-bundle"), "run --backend spark_sql gives other detections")
    ran([TOOL, "verify", out])


def other_java(job, events, scene):
    """A Spark that folds letters in another way is refused."""
    other = scene / "other"
    shutil.copytree(job, other)
    letters = json.loads((other / "letters.json").read_text(encoding="utf-8"))
    letters["lower"] = "lower(letter)"
    (other / "letters.json").write_text(json.dumps(letters), encoding="utf-8")
    said = spark(other, events, scene / "other-out", codes=(2,)).stderr
    check("another lower or upper case" in said and "U+0130" in said, f"letters: {said[-500:]}")


MASTER = "local[2]"
SUBMIT = f"--master {MASTER} --driver-memory 4g --driver-java-options -Xss16m --conf spark.ui.enabled=false pyspark-shell"


def small(scene):
    rules, correlations = ["fixtures/rules"], ["--enable", "correlation"]
    job = equivalent("fixtures", rules, "fixtures/run", scene, correlations)
    equivalent("nested", rules, "fixtures/run-nested", scene, correlations)
    files = ["tests/spark/vectors.jsonl"]
    if CORPUS:
        files.append(CORPUS / "conformance/vectors.jsonl")
        equivalent("regression", [CORPUS / "rules"], CORPUS / "runs/regression", scene, ["--enable", "all"])
    vectors(files, scene)
    failing_rules(job, "fixtures/run", scene)
    other_java(job, "fixtures/run", scene)
    bundle_of_run(scene)


def mordor(scene):
    # The corpus has no correlations; those beside this file are over its rules.
    rules = [CORPUS / "rules", "tests/spark/mordor"]
    equivalent("mordor", rules, CORPUS / "runs/mordor", scene, ["--enable", "all", "--raw-fallback"])


with tempfile.TemporaryDirectory() as folder:
    (mordor if MORDOR else small)(pathlib.Path(folder))

print(f"{CHECKS} checks, {len(FAILURES)} failed")
sys.exit(1 if FAILURES else 0)
