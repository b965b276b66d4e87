"""Mapping packs against the real pySigma and sigma-cli: `./x pysigma` runs this in a virtual environment.

usage: check.py PATH-TO-SIGMA-OCSF-TUI
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

from sigma.backends.sqlite import sqliteBackend
from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError
from sigma.processing.pipeline import ProcessingPipeline

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = sys.argv[1]
FAILURES = []
CHECKS = 0


def check(holds, message):
    global CHECKS
    CHECKS += 1
    if not holds:
        FAILURES.append(message)
        print(f"failed: {message}")


def tool(*arguments):
    done = subprocess.run([TOOL, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True)
    # 1 is a gate, as for rules that are refused.
    if done.returncode > 1:
        sys.exit(f"{arguments}: {done.stderr}")
    return done.stdout


def sigma_cli(pipeline, rule):
    sigma = pathlib.Path(sys.executable).with_name("sigma")
    command = [sigma, "convert", "-t", "sqlite", "-p", pipeline, rule]
    return subprocess.run(command, capture_output=True, text=True)


def rule_text(logsource, field, value="x"):
    lines = [f"  {key}: {part}" for key, part in logsource.items()]
    item = json.dumps({field: value})
    return "\n".join(
        ["title: t", "status: test", "logsource:", *lines, "detection:", f"  sel: {item}", "  condition: sel", ""]
    )


def names(value):
    """The field names in a detection of pySigma, and in those below it."""
    if hasattr(value, "detection_items"):
        return {name for item in value.detection_items for name in names(item)}
    return {value.field}


def mapped_by_pysigma(pipeline, text):
    """What pySigma calls the one field of the rule; None where it fails."""
    rule = SigmaCollection.from_yaml(text).rules[0]
    try:
        pipeline.apply(rule)
    except SigmaError:
        return None
    return names(rule.detection.detections["sel"])


def resolved_by_tool(pack, texts):
    """For each rule, the names that its field has by a pack; None where it is refused."""
    with tempfile.TemporaryDirectory() as folder:
        for number, text in enumerate(texts):
            pathlib.Path(folder, f"{number:05}.yml").write_text(text)
        report = json.loads(tool("check", folder, "--pack", pack, "--raw-fallback", "--enable", "all", "--format", "json"))
    rules = sorted(report["rules"], key=lambda rule: rule["path"])
    assert len(rules) == len(texts)
    result = []
    for rule in rules:
        # Of a value that does not fit, the field is known all the same.
        unknown = {"unmapped_field", "raw_fallback_disabled", "ambiguous_field_alias", "unrouted_logsource"}
        refused = rule["reason_code"] in unknown or not rule["fields"]
        expressions = [field["expr"] for field in rule["fields"]]
        result.append(None if refused else expressions[0])
    return result


def agrees(expression, found):
    """Whether the expression that the tool shows is nothing but these names."""
    return all(re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.])", expression) for name in found)


def fields_of(pack):
    """Log source and field pairs that aliases of a pipeline's mapping items name."""
    return sorted({field for item in pack.items for field in getattr(item.transformation, "mapping", {}) if field})


