"""What the tables say, row by row."""

import pytest

from reports.tables import TABLES
from tests.reports.builders import a_bare_run, a_run, an_empty_run


def row_of(table, first, runs):
    columns, rows = TABLES[table](runs)
    return next(dict(zip(columns, row, strict=True)) for row in rows if row[0] == first)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "runs", [[a_run()], [a_bare_run()], [an_empty_run()], [a_run(), a_bare_run()]]
)
def test_every_row_has_a_cell_for_each_column(table, runs):
    columns, rows = TABLES[table](runs)
    assert {len(row) for row in rows} <= {len(columns)}
    assert all(isinstance(cell, str) for row in rows for cell in row)


def test_the_summary_says_how_many_pairs_are_unresolved():
    assert row_of("summary", "ARP convergence", [a_run()])["value"] == "1 pair unresolved"


def test_the_summary_of_a_bare_run_says_nothing_where_nothing_was_measured():
    measures = dict(TABLES["summary"]([a_bare_run()])[1])
    assert measures["ARP convergence"] == measures["one-way delay, 99 %"] == "—"
    assert measures["frames dropped"] == "17"


def test_the_summary_has_a_column_for_each_run():
    columns, _ = TABLES["summary"]([a_run(), a_run(seed=8)])
    assert columns == ("measure", "two-sites/7", "two-sites/8")


def test_flows_have_units():
    row = row_of("flows", "ping1", [a_run()])
    assert (row["offered"], row["delivered"], row["median"]) == ("40", "38", "6 ms")


def test_a_flow_that_delivered_nothing_has_no_delays():
    assert row_of("flows", "ping2", [a_run()])["largest"] == "—"


def test_the_most_frequent_drop_comes_first():
    assert [row[1:] for row in TABLES["drops"]([a_run()])[1]] == [
        ("not-for-us", "12"),
        ("storm", "3"),
    ]


def test_links_have_rates_and_utilization():
    row = row_of("links", "Oslo.1", [a_run()])
    assert (row["rate"], row["delay"], row["utilization"]) == ("1 Gbit/s", "2 ms", "25 %")


def test_rows_of_several_runs_start_with_the_run():
    columns, rows = TABLES["nodes"]([a_run(), a_run(seed=8)])
    assert columns[0] == "run"
    assert [row[:2] for row in rows[::2]] == [("two-sites/7", "Oslo"), ("two-sites/8", "Oslo")]
