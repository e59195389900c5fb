"""One run: a scenario is built, watched, judged and written."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import networkx as nx

from sim import causes, expect, inputs, plugins, results
from sim.actions import enact, phones, servers, timeline, troubles
from sim.build import Built, build
from sim.capture import ETHERNET, RAW_IP, Capture
from sim.faults import Recorder
from sim.guard import guarded, lifted
from sim.laws.invariants import INVARIANTS, Judges
from sim.laws.law import Scene, chosen
from sim.limits import Limits, Stopped, Watch, estimate
from sim.measures import Measures
from sim.node import Medium
from sim.nodes.virtual_tap import Make
from sim.observers import Observer
from sim.results import Failure, Rows, Run
from sim.scenario import SCHEMA, Scenario, decode
from sim.versions import versions
from sim.words import taps
from sim.words.quantities import duration
from sim.words.traffic import Replay
from topologies import Graph, cascade_tree, check, load, populate
from topologies.vocabulary import SITES
from virtualtap.errors import UsageError
from virtualtap.tap import VirtualTap
from virtualtap.units import SECOND, Duration, Instant

Progress = Callable[[Instant, Duration, int], None]  # (now, until, frames so far)
INPUTS = inputs.FOLDER
_SHOW_EVERY_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to run, and how: everything that `vtap run` can say.

    `graph` and `inputs` are those of an earlier run, where it is replayed.
    """

    text: str
    folder: Path  # what file names in the scenario are relative to
    where: str = "scenario"  # how errors call it
    changes: tuple[str, ...] = ()
    seed: int | None = None
    bare: bool = False
    capture: str | None = None
    parents: bool = False  # every frame knows why it was sent
    make: Make = VirtualTap  # what drives each tap
    recorder: Recorder | None = None  # is told what faults decide
    limits: Limits = field(default_factory=Limits)
    graph: Mapping[str, Any] | None = None
    inputs: Mapping[str, Path] = field(default_factory=dict)

    def scenario(self) -> Scenario:
        """The scenario after all changes. UsageError: one line."""
        plugins.load()
        changes = self.changes
        if self.seed is not None:
            changes = (*changes, f"seed={self.seed}")
        if self.capture is not None:
            changes = (*changes, f"capture={self.capture}")
        return decode(self.text, changes, self.where)


def perform(
    order: Order,
    out: Path | None,
    progress: Progress | None = None,
    finish: Callable[[Path], object] | None = None,
    observers: Sequence[Observer] = (),
) -> tuple[Run, Path | None]:
    """Run it and, below `out`, write it: the run, and its folder.

    `finish` may add to the folder before it gets its name: all of it is kept, or nothing. The
    `observers` see the run after all others.
    UsageError, GraphError or ResultError for what cannot be run or written.
    """
    scenario = order.scenario()
    stage = _Stage(order, scenario)
    if out is None:
        return stage.run(None, progress, observers), None
    with results.writing(out, scenario.name, scenario.seed) as folder:
        run = stage.run(folder, progress, observers)
        results.write(run, folder)
        stage.keep_inputs(folder)
        if finish is not None:
            finish(folder)
    return run, out / scenario.name / str(scenario.seed)


def order_of(run: Run, folder: Path, limits: Limits) -> Order:
    """What repeats a run that was written to `folder`: its own graph, inputs and plugins."""
    plugins.load()
    plugins.require(run.versions)
    return Order(
        text=run.scenario_text,
        folder=folder,
        where=str(folder),
        changes=tuple(run.changes),
        seed=run.seed,
        bare=run.bare,
        capture="none",
        limits=replace(limits, events=min(limits.events, run.max_events)),
        graph=run.graph,
        inputs={name: inputs.kept(folder, name, digest) for name, digest in run.inputs.items()},
    )


