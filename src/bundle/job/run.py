#!/usr/bin/env python3
"""Runs the Sigma rules of this folder over OCSF events, on Spark.

    spark-submit run.py --parquet DIR --out OUT

Each class of events is read once for all rules that look at it; each correlation reads those of its rules. OUT gets detections/detections.jsonl, errors.json
(rules that could not run, and why) and run.json. One failing rule stops no other.

Exit codes: 0 done, 1 some rules could not run, 2 usage or this Spark, 3 the events.
"""

import argparse
import hashlib
import heapq
import json
import os
import re
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

# The statements mean what they say under these and no others.
SETTINGS = {
    "spark.sql.ansi.enabled": "false",
    "spark.sql.caseSensitive": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.variable.substitute": "false",
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
    # Hundreds of tests in one stage are more code than one method may have: a projection splits it, a stage does not.
    "spark.sql.codegen.wholeStage": "false",
    # Plans of a thousand rules are megabytes as text, which Spark would keep for its screen.
    "spark.sql.maxPlanStringLength": "8192",
    # Spark 4 folds letters by ICU, unless told to leave them to Java.
    "spark.sql.icu.caseMappings.enabled": "false",
}

HOST_LIMIT = 4096
SAFE_INTEGER = (1 << 53) - 1


class Failure(Exception):
    """What ends the run: an exit code, and why."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def main():
    arguments = options()
    job = read_json(os.path.join(HERE, "job.json"))
    try:
        code = run(arguments, job)
    except Failure as failure:
        say(str(failure))
        code = failure.code
    sys.exit(code)


def options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    events = parser.add_mutually_exclusive_group(required=True)
    events.add_argument("--parquet", metavar="DIR", help="a run folder, a folder or file of Parquet, or a URI of one")
    events.add_argument("--table", metavar="NAME", help="a table that this Spark knows, such as one of Iceberg")
    parser.add_argument("--out", required=True, metavar="OUT", help="a folder that is not there yet")
    parser.add_argument("--run-id", help="what detections call the run [default: the name of OUT]")
    parser.add_argument("--run-time", metavar="RFC3339", help="when the run is said to be")
    parser.add_argument("--where", metavar="SQL", help="a further test of the stored columns, such as a partition's day")
    parser.add_argument("--work", metavar="URI", help="where executors put matches [default: within OUT]")
    parser.add_argument("--rules-per-pass", type=int, default=1000, metavar="N", help="rules that share a reading")
    parser.add_argument("--any-version", action="store_true", help="run on another Spark than the plans are made for")
    return parser.parse_args()


def run(arguments, job):
    out = os.path.abspath(arguments.out)
    if os.path.lexists(out):
        raise Failure(2, "%s exists; choose another folder" % out)
    spark = session(job, arguments.any_version)
    check_letters(spark)
    events = Events(spark, arguments)
    events.check_version(job["ocsf_version"])
    partial = "%s.partial-%d" % (out, os.getpid())
    os.makedirs(os.path.join(partial, "detections"))
    try:
        work = arguments.work or "file://" + os.path.join(partial, "matches")
        runner = Runner(spark, events, job, work, arguments.rules_per_pass)
        runner.run()
        run_id = arguments.run_id or os.path.basename(out)
        lines = runner.write(os.path.join(partial, "detections", "detections.jsonl"), run_id, arguments.run_time)
        write_json(os.path.join(partial, "errors.json"), runner.errors_by_plan())
        write_json(os.path.join(partial, "run.json"), {
            "backend": job["backend"],
            "detections": lines,
            "failed": len(runner.errors),
            "rules": len(job["rules"]),
            "run_id": run_id,
            "spark_version": spark.version,
        })
        if not arguments.work:
            shutil.rmtree(os.path.join(partial, "matches"), ignore_errors=True)
        os.rename(partial, out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    say("%d rules, %d failed, %d detections" % (len(job["rules"]), len(runner.errors), lines))
    return 1 if runner.errors else 0


# --- this Spark -------------------------------------------------------------------------------------------------


def session(job, any_version):
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("sigma-ocsf-tui")
    for key, value in SETTINGS.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    for key, value in SETTINGS.items():
        if spark.conf.get(key) != value:
            raise Failure(2, "this Spark does not let %s be %s" % (key, value))
    supported = job["backend"]["version"]
    if not any_version and not (spark.version + ".").startswith(supported + "."):
        raise Failure(2, "this is Spark %s, and the plans are made for %s (--any-version runs them all the same)"
                      % (spark.version, supported))
    return spark


def check_letters(spark):
    """Whether letters have the lower and upper case that the plans count on, asked of all blocks that have any."""
    letters = read_json(os.path.join(HERE, "letters.json"))
    number = "CASE WHEN id < 65536 THEN lpad(hex(id), 4, '0') ELSE concat(hex(55296 + ((id - 65536) div 1024)), " \
             "hex(56320 + ((id - 65536) % 1024))) END"
    found = (
        spark.range(0, 0x20000, 1, spark.sparkContext.defaultParallelism)
        # Neither ideographs nor Hangul have a case, nor surrogates, nor what is for private use.
        .where("id < 11904 OR id BETWEEN 42560 AND 44031 OR id > 63743")
        .selectExpr("id", "decode(unhex(%s), 'UTF-16BE') AS letter" % number)
        .selectExpr("id", "letter", "%s AS low" % letters["lower"], "%s AS up" % letters["upper"])
        .where("low <> letter OR up <> letter")
        .collect()
    )
    found = {str(row["id"]): [row["low"], row["up"]] for row in found}
    expected = letters["expected"]
    wrong = [number for number in sorted(set(found) | set(expected), key=int)
             if found.get(number) != expected.get(number)]
    if wrong:
        named = ", ".join("U+%04X" % int(number) for number in wrong[:5])
        raise Failure(2, "the Java of this Spark has another lower or upper case for %d letters, such as %s: "
                      "rules would match other events" % (len(wrong), named))


# --- the events -------------------------------------------------------------------------------------------------


class Leaf:
    """A value of the stored columns: its path, the SQL that yields it, its type (None: comparable with nothing)."""

    def __init__(self, path, sql, kind, is_list, stored_as):
        self.path, self.sql, self.kind, self.is_list, self.stored_as = path, sql, kind, is_list, stored_as

    def satisfies(self, wanted):
        """Whether a plan that counts on `wanted` sees the right thing."""
        pair = (self.kind, wanted["type"])
        numeric = pair in (("integer", "float"), ("integer", "timestamp"), ("timestamp", "integer"))
        return self.is_list == wanted["list"] and (self.kind == wanted["type"] or numeric)


class Events:
    """The stored events, and the dotted view over them, whether they are stored nested or flat."""

    def __init__(self, spark, arguments):
        try:
            self.frame, self.root = (spark.table(arguments.table), None) if arguments.table \
                else read_parquet(spark, arguments.parquet)
            if arguments.where:
                self.frame = self.frame.where(arguments.where)
        except Failure:
            raise
        except Exception as error:
            raise Failure(3, "the events cannot be read: %s" % first_line(error))
        self.leaves = leaves(self.frame.schema)
        self.event_id = self.event_id_sql()
        for name, kinds in (("class_uid", ("integer",)), ("time", ("integer", "timestamp"))):
            leaf = self.leaves.get(name)
            if leaf is None or leaf.is_list or leaf.kind not in kinds:
                raise Failure(3, "the events have no usable `%s`" % name)

    def event_id_sql(self):
        """`metadata.event_id`, else `metadata.uid`, else file and row."""
        parts = []
        for name in ("metadata.event_id", "metadata.uid"):
            leaf = self.leaves.get(name)
            if leaf is None or leaf.is_list or leaf.kind is None:
                continue
            if leaf.kind == "float":
                raise Failure(3, "`%s` is a fraction, which Spark writes in its own way" % name)
            parts.append("CAST(%s AS STRING)" % leaf.sql)
        if self.root is not None:
            path = "url_decode(replace(_metadata.file_path, '+', '%2B'))"
            parts.append("concat(substring(%s, %d), ':', CAST(_metadata.row_index + 1 AS STRING))"
                         % (path, len(self.root) + 1))
        if not parts:
            raise Failure(3, "the events of a table need metadata.event_id or metadata.uid")
        return "coalesce(%s)" % ", ".join(parts)

    def check_version(self, expected):
        leaf = self.leaves.get("metadata.version")
        if leaf is None:
            return
        rows = self.frame.selectExpr("CAST(%s AS STRING) AS version" % leaf.sql).distinct().collect()
        others = sorted(row["version"] for row in rows if row["version"] not in (None, expected))
        if others:
            raise Failure(3, "events state OCSF version %s, and the mapping pack is for %s"
                          % (", ".join(map(repr, others[:5])), expected))

    def mistyped(self, columns):
        """What is wrong with the columns that a rule counts on."""
        for path, wanted in columns.items():
            leaf = self.leaves.get(path.lower())
            if leaf is not None and path != "metadata.event_id" and not leaf.satisfies(wanted):
                return "the events have '%s' as %s, but the rule counts on %s%s" % (
                    path, leaf.stored_as, "a list of " if wanted["list"] else "", wanted["type"])
        return None

    def view(self, columns):
        """The dotted view with the columns that are asked for; those that no event has are NULL."""
        selected = ["%s AS `metadata.event_id`" % self.event_id]
        wanted = dict(columns)
        for path in ("class_uid", "time"):
            wanted.setdefault(path, {"type": "integer", "list": False})
        wanted.pop("metadata.event_id", None)
        for path in sorted(wanted):
            leaf = self.leaves.get(path.lower())
            sql = leaf.sql if leaf else "CAST(NULL AS %s)" % sql_type(wanted[path])
            selected.append("%s AS %s" % (sql, identifier(path)))
        names = [self.leaves.get(name) for name in ("device.hostname", "device.name")]
        names = [leaf.sql for leaf in names if leaf and leaf.kind == "string" and not leaf.is_list]
        selected.append("%s AS `host of event`" % ("coalesce(%s)" % ", ".join(names) if names else "CAST(NULL AS STRING)"))
        return self.frame.selectExpr(*selected)


def read_parquet(spark, place):
    """The events, and the folder that all files share, as Spark names files."""
    reader = spark.read.option("mergeSchema", "true")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", place):
        root = place.rstrip("/") + "/"
        return reader.parquet(place), root
    files, base = event_files(os.path.abspath(place))
    keys = [partition_keys(file, base) for file in files]
    if keys[0] and all(key == keys[0] for key in keys):
        reader = reader.option("basePath", "file://" + base)
    frame = reader.parquet(*["file://" + re.sub(r"([\\*?\[\]{}])", r"\\\1", file) for file in files])
    return frame, "file://" + shared_folder(files)


def event_files(root):
    if os.path.isfile(root):
        return [root], os.path.dirname(root)
    base = os.path.join(root, "normalized")
    base = base if os.path.isdir(base) else root
    for folder in (os.path.join(base, "ocsf_events"), base):
        found = []
        for below, folders, names in os.walk(folder):
            folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
            found += [os.path.join(below, name) for name in names
                      if name.lower().endswith(".parquet") and not name.startswith((".", "_"))]
        if found:
            return sorted(found, key=os.fsencode), folder
    raise Failure(3, "%s has no Parquet" % root)


def partition_keys(file, base):
    folders = os.path.relpath(os.path.dirname(file), base).split(os.sep)
    return [folder.split("=")[0] for folder in folders if "=" in folder]


def shared_folder(files):
    folders = [os.path.dirname(file) for file in files]
    return os.path.join(os.path.commonpath(folders), "")


def leaves(schema):
    """Every leaf of the stored columns by its path in lower case: names that differ in case only are one."""
    found = {}
    for field in schema.fields:
        flatten(field.name, identifier(field.name), False, field.dataType, found)
    return {name: merged(group) for name, group in found.items()}


def flatten(path, sql, is_list, kind, found):
    from pyspark.sql import types

    if isinstance(kind, types.StructType):
        for field in kind.fields:
            flatten("%s.%s" % (path, field.name), "%s.%s" % (sql, identifier(field.name)), is_list, field.dataType, found)
    elif isinstance(kind, types.ArrayType):
        # One missing list would make NULL of all of them.
        inner = "flatten(filter(%s, e -> e IS NOT NULL))" % sql if is_list else sql
        flatten(path, inner, True, kind.elementType, found)
    elif not isinstance(kind, types.NullType):
        name, reading = comparable(kind)
        if reading:
            sql = "transform(%s, e -> %s)" % (sql, reading % "e") if is_list else reading % sql
        stored = kind.simpleString() + ("[]" if is_list else "")
        found.setdefault(path.lower(), []).append(Leaf(path, sql, name, is_list, stored))


def comparable(kind):
    """What a stored type is to comparisons, and how it is read where not as it is."""
    from pyspark.sql import types

    if isinstance(kind, types.StringType):
        return "string", None
    if isinstance(kind, types.BooleanType):
        return "boolean", None
    if isinstance(kind, (types.ByteType, types.ShortType, types.IntegerType, types.LongType)):
        return "integer", None
    if isinstance(kind, types.DoubleType):
        return "float", None
    if isinstance(kind, types.DecimalType) and kind.scale == 0:
        return "integer", None
    if isinstance(kind, (types.FloatType, types.DecimalType)):
        return "float", "CAST(%s AS DOUBLE)"
    if isinstance(kind, (types.TimestampType, types.TimestampNTZType, types.DateType)):
        return "timestamp", "unix_millis(CAST(%s AS TIMESTAMP))"
    return None, None


def merged(group):
    """One path stored in several ways: the first that is filled, where they are of one type."""
    group = sorted(group, key=lambda leaf: leaf.path.encode(), reverse=True)
    first = group[0]
    for other in group[1:]:
        if first.kind is not None and (first.is_list, first.kind) == (other.is_list, other.kind):
            first.sql = "coalesce(%s, %s)" % (first.sql, other.sql)
        else:
            first.kind = None
            first.stored_as = "%s and %s" % (first.stored_as, other.stored_as)
    return first


def sql_type(wanted):
    name = {"string": "STRING", "float": "DOUBLE", "boolean": "BOOLEAN"}.get(wanted["type"], "BIGINT")
    return "ARRAY<%s>" % name if wanted["list"] else name


def identifier(name):
    return "`%s`" % name.replace("`", "``")


# --- the rules --------------------------------------------------------------------------------------------------


class Runner:
    """Runs all rules, and keeps where their matches lie."""

    def __init__(self, spark, events, job, work, rules_per_pass):
        self.spark, self.events, self.job, self.work = spark, events, job, work
        self.rules_per_pass = max(1, rules_per_pass)
        self.errors = {}
        self.matches = []
        self.windows = {}
        self.attempts = 0

    def run(self):
        passes = [part for scan in self.job["scans"] for part in self.parts(scan)]
        done = 0
        for place, (classes, scopes) in enumerate(passes):
            rules = sum(len(scope["rules"]) for scope in scopes)
            runnable = self.sound(scopes)
            if runnable:
                self.attempt(classes, runnable)
            done += rules
            say("pass %d of %d, %d of %d rules, %d failed"
                % (place + 1, len(passes), done, len(self.job["rules"]), len(self.errors)))
        correlations = [index for index, rule in enumerate(self.job["rules"]) if "statement" in rule]
        for place, index in enumerate(correlations):
            self.correlate(index)
            say("correlation %d of %d, %d failed" % (place + 1, len(correlations), len(self.errors)))

    def correlate(self, index):
        """Finds the windows of a correlation, by a statement of its own."""
        rule = self.job["rules"][index]
        wrong = self.events.mistyped(rule["columns"])
        if wrong:
            self.fail(index, "column_type", wrong)
            return
        target = "%s/windows-%d" % (self.work, index)
        try:
            self.view_of([rule]).createOrReplaceTempView("ocsf_events")
            self.spark.sql(rule["statement"]).write.parquet(target)
            self.windows[index] = target
        except Exception as error:
            check_alive(error)
            self.fail(index, kind_of(error), first_line(error))

    def parts(self, scan):
        """A scan as passes of so many rules: the more rules, the more code Spark has to make for it."""
        part, size = [], 0
        for scope in scan["scopes"]:
            for start in range(0, len(scope["rules"]), self.rules_per_pass):
                rules = scope["rules"][start:start + self.rules_per_pass]
                if part and size + len(rules) > self.rules_per_pass:
                    yield scan["classes"], part
                    part, size = [], 0
                part.append({"where": scope["where"], "rules": rules})
                size += len(rules)
        if part:
            yield scan["classes"], part

    def sound(self, scopes):
        """The scopes without rules that count on other columns, or that Spark refuses."""
        kept = []
        for scope in scopes:
            rules = []
            for rule in scope["rules"]:
                wrong = self.events.mistyped(self.job["rules"][rule]["columns"])
                if wrong:
                    self.fail(rule, "column_type", wrong)
                else:
                    rules.append(rule)
            if rules:
                kept.append({"where": scope["where"], "rules": rules})
        return kept

    def attempt(self, classes, scopes):
        """Runs rules in one reading; where that fails, each half by itself, down to the rule that is at fault."""
        self.attempts += 1
        target = "%s/%d" % (self.work, self.attempts)
        try:
            self.reading(classes, scopes).write.parquet(target)
            self.matches.append(target)
            return
        except Exception as error:
            check_alive(error)
            rules = [rule for scope in scopes for rule in scope["rules"]]
            if len(rules) == 1:
                self.fail(rules[0], kind_of(error), first_line(error))
                return
            if not self.readable(classes, scopes):
                for rule in rules:
                    self.fail(rule, "backend_eval_error", first_line(error))
                return
        for half in halves(scopes):
            self.attempt(classes, half)

    def readable(self, classes, scopes):
        """Whether the events can be read without any rule; where not, no rule is at fault."""
        try:
            self.columns(classes, scopes).write.format("noop").mode("overwrite").save()
            return True
        except Exception as error:
            return kind_of(error) == "backend_compile_error"

    def columns(self, classes, scopes):
        rules = [self.job["rules"][rule] for scope in scopes for rule in scope["rules"]]
        return self.view_of(rules, "`class_uid` IN (%s)" % ", ".join(map(str, classes)))

    def view_of(self, rules, where="true"):
        """The dotted view with all that rules read, stored or derived."""
        columns, derived = {}, {}
        for rule in rules:
            columns.update(rule["columns"])
            for name in rule["derived"]:
                derived[name] = self.job["derived"][name]
        view = self.events.view(columns).where(where)
        made = ["%s AS %s" % (sql, identifier(name)) for name, sql in sorted(derived.items())]
        return view.selectExpr("*", *made)

    def reading(self, classes, scopes):
        hits = []
        for scope in scopes:
            tests = ["CASE WHEN %s THEN '%d' END" % (self.job["rules"][rule]["condition"], rule)
                     for rule in scope["rules"]]
            hits.append("CASE WHEN %s THEN concat_ws(' ', %s) END" % (scope["where"], ",\n".join(tests)))
        events = self.columns(classes, scopes)
        found = events.selectExpr("`metadata.event_id` AS id", "time", "`host of event` AS host",
                                  "concat_ws(' ', %s) AS hits" % ",\n".join(hits))
        # The text of hits is looked at behind `explode`: a test before it would be evaluated with all rules again.
        each = found.selectExpr("id", "CAST(time AS BIGINT) AS time", "host", "explode(split(hits, ' +')) AS rule")
        return each.where("rule <> ''").selectExpr("CAST(rule AS INT) AS rule", "time", "id", "host")

    def fail(self, rule, kind, message):
        self.errors[rule] = {"kind": kind, "message": message}
        say("%s: %s" % (self.job["rules"][rule]["name"], message))

    def errors_by_plan(self):
        rules = self.job["rules"]
        return [dict(self.errors[rule], plan=rules[rule]["name"], title=rules[rule]["title"])
                for rule in sorted(self.errors)]

    def write(self, path, run_id, run_time):
        """The detections of all rules: by plan, then time (none last), then event id. Gives how many there are."""
        count = 0
        with open(path, "w", encoding="utf-8", newline="\n") as out:
            for index, seen in heapq.merge(self.matched(), self.fired(), key=lambda found: found[0]):
                out.write(detection(self.job["rules"][index], seen, run_id, run_time))
                out.write("\n")
                count += 1
        return count

    def matched(self):
        """What event rules matched, by rule, time (none last) and id."""
        if not self.matches:
            return
        earliest = "first(host) OVER (PARTITION BY rule, id ORDER BY time NULLS LAST, host NULLS LAST) AS host"
        found = self.spark.read.parquet(*self.matches).selectExpr("rule", "time", "id", earliest)
        for row in found.orderBy("rule", found["time"].asc_nulls_last(), "id").toLocalIterator():
            yield row["rule"], Seen([row["id"]], row["time"], row["time"], row["host"], None)

    def fired(self):
        """Windows of correlations, by rule, first and last event, and ids."""
        for index in sorted(self.windows):
            named = self.job["rules"][index]["group_by"]
            keys = ["key_%d" % (place + 1) for place in range(len(named))]
            found = self.spark.read.parquet(self.windows[index])
            for row in found.orderBy("first_seen", "last_seen", "event_ids", *keys).toLocalIterator():
                group = dict(zip(named, (row[key] for key in keys)))
                yield index, Seen(row["event_ids"], row["first_seen"], row["last_seen"], row["host"], group)


def halves(scopes):
    rules = [(scope["where"], rule) for scope in scopes for rule in scope["rules"]]
    middle = len(rules) // 2
    for part in (rules[:middle], rules[middle:]):
        again = []
        for where, rule in part:
            if not again or again[-1]["where"] != where:
                again.append({"where": where, "rules": []})
            again[-1]["rules"].append(rule)
        yield again


def check_alive(error):
    """Ends the run where it was no rule that failed, but Spark."""
    if isinstance(error, (ConnectionError, EOFError)):
        raise Failure(2, "Spark has gone, out of memory as a rule: give its driver more (--driver-memory 4g), or "
                      "fewer --rules-per-pass (%s)" % first_line(error))
    if type(error).__name__ == "Py4JNetworkError":
        raise Failure(2, "Spark has gone: %s" % first_line(error))


def kind_of(error):
    refused = type(error).__name__ in ("AnalysisException", "ParseException")
    return "backend_compile_error" if refused else "backend_eval_error"


# --- detections -------------------------------------------------------------------------------------------------


class Seen:
    """An event that matched, or a window."""

    def __init__(self, ids, first, last, host, group):
        self.ids, self.first, self.last, self.host, self.group = ids, first, last, host, group


def detection(rule, seen, run_id, run_time):
    """A line in the form of detection.schema.json: canonical JSON (RFC 8785)."""
    line = json.loads(json.dumps(rule["detection"]))
    line["run_id"] = run_id
    if run_time:
        line["extensions"]["bridge"]["compiled_at_utc"] = run_time
    key = canonical([line["plan"], seen.ids, seen.group, exact(seen.first), exact(seen.last)])
    line["detection_id"] = hashlib.sha256(key.encode()).hexdigest()
    line["first_seen_utc"] = None if seen.first is None else utc(seen.first)
    line["last_seen_utc"] = None if seen.last is None else utc(seen.last)
    line["event_ids"] = seen.ids
    line["host"] = None if seen.host is None else shortened(seen.host)
    line["group"] = seen.group
    return canonical(line)


def canonical(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def exact(number):
    """Whole numbers beyond 53 bits are text in canonical JSON."""
    return str(number) if number is not None and abs(number) > SAFE_INTEGER else number


def utc(milliseconds):
    """RFC 3339 within the years that a timestamp has; the number itself beyond."""
    seconds, rest = divmod(milliseconds, 1000)
    if not -377705023201 <= seconds <= 253402207200:
        return str(milliseconds)
    days, second = divmod(seconds, 86400)
    # Years are counted from March, so that the leap day is last.
    era, day = divmod(days + 719468, 146097)
    year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5 - 1
    year, month = (year + era * 400, month + 3) if month < 10 else (year + era * 400 + 1, month - 9)
    named = "%04d" % year if year >= 0 else "-%06d" % -year
    return "%s-%02d-%02dT%02d:%02d:%02d.%03dZ" % (
        named, month, day, second // 3600, second // 60 % 60, second % 60, rest)


def shortened(text):
    data = text.encode()
    if len(data) <= HOST_LIMIT:
        return text
    return data[:HOST_LIMIT - 3].decode(errors="ignore") + "\u2026"


# --- files and words --------------------------------------------------------------------------------------------


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def write_json(path, value):
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        json.dump(value, file, ensure_ascii=False, indent=2, sort_keys=True)
        file.write("\n")


def first_line(error):
    text = getattr(error, "desc", None) or str(error)
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    return "".join(c if c.isprintable() else "?" for c in (lines[0] if lines else type(error).__name__))[:500]


def say(text):
    sys.stderr.write("run.py: %s\n" % "".join(c if c.isprintable() else "?" for c in text))
    sys.stderr.flush()


if __name__ == "__main__":
    main()