def shipped_pack(folder):
    """What is exported converts to the names that the pack gives, and fails where the pack refuses or computes."""
    path = pathlib.Path(folder, "shipped.yml")
    tool("pack", "export", "--pysigma", "--raw-fallback", "--out", path)
    pipeline = ProcessingPipeline.from_yaml(path.read_text())
    routes = [item for item in pipeline.items if item.identifier and item.identifier.startswith("route ")]
    check(len(routes) > 10, f"{len(routes)} routes")
    cases = []
    for item in pipeline.items:
        if not (item.identifier or "").startswith("fields of "):
            continue
        for route in routes:
            if not re.search(rf"{re.escape(route.identifier[6:])}(,|$)", item.identifier):
                continue
            conditions = route.rule_conditions
            if isinstance(conditions, dict):
                continue  # `when`: the rule has to look for more than one field.
            narrower = item.rule_conditions.get("logsource") if isinstance(item.rule_conditions, dict) else None
            parts = (narrower or conditions[0]).logsource
            logsource = {key: getattr(parts, key) for key in ("category", "product", "service") if getattr(parts, key)}
            cases += [(logsource, field, target) for field, target in item.transformation.mapping.items()]
    # An even sample: pySigma takes its time for a pipeline of this size.
    cases = cases[:: 1 + len(cases) // 1000]
    texts = [rule_text(logsource, field) for logsource, field, _ in cases]
    shown = resolved_by_tool("ocsf-1.7.0", texts)
    converted = 0
    for (logsource, field, _), text, expression in zip(cases, texts, shown):
        found = mapped_by_pysigma(pipeline, text)
        if found is None:
            continue  # It fails closed: a value that is no number, or that no value map has.
        converted += 1
        check(expression is not None and agrees(expression, found), f"{logsource} {field}: {found}, not {expression}")
    print(f"shipped pack: {len(routes)} routes, {len(cases)} fields asked, {converted} converted")
    check(converted > 100, f"only {converted} fields convert")
    for logsource, field in [({"category": "process_creation", "product": "windows"}, "NoSuchField"), ({"service": "no-such"}, "Image")]:
        check(mapped_by_pysigma(pipeline, rule_text(logsource, field)) is None, f"{logsource} {field} converts")
    cli(folder, path)


def cli(folder, pipeline):
    """sigma-cli takes the file, and says which rule fails."""
    source = {"category": "process_creation", "product": "windows"}
    good, bad = pathlib.Path(folder, "good.yml"), pathlib.Path(folder, "bad.yml")
    good.write_text(rule_text(source, "Image|endswith", r"\cmd.exe"))
    bad.write_text(rule_text(source, "NoSuchField"))
    done = sigma_cli(pipeline, good)
    check(done.returncode == 0, f"sigma convert: {done.stderr}")
    for part in ("class_uid=1007", "process.file.path", r"cmd.exe"):
        check(part in done.stdout, f"{part} is not in {done.stdout}")
    done = sigma_cli(pipeline, bad)
    check(done.returncode != 0 and "does not map this field" in done.stderr, f"sigma convert: {done.stdout}{done.stderr}")


def fixture_pack(folder):
    """Value maps, `when`, null and several paths, as the fixture pack has them."""
    path = pathlib.Path(folder, "fixture.yml")
    tool("pack", "export", "fixtures/pysigma/pack", "--pysigma", "--out", path)
    pipeline = ProcessingPipeline.from_yaml(path.read_text())
    process = {"category": "process_creation", "product": "windows"}
    security = {"product": "windows", "service": "security"}

    def query(text):
        try:
            return sqliteBackend(pipeline).convert(SigmaCollection.from_yaml(text))[0]
        except SigmaError:
            return None

    for logsource, field, value, expected in [
        (process, "Image", "a", "process.file.path"),
        (process, "User", "a", "actor.user.name"),
        (process, "User", None, None),
        (process, "Image", None, "process.file.path"),
        (process, "Elevated", "True", "=4"),
        (process, "Elevated", "other", None),
        (process, "Elevated", ["true", "other"], None),
        (process, "IntegrityLevel", "s-1-16-12288", "High"),
        (process, "IntegrityLevel", "Low", "Low"),
        (process, "Signed", "true", None),
        (process, "LogonId", "1", None),
        (process, "Image|fieldref", "CommandLine", "process.cmd_line"),
        (process, "Image|fieldref", "NoSuchField", None),
        ({"category": "process_creation"}, "Image", "a", r"a\*b".replace("\\", "")),
        ({"category": "process_creation", "product": "linux"}, "Elevated", "true", None),
        (security, "EventID", 4624, "metadata.event_code"),
        (security, "EventID", [4624, 4625], "metadata.event_code"),
        (security, "EventID", [4624, 4688], None),
        (security, "EventID", 4688, None),
        (security, "TargetUserName", "a", None),
        ({"category": "dns_query"}, "Image", "a", None),
        (process, "user.name", "a", None),
    ]:
        found = query(rule_text(logsource, field, value))
        if expected is None:
            check(found is None, f"{logsource} {field}: {value} converts to {found}")
        else:
            check(found is not None and expected in found, f"{logsource} {field}: {value} converts to {found}")
    keyword = rule_text(process, "Image").replace('sel: {"Image": "x"}', "sel: [x]")
    check(query(keyword) is None, "keywords convert")


def imported_pipeline(folder):
    """An imported pack calls fields as pySigma does with the pipeline itself, or refuses them."""
    source = ROOT / "fixtures/pysigma/ocsf.yml"
    pack = pathlib.Path(folder, "imported")
    tool("pack", "import", source, "--out", pack)
    pipeline = ProcessingPipeline.from_yaml(source.read_text())
    logsources = [
        {"category": category, "product": product}
        for category in ("process_creation", "network_connection")
        for product in ("windows", "linux", "macos")
    ]
    cases = [(logsource, field) for logsource in logsources for field in fields_of(pipeline)]
    texts = [rule_text(logsource, field) for logsource, field in cases]
    same = 0
    for case, text, expression in zip(cases, texts, resolved_by_tool(pack, texts)):
        if expression is None:
            continue
        # A field of numbers takes no text.
        found = mapped_by_pysigma(pipeline, text) or mapped_by_pysigma(pipeline, rule_text(*case, 7))
        check(found is not None and agrees(expression, found), f"{case}: {expression}, not {found}")
        same += 1
    check(same >= 10, f"only {same} fields are carried")
    print(f"imported pipeline: {len(cases)} fields asked, {same} carried")


def main():
    with tempfile.TemporaryDirectory() as folder:
        shipped_pack(folder)
        fixture_pack(folder)
        imported_pipeline(folder)
    print(f"{CHECKS - len(FAILURES)} passed, {len(FAILURES)} failed")
    sys.exit(1 if FAILURES else 0)


main()
