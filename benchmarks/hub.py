"""What one student costs on a shared server: `python -m benchmarks.hub` runs lesson 01 in one, two and three kernels at once.

Each kernel runs the code cells of notebooks/01_the_cycle.ipynb in order, as a student does with Run All Cells. Measured are the times from
starting the kernel until its first chart and its first explorer stand and until the last cell is done, and memory: RSS counts shared pages
in each process, PSS divides them among those that share them, so that PSS adds up. Cold has an empty compile cache, warm a copy of a filled
one.
Writes benchmarks/results/hub.json and the table between the marks in docs/teaching/hub.md.
"""

import argparse
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

import nbformat
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from benchmarks import machine

NOTEBOOK: Final = machine.ROOT / "notebooks" / "01_the_cycle.ipynb"
RESULTS: Final = machine.ROOT / "benchmarks" / "results" / "hub.json"
PAGE: Final = machine.ROOT / "docs" / "teaching" / "hub.md"
BEGIN: Final = "<!-- measured: begin, written by benchmarks/hub.py -->"
END: Final = "<!-- measured: end -->"
CLASS: Final = 30
_WIDGET: Final = "application/vnd.jupyter.widget-view+json"
_EXPLORER: Final = re.compile(r"\bexplore\(")
_QUIET_SECONDS: Final = 5.0
_LONGEST: Final = 900