class _Stage:
    """Everything of one run, from the graph to the verdict."""

    def __init__(self, order: Order, scenario: Scenario) -> None:
        self._order = order
        self._scenario = scenario
        self._until = duration(scenario.until)
        self._expectations = expect.parse(scenario.expect, self._until)
        self._inputs = _inputs(scenario, order)
        self._digests = {name: inputs.digest_of(path) for name, path in self._inputs.items()}
        began = time.perf_counter()
        self._graph, self._left_out = graph_of(order, scenario)
        estimate(self._graph, scenario, order.limits, self._inputs, bare=order.bare)
        described = servers.Described(scenario)
        tap = partial(taps.settings, scenario.taps)
        try:
            self._built = build(
                self._graph,
                scenario.seed,
                ipv6=scenario.ipv6,
                servers=described,
                tap=tap,
                make=order.make,
                spares=troubles.spares(scenario, self._graph),
            )
            self._built.network.decisions = order.recorder
            described.settle(self._built)
            enact.check_taps(scenario, self._built)
            enact.settle_links(scenario, self._built)
            phones.settle(scenario, self._built)
            traffic, self._remarks = enact.traffic(scenario, self._built, self._inputs)
            timeline.arm(self._built.network, enact.happenings(scenario, self._built))
        except UsageError as error:
            raise UsageError(f"`{order.where}`: {error}", error.hint) from None
        self._remarks += expect.strange_reasons(self._expectations)
        for one in traffic:
            one.start()
        flows = [one.flow for one in traffic]
        scene = Scene(scenario, self._built, flows)
        self._judges = Judges(scene, [] if order.bare else chosen(scene, INVARIANTS))
        self._measures = Measures(
            self._built, flows, self._until, bare=order.bare, warmup=scenario.warmup
        )
        self._setup_s = time.perf_counter() - began
        self.causes: causes.Causes | None = None
        self._wall_s = 0.0
        self._process_s = 0.0
        self._shown = 0.0

    def run(
        self, folder: Path | None, progress: Progress | None, observers: Sequence[Observer]
    ) -> Run:
        """Let it happen; `folder` takes the capture."""
        network = self._built.network
        network.observers += self._measures.probes()
        if not self._order.bare:
            network.observers.append(self._judges)
        if self._order.parents:
            self.causes = causes.trace(network)
        capture = self._capture(folder)
        network.observers += observers
        judge = expect.Judge(self._expectations, self._until)
        stopped = ""
        try:
            self._happen(judge, progress)
        except Stopped as stop:
            stopped = str(stop)
            self._remarks.append(stopped)
        finally:
            network.finish()
        if capture is not None and capture.writer.stopped:
            self._remarks.append(f"the capture stopped at {capture.writer.written} frames")
        return self._result(judge, stopped)

    def keep_inputs(self, folder: Path) -> None:
        """Copy the files that the scenario names, so that the run can be repeated from here."""
        for name, path in self._inputs.items():
            (folder / INPUTS).mkdir(exist_ok=True)
            (folder / INPUTS / self._digests[name]).write_bytes(path.read_bytes())

    def _happen(self, judge: expect.Judge, progress: Progress | None) -> None:
        network, until = self._built.network, self._until
        watch = Watch(network, self._order.limits)

        def between() -> None:
            with lifted():
                watch.look()
                if progress is not None and time.perf_counter() - self._shown > _SHOW_EVERY_S:
                    progress(network.now, until, network.crossings())
                    self._shown = time.perf_counter()

        due, looks = {*judge.instants(), until}, self._judges.instants(until)
        with guarded():
            begun = -1
            for instant in sorted(due):
                with self._timed():
                    for stop in (*(one for one in looks if begun < one < instant), instant):
                        network.run(stop, between)
                        self._judges.look(stop)
                        watch.look()  # a short way never comes by `between`
                if instant < until:
                    judge.look(instant, self._measure)
                begun = instant
        if progress is not None:
            progress(network.now, until, network.crossings())

    @contextmanager
    def _timed(self) -> Iterator[None]:
        """What the event loop itself takes, of the wall's time and of the process's."""
        with lifted():
            wall, process = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            with lifted():
                self._wall_s += time.perf_counter() - wall
                self._process_s += time.process_time() - process

    def _measure(self, name: str) -> expect.Value:
        own = {
            "simulated_s": self._built.network.now / SECOND,
            "setup_s": self._setup_s,
            "wall_s": self._wall_s,
            "process_s": self._process_s,
        }
        return own[name] if name in own else self._measures.value(name)

    def _capture(self, folder: Path | None) -> Capture | None:
        scope = self._scenario.capture
        if self._order.bare or folder is None or scope == "none":
            return None
        wanted = {place.lan for place in self._built.places if place.lan != place.speaks}
        ports = {
            port.name: ETHERNET if port.medium is Medium.ETHERNET else RAW_IP
            for node in self._built.network.nodes.values()
            for port in node.ports.values()
            if scope == "all" or port.name in wanted
        }
        if not ports:
            return None
        path, network = folder / results.CAPTURE_FILE, self._built.network
        if self.causes is not None:
            capture = Capture(path, ports, remark=self.causes.because)
        else:
            numbering = causes.number(network, frozenset(ports))
            capture = Capture(path, ports, remark=numbering.remark)
        network.observers.append(capture)
        return capture

    def _result(self, judge: expect.Judge, stopped: str) -> Run:
        scenario, order, measures = self._scenario, self._order, self._measures
        failed = self._judges.failures()
        failed += [] if stopped else judge.failures(self._measure)
        failed += [
            Failure("ledger", line, "balanced", self._built.network.now / SECOND)
            for line in self._built.network.ledger()
        ]
        verdict = "fail" if failed else "stopped" if stopped else "pass"
        tables = self._tables()  # which may have a remark to make
        digest = measures.value("digest")
        summary = {
            "schema": SCHEMA,
            "scenario": scenario.name,
            "seed": scenario.seed,
            "digest": digest,
            "verdict": verdict,
            "failed": [
                {"field": one.field, "value": one.value, "limit": one.limit, "at_s": one.at_s}
                for one in failed
            ],
            **{
                name: self._measure(name)
                for name in ("simulated_s", "setup_s", "wall_s", "process_s")
            },
            **measures.summary(),
        }
        return Run(
            scenario=scenario.name,
            scenario_text=order.text,
            changes=list(order.changes),
            seed=scenario.seed,
            verdict=verdict,
            failed=failed,
            summary=summary,
            digest=None if digest is None else str(digest),
            until_ns=self._until,
            max_events=order.limits.events,
            bare=order.bare,
            remarks=[*self._remarks, *measures.remarks()],
            links_left_out=self._left_out,
            inputs=self._digests,
            versions=versions(),
            graph=nx.node_link_data(self._graph, edges="edges"),
            tables=tables,
        )

    def _tables(self) -> dict[str, Rows]:
        tables = self._measures.tables()
        if self.causes is not None:
            tables["frames"] = self.causes.table()
            if len(self.causes) > causes.ROWS_MAX:
                self._remarks.append(
                    f"the table of frames holds the first {causes.ROWS_MAX} of {len(self.causes)}"
                )
        return tables


