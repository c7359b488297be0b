"""Throughput and peak memory of records by the number of rows: `python -m benchmarks.records [--csv] ROWS...` prints JSON.

Each size runs in a process of its own, on a table that is made for it: rows of fills of ROWS / 20 people over five years, about 1 in 200
implausible. `parts_s` has the seconds of the steps: the table's coverage, and weekly MME into demand by week.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.scale import peak_mb

DRUGS = (
    "oxyCODONE 5 MG Oral Tablet", "HYDROCODONE-ACETAMINOPHEN 5-325 MG PO TABS", "tramadol hydrochloride 50 MG Oral Tablet",
    "acetaminophen-codeine 300-30 mg tablet", "morphine sulfate ER 15 mg tablet", "FENTANYL 25 MCG/HR TD PT72", "Suboxone 8-2 mg film",
    "METHADONE HCL 10 MG TABS", "lisinopril 10 MG Oral Tablet",
)  # fmt: skip
SHARES = (0.25, 0.3, 0.2, 0.1, 0.04, 0.02, 0.02, 0.01, 0.06)
CHUNK = 1_000_000


def write_fills(path: Path, rows: int, seed: int = 1) -> None:
    """Write a table of so many made-up fills, chunk by chunk, as Parquet or CSV by the path's ending."""
    chunks = [(start, min(CHUNK, rows - start)) for start in range(0, rows, CHUNK)]
    if path.suffix == ".csv":
        with path.open("wb") as out:
            for start, count in chunks:
                _chunk(start, count, rows, seed).write_csv(out, include_header=start == 0)
        return
    parts = []
    for start, count in chunks:
        part = path.with_name(f"part-{start}.parquet")
        _chunk(start, count, rows, seed).write_parquet(part)
        parts.append(part)
    pl.scan_parquet(parts).sink_parquet(path)
    for part in parts:
        part.unlink()


def _chunk(start: int, count: int, rows: int, seed: int) -> pl.DataFrame:
    chance = np.random.Generator(np.random.Philox(key=seed + start))
    days = chance.choice((3, 7, 14, 30, 30, 30), count)
    quantity = np.where(chance.random(count) < 0.005, 0, days * chance.choice((1, 2, 3, 4), count))
    date = np.datetime64("2019-01-01") + chance.integers(0, 1826, count).astype("timedelta64[D]")
    return pl.DataFrame(
        {
            "PAT_ID": chance.integers(0, max(1, rows // 20), count),
            "FILL_DATE": date,
            "DRUG_NAME": np.array(DRUGS)[chance.choice(len(DRUGS), count, p=SHARES)],
            "QTY": quantity,
            "DAYS_SUPPLY": days,
        }
    ).with_columns(pl.col("PAT_ID").cast(pl.String).str.zfill(9), pl.col("FILL_DATE").cast(pl.Date))


def measure(path: Path, rows: int) -> dict[str, object]:
    """Seconds and peak memory of one size, in this process."""
    from painlab import records

    records.weekly_mme(records.sample_fills(10)).collect()
    base, spent = peak_mb(), {}
    start = time.perf_counter()
    fills = records.read(path)
    covered = records.coverage(fills)
    spent["coverage"] = time.perf_counter() - start
    after_coverage = peak_mb()
    start = time.perf_counter()
    weekly = records.demand(records.weekly_mme(fills), people=rows)
    spent["weekly_to_demand"] = time.perf_counter() - start
    return {
        "rows": rows, "file_mb": path.stat().st_size / 1e6, "base_mb": base, "coverage_peak_mb": after_coverage, "peak_mb": peak_mb(),
        "parts_s": spent, "rows_per_s": rows / spent["weekly_to_demand"], "counted": covered.counted, "weeks": weekly.height,
    }  # fmt: skip


def main() -> None:
    """Make a table of each size, measure it in a process of its own, and print all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", type=int, default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--csv", action="store_true", help="CSV in place of Parquet")
    parser.add_argument("--folder", type=Path, help="where the tables are made, if not in a temporary folder")
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.file:
        print(json.dumps(measure(given.file, given.rows[0])))
        return
    found = []
    for rows in sorted(given.rows):
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            path = Path(folder) / ("fills.csv" if given.csv else "fills.parquet")
            write_fills(path, rows)
            command = [sys.executable, "-m", "benchmarks.records", "--file", str(path), str(rows)]
            found.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
