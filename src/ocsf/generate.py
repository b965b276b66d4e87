#!/usr/bin/env python3
"""Writes the embedded OCSF catalog (ocsf-1.7.0.txt) from a catalog in JSON.

    python3 src/ocsf/generate.py CATALOG.json > src/ocsf/ocsf-1.7.0.txt

Run by hand when the pinned OCSF version changes; the output is committed and `catalog.rs` parses it.
CATALOG.json holds `ocsf_version`, `types` (type to base type), `classes` (uid to name and attributes)
and `objects` (name to attributes); an attribute has a `type` or an `object`, and may be an `array` or
`deprecated`.

The form, one statement a line, sorted, so that two versions can be compared with diff:

    ocsf VERSION
    class UID NAME          followed by the attributes that differ from those of class 0
    object NAME             followed by its attributes
     NAME KIND[MARKS]       KIND is a type letter or @OBJECT; marks: [] a list, ! deprecated

Type letters: s string, i integer, f float, b boolean, t timestamp, j JSON.
"""

import json
import sys

LETTERS = {
    "string": "s",
    "integer": "i",
    "long": "i",
    "float": "f",
    "boolean": "b",
    "timestamp": "t",
    "json": "j",
}


def statement(name, attribute, types):
    """One attribute as a line."""
    kind = "@" + attribute["object"] if "object" in attribute else LETTERS[types[attribute["type"]]]
    marks = ("[]" if attribute.get("array") else "") + ("!" if attribute.get("deprecated") else "")
    return f" {name} {kind}{marks}"


def main(path):
    with open(path, encoding="utf-8") as file:
        catalog = json.load(file)
    types, classes, objects = catalog["types"], catalog["classes"], catalog["objects"]
    common = classes["0"]["attributes"]
    print("ocsf", catalog["ocsf_version"])
    for uid in sorted(classes, key=int):
        attributes = classes[uid]["attributes"]
        missing = common.keys() - attributes.keys()
        if missing:
            sys.exit(f"class {uid} lacks {sorted(missing)} of class 0: the form cannot say that")
        print("class", uid, classes[uid]["name"])
        for name, attribute in sorted(attributes.items()):
            if uid == "0" or common.get(name) != attribute:
                print(statement(name, attribute, types))
    for object_name in sorted(objects):
        print("object", object_name)
        for name, attribute in sorted(objects[object_name]["attributes"].items()):
            print(statement(name, attribute, types))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
