"""Runs made up for the tests of reports: one whole, bare, empty, failed, hostile."""

from sim.results import Failure, Rows, Run

MS, SECOND = 10**6, 10**9

TEXT = """\
name = "two-sites"
seed = 7
until = "1s"
"""

GRAPH = {
    "directed": False,
    "multigraph": False,
    "graph": {},
    "nodes": [
        {"id": "Oslo", "kind": "hub", "latitude": 59.91, "longitude": 10.75},
        {"id": "Bergen", "kind": "hub", "latitude": 60.39, "longitude": 5.32},
        {"id": "St. Olav", "kind": "hub", "latitude": 63.43, "longitude": 10.4},
        {"id": "tap1", "kind": "tap"},
        {"id": "h1", "kind": "host"},
        {"id": "s1", "kind": "station"},
        {"id": "gw1", "kind": "gateway"},
    ],
    "edges": [
        {"source": "Oslo", "target": "Bergen", "delay": 2 * MS, "rate": 10**9},
        {"source": "Oslo", "target": "St. Olav", "delay": 3 * MS, "rate": 10**9},
        {"source": "Bergen", "target": "tap1"},
        {"source": "tap1", "target": "h1"},
        {"source": "Oslo", "target": "s1"},
        {"source": "Oslo", "target": "gw1"},
    ],
}

TABLES: dict[str, Rows] = {
    "arp_convergence": [
        ("h1", "10.0.0.254", 0, 20 * MS),
        ("s1", "10.0.0.1", 10 * MS, 5 * MS),  # it had heard before it asked
        ("s1", "10.0.0.254", 10 * MS, 14 * MS),
        ("s1", "10.0.0.77", 30 * MS, None),
    ],
    "broadcast_learning": [
        ("Oslo", "02:00:5e:00:00:01", 1 * MS, 1),
        ("Bergen", "02:00:5e:00:00:01", 3 * MS, 1),
        ("Oslo", "02:00:5e:00:00:02", 10 * MS, 0),
        ("Bergen", "02:00:5e:00:00:02", None, 0),
    ],
    "latency": [(share / 10, (share + 1) * MS) for share in range(11)],
    "throughput": [
        (250 * MS, 8000, 4000),
        (500 * MS, 8000, 8000),
        (750 * MS, 8000, 8000),
        (1000 * MS, 0, 2000),
    ],
    "flows": [
        ("ping1", "ping", "h1", "gw1", 40, 38, 0, 0, 6 * MS, 10 * MS, 11 * MS, 9 * MS),
        ("ping2", "ping", "s1", "h1", 40, 0, 0, 0, None, None, None, None),
    ],
    "drops": [("Oslo.s1", "storm", 3), ("tap1.lan", "not-for-us", 12)],
    "links": [
        ("Oslo.1", "Bergen.1", 10**9, 2 * MS, 90, 0, 90, 0, 0.25),
        ("Bergen.1", "Oslo.1", 10**9, 2 * MS, 80, 0, 78, 2, 0.125),
        ("St. Olav.1", "Oslo.2", 10**9, 3 * MS, 10, 0, 10, 0, 0.5),
        ("tap1.host", "h1.up", None, 0, 40, 0, 40, 0, None),
    ],
    "nodes": [
        ("Oslo", "hub", 100, 0, 0, 0, 97, 3, 190, 190, 0, 0),
        ("tap1", "tap", 50, 2, 36, 1, 0, 12, 40, 0, 3, 1),
    ],
}

SUMMARY = {
    "schema": 1,
    "scenario": "two-sites",
    "seed": 7,
    "digest": "00112233445566778899aabbccddeeff",
    "verdict": "pass",
    "failed": [],
    "simulated_s": 1.0,
    "setup_s": 0.01,
    "wall_s": 0.05,
    "process_s": 0.5,
    "events": 1234,
    "crossings": 567,
    "delivered": 38,
    "dropped": {"not-for-us": 12, "storm": 3, "link-loss": 2, "malformed": 0},
    "arp_convergence_s": None,
    "arp_unresolved": 1,
    "broadcast_learning": {"share": 0.75, "time_to_all_s": None, "flooded_share": 0.1},
    "latency_s": {"p50": 0.006, "p90": 0.01, "p99": 0.0109, "p999": 0.011},
    "throughput_bps": {"offered": 6000.0, "delivered": 5500.0},
}

