"""Work for several processes: a task is a JSON text, its row another; who does it changes nothing.

What may be done stands in JOBS: neither a task nor a file names code.
"""

import gc
import importlib
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Protocol

from virtualtap.errors import UsageError

Job = Callable[[str], str]

JOBS = {  # name → module:function, a Job
    "judge": "sim.fuzz.judge:judge_json",
    "discover": "sim.campaigns.discovery:discover_json",
    "sweep": "sim.campaigns.sweep:run_json",
}
TRIES = 3  # workers that one task may take with it
SILENCE_S = 120.0  # a worker that says nothing for so long is taken for dead
_ROW_MAX = _TASK_MAX = 16 * 2**20
_READY = b"+"  # a worker's first word
_DONE, _REFUSED = b"=", b"!"  # before the row, or before why there is none
_LOOK_S = 0.25


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do; `kind` says by which workers, where there are several kinds."""

    number: int
    text: str
    kind: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """A task's row; None where each of TRIES workers died over it."""

    task: Task
    row: str | None


class Team(Protocol):
    """Whoever does tasks."""

    def done(self, job: str, tasks: Iterable[Task]) -> Iterator[Done | None]:
        """The rows as they come, in any order; None: nothing yet, now and then.

        UsageError where a task cannot be done at all.
        """
        ...

    def close(self) -> None: ...


def job(name: str) -> Job:
    """The function of a name in JOBS."""
    module, _, function = JOBS[name].partition(":")
    found: Job = getattr(importlib.import_module(module), function)
    return found


@dataclass(slots=True)
class _Worker:
    kind: int
    process: SpawnProcess
    pipe: Connection
    task: Task | None = None
    since: float = 0.0  # when it last said or was told something
    is_ready: bool = False


@dataclass(slots=True)
class _Waiting:
    """Tasks of one call that no worker has now; no more of `coming` are made than are asked for."""

    job: str
    coming: Iterator[Task]
    queues: dict[int, deque[Task]] = field(default_factory=dict)
    deaths: dict[Task, int] = field(default_factory=dict)

    def next(self, kind: int) -> Task | None:
        queue = self.queues.setdefault(kind, deque())
        while not queue and (task := next(self.coming, None)) is not None:
            self.queues.setdefault(task.kind, deque()).append(task)
        return queue.popleft() if queue else None


class Processes:
    """Long-lived processes of this machine. One that dies is replaced, and its task done again."""

    def __init__(
        self,
        kinds: Iterable[int],
        hash_seeds: tuple[int, ...] = (0,),
        life: Callable[[Connection], None] | None = None,
    ) -> None:
        """A process for each of `kinds`, with the hash seed of its kind; `life` is all it does."""
        self._hash_seeds = hash_seeds
        self._life = life or serve
        self._context = multiprocessing.get_context("spawn")
        self._missing = list(kinds)  # of workers that no task has needed yet
        self._workers: list[_Worker] = []
        self._stillborn = 0  # in a row, up to now

    def done(self, job: str, tasks: Iterable[Task]) -> Iterator[Done | None]:
        waiting = _Waiting(job, iter(tasks))
        for worker in self._workers:
            assert worker.task is None, "one call at a time"
            self._give(worker, waiting.next(worker.kind), job)
        for kind in [*self._missing]:
            if (task := waiting.next(kind)) is not None:
                self._missing.remove(kind)
                self._workers.append(self._started(kind))
                self._give(self._workers[-1], task, job)
        while any(worker.task for worker in self._workers):
            heard = False
            for worker in self._ready():
                for one in self._hear(worker, waiting):
                    heard = True
                    yield one
            if not heard:
                yield None

    def close(self) -> None:
        """End them all; what they were doing is not done."""
        for worker in self._workers:
            _end(worker)
            self._missing.append(worker.kind)
        self._workers.clear()

    def _ready(self) -> list[_Worker]:
        """Those that said something, or died; the silent are ended here."""
        by_pipe = {worker.pipe: worker for worker in self._workers if worker.task}
        heard = wait(list(by_pipe), _LOOK_S)
        ready = [worker for pipe, worker in by_pipe.items() if pipe in heard]
        now = time.monotonic()
        for worker in by_pipe.values():
            if worker not in ready and now - worker.since > SILENCE_S:
                worker.process.kill()
        return ready

    def _hear(self, worker: _Worker, waiting: _Waiting) -> Iterator[Done]:
        task = worker.task
        assert task is not None
        try:
            said = worker.pipe.recv_bytes(_ROW_MAX)
        except (EOFError, OSError):
            yield from self._bury(worker, task, waiting)
            return
        if said == _READY:
            worker.is_ready, worker.since, self._stillborn = True, time.monotonic(), 0
            return
        # at once: what follows takes the caller a while
        self._give(worker, waiting.next(worker.kind), waiting.job)
        if said[:1] == _REFUSED:
            message, _, hint = said[1:].decode().partition("\n")
            raise UsageError(message, hint)
        yield Done(task, said[1:].decode())

    def _bury(self, worker: _Worker, task: Task, waiting: _Waiting) -> Iterator[Done]:
        """Replace a worker that died; its task is next, unless it took too many with it."""
        self._stillborn += not worker.is_ready
        if self._stillborn >= TRIES:
            told = "worker processes end as soon as they begin"
            raise UsageError(
                told, "they say why on stderr; a script needs `if __name__ == '__main__'`"
            )
        _end(worker)
        deaths = waiting.deaths[task] = waiting.deaths.get(task, 0) + worker.is_ready
        if deaths < TRIES:
            waiting.queues.setdefault(task.kind, deque()).appendleft(task)
        place = self._workers.index(worker)
        self._workers[place] = self._started(worker.kind)
        self._give(self._workers[place], waiting.next(worker.kind), waiting.job)
        if deaths >= TRIES:
            yield Done(task, None)

    def _give(self, worker: _Worker, task: Task | None, job: str) -> None:
        worker.task, worker.since = task, time.monotonic()
        if task is not None:
            with suppress(OSError):  # it has died: what it never says will tell
                worker.pipe.send_bytes(f"{job}\n{task.text}".encode())

    def _started(self, kind: int) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=self._life, args=(theirs,), daemon=True)
        with _hidden_interrupts(), _hash_seed(self._hash_seeds[kind]):
            process.start()
        theirs.close()
        return _Worker(kind, process, ours, since=time.monotonic())


def _end(worker: _Worker) -> None:
    worker.process.kill()
    worker.process.join()
    worker.process.close()
    worker.pipe.close()


@contextmanager
def _hidden_interrupts() -> Iterator[None]:
    """A process that starts meanwhile never hears of Ctrl-C: it ends when its parent says so."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _hash_seed(seed: int) -> Iterator[None]:
    """For processes that start meanwhile."""
    before = os.environ.get("PYTHONHASHSEED")
    os.environ["PYTHONHASHSEED"] = str(seed)
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONHASHSEED"]
        else:
            os.environ["PYTHONHASHSEED"] = before


def serve(pipe: Connection, find: Callable[[str], Job] = job) -> None:
    """A worker's life: until its parent closes the pipe, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    known: dict[str, Job] = {}
    with suppress(EOFError, OSError):
        pipe.send_bytes(_READY)
        while True:
            name, _, task = pipe.recv_bytes(_TASK_MAX).decode().partition("\n")
            if name not in known:
                known[name] = find(name)
                gc.freeze()  # what was imported is no garbage: it need not be looked through again
            try:
                answer = _DONE + known[name](task).encode()
            except UsageError as error:
                answer = _REFUSED + f"{error}\n{error.hint}".encode()
            pipe.send_bytes(answer)
