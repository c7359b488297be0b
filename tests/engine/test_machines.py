"""Processes and machines: the same bits as threads, whatever ends in the middle, and never another PainLab's."""

import importlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import painlab
from painlab import InputError
from painlab.engine import machines

SMALL: dict[str, Any] = {"patients": 3000, "draws": 6, "seed": 5, "weeks": 30, "parameters": "prior"}
SCENARIOS = ["coordinated-care", "clinic-early-pt"]


@pytest.fixture(scope="module")
def weekly() -> dict[str, pl.DataFrame]:
    """What threads of this process give, by scenario."""
    return {name: painlab.simulate(name, **SMALL, threads=1).weekly for name in SCENARIOS}


def assert_swept(folder: Path, weekly: dict[str, pl.DataFrame]) -> None:
    results = pl.read_parquet(folder / "results.parquet")
    for name, frame in weekly.items():
        assert_frame_equal(results.filter(name=name).drop("name"), frame, check_exact=True)


def test_an_executor_is_used_as_it_is_and_nothing_else_is_taken_for_one() -> None:
    with ThreadPoolExecutor(1) as pool:
        assert machines.executor_of(pool) is pool
    with pytest.raises(InputError, match=r"the executor is 'dask'\. Expected a concurrent\.futures Executor or a Client"):
        machines.executor_of("dask")


def test_errands_come_back_under_their_keys_and_only_so_many_are_out() -> None:
    handed = []
    errands = ((number, handed.append(number) or number) for number in range(100))
    with ThreadPoolExecutor(2) as pool:
        answers = machines.finished(pool, lambda number: number * number, errands)
        first = next(answers)
        assert len(handed) <= 8 < 100
        assert dict([first, *answers]) == {number: number * number for number in range(100)}


def test_who_leaves_early_calls_back_what_has_not_begun() -> None:
    let_go, done = threading.Event(), []

    def work(number: int) -> None:
        if number:
            let_go.wait(60)
        done.append(number)

    with ThreadPoolExecutor(1) as pool:
        answers = machines.finished(pool, work, enumerate(range(50)))
        next(answers)
        answers.close()
        let_go.set()
    assert len(done) <= 2


def test_an_error_of_an_errand_reaches_who_asked() -> None:
    with ThreadPoolExecutor(1) as pool, pytest.raises(ZeroDivisionError):
        list(machines.finished(pool, lambda number: 1 / number, enumerate(range(3))))


class OtherPlace(ThreadPoolExecutor):
    """An Executor that says as little about itself as any, and keeps another PainLab."""

    def submit(self, work: Any, /, *given: Any, **named: Any) -> Future[Any]:
        answer: Future[Any] = Future()
        answer.set_result(machines.Differs(machines.installed() | {"data of the model": "0" * 64}))
        return answer


def test_an_errand_that_met_another_painlab_ends_the_run() -> None:
    with OtherPlace(1) as pool, pytest.raises(InputError, match="another PainLab works there: it differs in the data of the model"):
        list(machines.finished(pool, abs, enumerate(range(3))))


def test_processes_give_the_bits_of_threads(weekly: dict[str, pl.DataFrame], tmp_path: Path) -> None:
    with machines.processes(2) as pool:
        for name, frame in weekly.items():
            assert_frame_equal(painlab.simulate(name, **SMALL, executor=pool).weekly, frame, check_exact=True)
        painlab.sweep(SCENARIOS, tmp_path, **SMALL, executor=pool, chunk=1100)
    assert_swept(tmp_path, weekly)


