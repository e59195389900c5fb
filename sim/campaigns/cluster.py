"""Work for many machines: tasks go to a Dask scheduler as text, and rows come back as text.

Dask unpickles what its peers send: whoever can speak to the scheduler can run code where its
clients and workers are. So it is this machine's, or TLS, or said to be insecure.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from ipaddress import ip_address
from itertools import islice
from queue import Empty, SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sim import plugins
from sim.campaigns.workers import Done, Task, job
from sim.versions import packages
from virtualtap.errors import UsageError

if TYPE_CHECKING:
    from distributed import Client

_AHEAD = 512  # tasks that the scheduler holds
_LOOK_S = 0.25
_CONNECT_S = 10
_alone = Lock()  # a worker with threads: one run at a time, a defect is planted in all of them


class Cluster:
    """The workers of a Dask scheduler. They have the same version of this program."""

    def __init__(self, address: str, *, insecure: bool = False) -> None:
        """UsageError where it must not be trusted, or is not there."""
        check_address(address, insecure=insecure)
        self._client = _client(address)

    def done(self, job: str, tasks: Iterable[Task]) -> Iterator[Done | None]:
        """As Team says."""
        coming, finished = iter(tasks), SimpleQueue[Any]()
        waiting = {self._submit(job, one, finished): one for one in islice(coming, _AHEAD)}
        while waiting:
            try:
                future = finished.get(timeout=_LOOK_S)
            except Empty:
                yield None
                continue
            task = waiting.pop(future)
            for one in islice(coming, 1):
                waiting[self._submit(job, one, finished)] = one
            yield _done(future, task)

    def close(self) -> None:
        """Tasks that were not done are forgotten."""
        self._client.close(timeout=2)

    def _submit(self, job: str, task: Task, finished: "SimpleQueue[Any]") -> Any:
        """Dask does it again where its worker dies, a few times (`allowed-failures`)."""
        future = self._client.submit(do, job, task.text, packages(), pure=False)
        future.add_done_callback(finished.put)
        return future


def do(name: str, task: str, wanted: dict[str, str]) -> tuple[bool, str]:
    """On a worker: whether it is done, and the row, or why not with a hint."""
    plugins.load()
    if packages() != wanted:
        return False, f"a worker has {packages()}, not {wanted}\ninstall the same versions there"
    with _alone:
        try:
            return True, job(name)(task)
        except UsageError as error:
            return False, f"{error}\n{error.hint}"


def check_address(address: str, *, insecure: bool) -> None:
    """UsageError unless it is this machine, `tls://`, or may be insecure."""
    hint = "name `tcp://127.0.0.1:8786`, or a `tls://` address"
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UsageError(f"`--dask {address:.100}` is no address", hint) from None
    if parts.scheme not in ("tcp", "tls") or host is None or port is None:
        raise UsageError(f"`--dask {address:.100}` is no address of a Dask scheduler", hint)
    if parts.scheme == "tls" or insecure or _is_here(host):
        return
    raise UsageError(
        f"`--dask {address:.100}` is another machine, without TLS: who is on the way can run code",
        f"{hint}, or `--insecure-cluster` where the network is yours alone",
    )


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _client(address: str) -> "Client":
    try:
        from distributed import Client  # noqa: PLC0415  # an extra
    except ImportError:
        raise UsageError(
            "`--dask` needs the package `distributed`", "`pip install virtualtap[dask]`"
        ) from None
    try:
        client = Client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError, RuntimeError) as error:
        words = " ".join(str(error).split()).lower()
        raise UsageError(
            f"no Dask scheduler answers at `{address:.100}`: {words:.200}",
            "`dask scheduler --host 127.0.0.1` starts one",
        ) from None
    try:
        client.wait_for_workers(1, timeout=_CONNECT_S)
    except TimeoutError:
        client.close(timeout=2)
        hint = f"`dask worker --nthreads 1 {address:.100}` starts one"
        raise UsageError(f"the Dask scheduler at `{address:.100}` has no worker", hint) from None
    return client


def _done(future: Any, task: Task) -> Done:
    from distributed import KilledWorker  # noqa: PLC0415  # an extra

    try:
        is_done, text = future.result()
    except KilledWorker:
        return Done(task, None)
    except CancelledError:
        raise UsageError("the Dask scheduler is gone", "what is done is kept: `--resume`") from None
    if not is_done:
        message, _, hint = text.partition("\n")
        raise UsageError(message, hint)
    return Done(task, text)