# what `--bare` leaves unmeasured
UNMEASURED = {
    "arp_convergence_s": None,
    "arp_unresolved": None,
    "broadcast_learning": {"share": None, "time_to_all_s": None, "flooded_share": None},
    "latency_s": {"p50": None, "p90": None, "p99": None, "p999": None},
    "throughput_bps": {"offered": None, "delivered": None},
}


def a_run(**changes: object) -> Run:
    """Two sites and a third, for one second, with whatever the test changes."""
    usual = {
        "scenario": "two-sites",
        "scenario_text": TEXT,
        "seed": 7,
        "verdict": "pass",
        "failed": [],
        "summary": SUMMARY,
        "digest": SUMMARY["digest"],
        "until_ns": SECOND,
        "max_events": 1_000_000,
        "links_left_out": [("Bergen", "St. Olav")],
        "versions": {"virtualtap": "0.1.0", "python": "3.11.7"},
        "graph": GRAPH,
        "tables": TABLES,
    }
    return Run(**usual | changes)


def a_bare_run() -> Run:
    """As it comes out of `--bare`: counters, and what needs an observer is null."""
    tables = {name: TABLES[name] for name in ("links", "nodes")}
    return a_run(bare=True, digest=None, summary=SUMMARY | UNMEASURED, tables=tables)


def an_empty_run() -> Run:
    """As little as a file may hold."""
    return a_run(summary={}, graph={}, tables={}, links_left_out=[], versions={}, scenario_text="")


def a_failed_run() -> Run:
    """Two expectations missed, and things to remark."""
    failed = [
        Failure("arp_convergence_s", None, "at most 0.2", 1.0),
        Failure("dropped.storm", 3, "at most 0", 0.125),
    ]
    return a_run(verdict="fail", failed=failed, remarks=["one link was left out of the cascade"])


EVIL = (
    *(
        "<script>alert(1)</script>",
        "</script><script>alert(1)//",
        "</style><b>",
        "]]>",
        "<!--",
        "-->",
    ),
    *(
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "<a href='javascript:alert(1)'>x</a>",
    ),
    *(
        '" onmouseover="alert(1)',
        "' onfocus='alert(1)",
        "`backticks`",
        "&lt;b&gt;",
        "&amp;",
        "&#60;b&#62;",
    ),
    *(
        "$\\frac{",
        "$x$",
        "$$",
        "\\frac{1}{2}",
        "x_{y}^{z}",
        "_hidden",
        "__",
        "%s %d {0} {{ 7 * 7 }}",
    ),
    *(
        "{% raw %}",
        "[bold]x[/bold]",
        "[/]",
        "[link=http://evil.example]x[/link]",
        "=cmd|' /C calc'!A0",
    ),
    *(
        "\u202egnp.exe",
        "\u2066isolated\u2069",
        "zero\u200bwidth",
        "\u061c\u05d0\u05d1",
        "line\nbreak",
    ),
    *(
        "tab\there",
        "\x1b[31mred\x1b[0m",
        "bell\x07",
        "\x85next",
        "\ufeffbom",
        "\u4e2d\u6587 \U0001f600",
    ),
    *("x" * 256, "https://evil.example/a.js", "../../etc/passwd", "a.b.c", "--help"),
)


def an_evil_run() -> Run:
    """Every evil name wherever a stranger's text can stand."""
    hubs = [{"id": name, "kind": "hub"} for name in EVIL]
    edges = [{"source": EVIL[0], "target": name} for name in EVIL[1:]]
    tables = {
        "arp_convergence": [(name, name, 0, MS) for name in EVIL],
        "broadcast_learning": [(name, name, MS, 1) for name in EVIL],
        "flows": [(name, name, name, name, 1, 1, 0, 0, MS, MS, MS, 0) for name in EVIL],
        "drops": [(name, name, 1) for name in EVIL],
        "links": [(EVIL[0], name, 1, 1, 1, 0, 1, 0, 0.5) for name in EVIL[1:]],
        "nodes": [(name, name, *[1] * 10) for name in EVIL],
    }
    return a_run(
        scenario=EVIL[0],
        scenario_text="\n".join(EVIL),
        verdict=EVIL[1],
        digest=EVIL[2],
        failed=[Failure(name, name, name, 0.5) for name in EVIL],
        remarks=list(EVIL),
        versions={name: name for name in EVIL},
        inputs={name: name for name in EVIL},
        summary=SUMMARY | {"dropped": dict.fromkeys(EVIL, 2), "wall_s": EVIL[0]},
        graph={"nodes": hubs, "edges": edges},
        tables=tables,
        links_left_out=[(EVIL[1], name) for name in EVIL[2:]],
    )