def explained(order: Order, progress: Progress | None = None) -> tuple[Run, causes.Causes]:
    """Run it, and know of each frame why it was sent; nothing is written."""
    stage = _Stage(replace(order, parents=True), order.scenario())
    run = stage.run(None, progress, ())
    assert stage.causes is not None
    return run, stage.causes


def built(order: Order) -> Built:
    """The network alone, its traffic armed: to watch it oneself, or to learn that it cannot be."""
    return _Stage(order, order.scenario())._built  # noqa: SLF001  # one file


def graph_of(order: Order, scenario: Scenario) -> tuple[Graph, list[tuple[str, str]]]:
    """The graph with its endpoints, and the links left out of it."""
    if order.graph is not None:
        return _graph_of_run(order.graph, order.where), []
    words = dict(scenario.topology)
    name = words.pop("name")
    loops = words.pop("loops", False)
    if name.lower().endswith((".graphml", ".gml")):
        name = str(order.folder / name)
    graph = load(name, **words)
    kinds = [attributes["kind"] for _, attributes in graph.nodes(data=True)]
    has_endpoints = any(kind not in SITES for kind in kinds)
    left_out: list[tuple[str, str]] = []
    if not loops:
        graph, left_out = cascade_tree(graph)
    if scenario.sites is not None and not has_endpoints:
        sites = scenario.sites
        graph = populate(graph, sites.taps, sites.stations, sites.gateways)
    elif scenario.sites is not None:
        raise UsageError(
            f"`sites`: topology `{name}` has endpoints of its own", "leave `sites` out"
        )
    check(graph)
    return graph, left_out


def _graph_of_run(data: Mapping[str, Any], where: str) -> Graph:
    try:
        graph: Graph = nx.node_link_graph(dict(data), edges="edges")
    except (nx.NetworkXError, LookupError, TypeError, ValueError, AttributeError, RecursionError):
        raise UsageError(
            f"`{where}` holds no graph", "name a folder that `vtap run` wrote"
        ) from None
    check(graph)
    return graph


def _inputs(scenario: Scenario, order: Order) -> dict[str, Path]:
    """Where the files are that the scenario names: beside it, or with the run that is replayed."""
    names = [rule.file for rule in scenario.traffic if isinstance(rule, Replay)]
    if order.graph is None:
        return {name: order.folder / name for name in names}
    for name in names:
        if name not in order.inputs:
            raise UsageError(f"`{order.where}` keeps no file `{name:.60}`", "run it again")
    return {name: order.inputs[name] for name in names}
