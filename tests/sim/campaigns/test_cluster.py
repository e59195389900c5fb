"""A real Dask scheduler with two workers on loopback gives the rows that this machine gives."""

import json
import select
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from sim.campaigns import cluster
from sim.campaigns.cluster import Cluster, check_address, do
from sim.campaigns.sweep import FILE, Sweep, sweep
from sim.versions import packages
from tests.sim.scenarios import SMALL, refused

ROOT = Path(__file__).parents[3]
LOOPBACK = ("tcp://127.0.0.1:8786", "tcp://localhost:1", "tcp://[::1]:8786", "tcp://127.9.9.9:80")
ELSEWHERE = ("tcp://10.0.0.1:8786", "tcp://[fd00::1]:1", "tcp://localhost.example.com:8786")
NONE = ("", "x", "tcp://", "tcp://127.0.0.1", "127.0.0.1:8786", "http://127.0.0.1:1", "tcp://h:x")


@pytest.mark.parametrize("address", [*LOOPBACK, "tls://10.0.0.1:8786"])
def test_this_machine_and_tls_may_be_spoken_to(address):
    check_address(address, insecure=False)


@pytest.mark.parametrize("address", ELSEWHERE)
def test_another_machine_only_where_it_is_said_to_be_insecure(address):
    check_address(address, insecure=True)
    assert "`--insecure-cluster`" in refused(check, address).hint


@pytest.mark.parametrize("address", NONE)
def test_anything_else_is_no_address(address):
    assert "is no address" in str(refused(check, address))


def check(address):
    check_address(address, insecure=False)


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    error = refused(Cluster, LOOPBACK[0])
    assert (str(error), error.hint) == (
        "`--dask` needs the package `distributed`",
        "`pip install virtualtap[dask]`",
    )


def test_a_worker_of_another_version_refuses():
    is_done, said = do("sweep", "{}", {**packages(), "networkx": "1.0"})
    assert not is_done and said.endswith("install the same versions there")


def started(stack, *words):
    command = [sys.executable, "-m", "distributed.cli." + words[0], *map(str, words[1:])]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = stack.enter_context(subprocess.Popen(command, cwd=ROOT, **quiet))
    stack.callback(process.kill)
    return process


@contextmanager
def scheduler(folder, workers):
    """Its address, and the processes of its workers."""
    pytest.importorskip("distributed")
    place = folder / "scheduler.json"
    here = ("--host", "127.0.0.1", "--no-dashboard")
    with ExitStack() as stack:
        said = ("--port", "0", "--scheduler-file", place)
        process = started(stack, "dask_scheduler", *here, *said)
        deadline = time.monotonic() + 60
        while not place.exists() or not place.read_text().endswith("}"):
            assert time.monotonic() < deadline and process.poll() is None
            select.select([], [], [], 0.02)
        address = json.loads(place.read_text())["address"]
        own = ("--nthreads", "1", "--no-nanny", "--local-directory", folder)
        yield address, [started(stack, "dask_worker", address, *here, *own) for _ in range(workers)]


def order(out, **words):
    return Sweep(
        text=SMALL,
        folder=ROOT,
        where="small.toml",
        vary=("topology.sites=1,2",),
        seeds=range(20),
        out=out,
        **words,
    )


def rows(out):
    with closing(sqlite3.connect(out / FILE)) as file:
        return dict(file.execute("SELECT number, row FROM rows"))


@pytest.mark.long
def test_two_workers_of_a_scheduler_give_the_same_rows_though_one_is_killed(tmp_path):
    sweep(order(tmp_path / "here", jobs=1))
    with scheduler(tmp_path, 2) as (address, workers):
        sweep(order(tmp_path / "there", dask=address))
        assert rows(tmp_path / "there") == rows(tmp_path / "here")
        shutil.rmtree(tmp_path / "there")

        def kill(found):
            if found.fresh == 10:
                workers[0].kill()

        sweep(order(tmp_path / "there", dask=address), kill)
        assert workers[0].wait(10) != 0 and workers[1].poll() is None
    assert rows(tmp_path / "there") == rows(tmp_path / "here")


@pytest.mark.long
def test_a_scheduler_without_workers_and_none_at_all_are_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "_CONNECT_S", 1)
    with scheduler(tmp_path, 0) as (address, _):
        error = refused(Cluster, address)
        assert str(error) == f"the Dask scheduler at `{address}` has no worker"
        assert error.hint == f"`dask worker --nthreads 1 {address}` starts one"
    assert str(refused(Cluster, address)).startswith(f"no Dask scheduler answers at `{address}`")
