#!/usr/bin/env python3
"""Makes the synthetic tenfold copy of a run: tenfold.py RUN OUT [COPIES]

Ten copies of every event, each a whole span of time after the one before, with event ids of its own. All else is as it
was, so that every rule matches ten times as much. The same input gives the same bytes. Needs DuckDB's Python package.
"""

import sys
from pathlib import Path

import duckdb

DAY = 86_400_000


def text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def main() -> None:
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    run, out = Path(sys.argv[1]), Path(sys.argv[2])
    copies = int(sys.argv[3]) if len(sys.argv) == 4 else 10
    parts = sorted((run / "normalized" / "ocsf_events").glob("*.parquet"))
    if not parts:
        sys.exit(f"{run}: no normalized/ocsf_events/*.parquet")
    folder = out / "normalized" / "ocsf_events"
    folder.mkdir(parents=True)
    # One thread keeps the order of the rows, and so the bytes.
    connection = duckdb.connect(config={"threads": 1})
    files = "[" + ", ".join(text(part) for part in parts) + "]"
    span = f'SELECT max("time") - min("time") FROM read_parquet({files}, union_by_name = true)'
    step = (connection.execute(span).fetchone()[0] // DAY + 1) * DAY
    for copy in range(copies):
        for part in parts:
            target = folder / f"part-{copy:02}-{part.stem.removeprefix('part-')}.parquet"
            connection.execute(
                f"""COPY (
                    SELECT * REPLACE (
                        "time" + {copy * step} AS "time",
                        "metadata.event_id" || '.{copy}' AS "metadata.event_id"
                    ) FROM read_parquet({text(part)})
                ) TO {text(target)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000)"""
            )
    print(f"{out}: {copies * len(parts)} files, {copies} copies, each {step // DAY} days after the one before")


if __name__ == "__main__":
    main()