ORPHANS = """
import os, signal, time
from painlab.engine import machines

if __name__ == "__main__":
    pool = machines.processes(2)
    found = {pool.submit(os.getpid).result()}
    pool.submit(time.sleep, 600)
    pool.submit(time.sleep, 600)
    print(*[child.pid for child in __import__("multiprocessing").active_children()], flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="asks for processes as POSIX does")
def test_processes_end_with_the_one_that_asked_however_it_ends(tmp_path: Path) -> None:
    script = tmp_path / "orphans.py"
    script.write_text(ORPHANS, encoding="utf-8")
    said = subprocess.run([sys.executable, script], stdout=subprocess.PIPE, text=True, timeout=300)
    assert said.returncode == -signal.SIGKILL
    children = [int(word) for word in said.stdout.split()]
    assert children
    until = time.monotonic() + 60
    while any(map(alive, children)):
        assert time.monotonic() < until, "processes go on without the one that asked"
        time.sleep(0.05)


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")  # nobody may have asked yet how it ended
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")


def test_dask_is_loaded_only_where_it_is_used() -> None:
    program = "import sys, painlab.cli.scale, painlab.sweeps, painlab.following, painlab.estimate; sys.exit('distributed' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=300).returncode == 0


def test_without_dask_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install 'painlab\[dask\]'` or `conda install -c conda-forge distributed"):
        machines.connect("tcp://127.0.0.1:8786")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "127.0.0.1:1", "nonsense", "ftp://127.0.0.1:1", "", "no-such-file.json"])
def test_an_address_where_no_scheduler_answers_is_refused(address: str) -> None:
    pytest.importorskip("distributed")
    with pytest.raises(InputError, match="no Dask scheduler answers"):
        machines.connect(address)


def local_cluster(workers: int, **how: Any) -> Any:
    """A Dask cluster on this machine's loopback."""
    distributed = pytest.importorskip("distributed")
    return distributed.LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=":0", silence_logs=40, **how
    )


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of the scheduler of a cluster of two worker processes."""
    with local_cluster(2) as cluster:
        yield cluster.scheduler_address


def test_dask_gives_the_bits_of_threads(address: str, weekly: dict[str, pl.DataFrame], tmp_path: Path) -> None:
    with machines.connect(address) as client:
        for name, frame in weekly.items():
            assert_frame_equal(painlab.simulate(name, **SMALL, executor=client).weekly, frame, check_exact=True)
        painlab.sweep(SCENARIOS, tmp_path, **SMALL, executor=client, chunk=1100)
    assert_swept(tmp_path, weekly)


def test_a_worker_killed_in_mid_run_costs_time_and_no_result(address: str, weekly: dict[str, pl.DataFrame], tmp_path: Path) -> None:
    killed = []
    with machines.connect(address) as client:

        def progress(done: int, total: int) -> None:
            if len(killed) < 2 and done > total * (len(killed) + 1) / 4:
                processes = client.run(os.getpid, on_error="ignore")
                killed.append(next(process for process in processes.values() if process not in killed))
                os.kill(killed[-1], signal.SIGKILL)

        painlab.sweep(SCENARIOS, tmp_path, **SMALL, executor=client, chunk=700, progress=progress)
    assert len(killed) == 2
    assert_swept(tmp_path, weekly)


def test_a_cluster_without_workers_says_how_to_start_one() -> None:
    with local_cluster(0) as cluster, pytest.raises(InputError, match=r"has no workers.* Start one with `dask worker tcp://"):
        machines.connect(cluster.scheduler_address)


@contextmanager
def worker_of(address: str, path: Path) -> Iterator[None]:
    """A worker started by Dask's own command, which finds the PainLab of a folder first."""
    command = [sys.executable, "-m", "dask", "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    environment = os.environ | {"PYTHONPATH": str(path), "DASK_TEMPORARY_DIRECTORY": str(path)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as started:
        try:
            with importlib.import_module("distributed").Client(address, set_as_default=False) as client:
                client.wait_for_workers(1, timeout=120)
            yield
        finally:
            started.terminate()


def test_workers_with_other_data_are_refused(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "src" / "painlab", tmp_path / "painlab", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(root / "data", tmp_path / "painlab" / "data")
    table = tmp_path / "painlab" / "data" / "treatments.toml"
    table.write_text(table.read_text(encoding="utf-8") + "\n# another price\n", encoding="utf-8")
    complaint = r"Dask worker tcp://.*: another PainLab works there: it differs in the data of the model\."
    with local_cluster(0) as cluster, worker_of(cluster.scheduler_address, tmp_path), pytest.raises(InputError, match=complaint):
        machines.connect(cluster.scheduler_address)


def test_workers_without_painlab_are_refused(tmp_path: Path) -> None:
    (tmp_path / "painlab").mkdir()
    (tmp_path / "painlab" / "__init__.py").write_text("raise ImportError('there is no PainLab here')\n", encoding="utf-8")
    complaint = "PainLab does not run there"
    with local_cluster(0) as cluster, worker_of(cluster.scheduler_address, tmp_path), pytest.raises(InputError, match=complaint):
        machines.connect(cluster.scheduler_address)