def cells(notebook: Path) -> list[str]:
    """The code cells of a notebook. Raises ValueError if none of them shows an explorer."""
    found = [cell.source for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
    if not any(map(_EXPLORER.search, found)):
        raise ValueError(f"{notebook.name} shows no explorer")
    return found


def memory_mb(pid: int) -> dict[str, float]:
    """RSS, PSS and peak RSS of a process in MB, from Linux's /proc."""
    process = Path(f"/proc/{pid}")
    rollup = _fields(process / "smaps_rollup")
    return {"rss_mb": rollup["Rss"], "pss_mb": rollup["Pss"], "peak_mb": _fields(process / "status")["VmHWM"]}


def _fields(path: Path) -> dict[str, float]:
    """The lines `Name: 123 kB` of a file, in MB."""
    lines = re.findall(r"^(\w+):\s+(\d+) kB$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: int(kilobytes) * 1024 / 1e6 for name, kilobytes in lines}


class Student:
    """One kernel, as a student has it, with a home of its own for the compile cache."""

    def __init__(self, cache: Path | None, home: Path) -> None:
        self.home = home
        self.copied_s = 0.0
        begun = time.perf_counter()
        if cache:
            shutil.copytree(cache, home / "painlab", dirs_exist_ok=True)
            self.copied_s = time.perf_counter() - begun
        self.manager = KernelManager(kernel_name="python3")
        self.client: BlockingKernelClient | None = None

    def work(self, sources: list[str]) -> dict[str, float]:
        """Start the kernel, run the cells, return seconds since the start. Raises RuntimeError if a cell fails."""
        environment = {**os.environ, "XDG_CACHE_HOME": str(self.home), "PYTHONWARNINGS": "ignore"}
        begun = time.perf_counter()
        self.manager.start_kernel(env=environment, cwd=str(self.home))
        client = self.manager.blocking_client()
        self.client = client
        client.start_channels()
        client.wait_for_ready(timeout=_LONGEST)
        seconds = {"kernel_s": time.perf_counter() - begun}
        for source in sources:
            seen: list[bool] = []
            hook = partial(_look_for_widget, seen)
            reply = client.execute_interactive(source, timeout=_LONGEST, allow_stdin=False, output_hook=hook)
            if reply["content"]["status"] != "ok":
                raise RuntimeError(f"{source!r}: {reply['content']}")
            if seen:
                seconds.setdefault("widget_s", time.perf_counter() - begun)
            if "explorer_s" not in seconds and _EXPLORER.search(source):
                seconds["explorer_s"] = time.perf_counter() - begun
        return {**seconds, "all_cells_s": time.perf_counter() - begun, "copy_s": self.copied_s}

    def memory(self) -> dict[str, float]:
        """Memory of the kernel now."""
        pid: int = self.manager.provisioner.pid  # type: ignore[attr-defined,union-attr]
        return memory_mb(pid)

    def leave(self) -> None:
        """Stop the kernel."""
        if self.client:
            self.client.stop_channels()
        if self.manager.has_kernel:
            self.manager.shutdown_kernel(now=True)


def _look_for_widget(seen: list[bool], message: dict[str, Any]) -> None:
    """Note whether a cell shows a widget; other outputs are not looked at."""
    if _WIDGET in message["content"].get("data", {}):
        seen.append(True)


def together(students: int, cache: Path | None, sources: list[str], folder: Path) -> dict[str, Any]:
    """Several students begin at the same moment; the median of their times and memory, and the sum of what they hold together."""
    homes = [Path(tempfile.mkdtemp(dir=folder)) for _ in range(students)]
    present = [Student(cache, home) for home in homes]
    try:
        with ThreadPoolExecutor(students) as pool:
            times = list(pool.map(lambda one: one.work(sources), present))
        time.sleep(_QUIET_SECONDS)  # what the explorer still refines behind the scenes is finished by then
        held = [one.memory() for one in present]
    finally:
        for one in present:
            one.leave()
    each = {name: median(one[name] for one in rows) for rows in (times, held) for name in rows[0]}
    return {"students": students, "cache": "warm" if cache else "cold", **each, "pss_together_mb": sum(one["pss_mb"] for one in held)}


def server_mb(folder: Path) -> dict[str, float]:
    """Memory of a JupyterLab server that serves nobody yet, such as a hub starts for each student."""
    runtime = folder / "runtime"
    runtime.mkdir()
    environment = {**os.environ, "JUPYTER_RUNTIME_DIR": str(runtime), "HOME": str(folder)}
    options = ["--no-browser", "--ServerApp.port=0", "--LabApp.news_url=None", f"--ServerApp.root_dir={folder}"]
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    command = [sys.executable, "-m", "jupyterlab", *options, *root]
    begun = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            while not list(runtime.glob("jpserver-*.json")):
                if server.poll() is not None or time.perf_counter() - begun > _LONGEST:
                    raise RuntimeError("the server did not start")
                time.sleep(0.1)
            started = time.perf_counter() - begun
            time.sleep(2.0)
            return {**memory_mb(server.pid), "start_s": started}
        finally:
            server.terminate()


def folder_mb(folder: Path) -> float:
    """Size of the files in a folder, in MB."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def measure(most: int) -> dict[str, Any]:
    """Everything: one cold student, who fills a cache, then 1 to `most` warm ones at once, and the server."""
    sources = cells(NOTEBOOK)
    described = machine.described()
    with tempfile.TemporaryDirectory(prefix="painlab-hub-") as text:
        folder = Path(text)
        cold_home = folder / "cold"
        cold_home.mkdir()
        first = Student(None, cold_home)
        try:
            times = first.work(sources)
            time.sleep(_QUIET_SECONDS)
            cold = {"students": 1, "cache": "cold", **times, **first.memory()}
        finally:
            first.leave()
        cold["pss_together_mb"] = cold["pss_mb"]
        cache = cold_home / "painlab"
        warm = [together(number, cache, sources, folder) for number in range(1, most + 1)]
        found = {"cache_mb": folder_mb(cache), "server": server_mb(folder)}
    return {
        "machine": {**described, "load_after": machine.load(), "memory_gb": _memory_gb()},
        "versions": machine.versions(("painlab", "jupyterlab", "ipykernel", "numba", "polars")),
        "notebook": NOTEBOOK.name,
        "rows": [cold, *warm],
        **found,
        "per_student_mb": _per_student(warm, found["server"]),
    }


def _per_student(warm: list[dict[str, Any]], server: dict[str, float]) -> float:
    """Memory to plan for one more student: the largest peak of a warm kernel, and a server of one's own."""
    return max(row["peak_mb"] for row in warm) + server["pss_mb"]


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def page(results: dict[str, Any]) -> str:
    """The table and the sentences of docs/teaching/hub.md."""
    about = results["machine"]
    lines = [
        f"Measured {about['date']} on {about['cores']} cores of {about['processor']}, load before {about['load_before']:.1f}: "
        f"`{results['notebook']}`, all cells, kernels started at the same moment.",
        "",
        "| students at once | compile cache | kernel ready | first chart | first explorer | all cells "
        "| RSS each | PSS each | peak each | PSS together |",
        "| --: | :-- | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for row in results["rows"]:
        seconds = " | ".join(f"{row[name]:.1f} s" for name in ("kernel_s", "widget_s", "explorer_s", "all_cells_s"))
        megabytes = " | ".join(f"{row[name]:.0f} MB" for name in ("rss_mb", "pss_mb", "peak_mb", "pss_together_mb"))
        lines.append(f"| {row['students']} | {row['cache']} | {seconds} | {megabytes} |")
    server, each = results["server"], results["per_student_mb"]
    whole = math.ceil(each * CLASS / 1000)
    lines += [
        "",
        f"A JupyterLab server of one's own, before its first notebook: {server['pss_mb']:.0f} MB (PSS), ready in "
        f"{server['start_s']:.1f} s. The compile cache takes {results['cache_mb']:.0f} MB of disk.",
        "",
        f"**To plan with**: {each:.0f} MB a student (the largest peak of a warm kernel, and a server), thus about {whole} GB for {CLASS} "
        "students with one notebook each, beside what the system and the hub itself take. "
        f"The {CLASS} are worked out from these rows; they were not started.",
    ]
    return "\n".join(lines)


def with_page(text: str, results: dict[str, Any]) -> str:
    """A text with what stands between the marks replaced. Raises ValueError if the marks are not in it."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the marks for the measured table are missing")
    return f"{before}{BEGIN}\n{page(results)}\n{END}{after}"


def main() -> None:
    """Measure, write hub.json, and refresh the page where it stands in the repository."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=3, help="most kernels at once")
    parser.add_argument("--out", type=Path, help="folder for hub.json; without it the repository's results and page are written")
    given = parser.parse_args()
    results = measure(given.students)
    target = given.out / RESULTS.name if given.out else RESULTS
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    if not given.out:
        PAGE.write_text(with_page(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
    print(page(results))


if __name__ == "__main__":
    main()
