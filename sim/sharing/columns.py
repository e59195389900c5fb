"""Columns: the tables of a run as Parquet (with pyarrow), or as frames of pandas."""

from importlib import import_module
from pathlib import Path
from typing import Any

from sim.results import SCHEMA, TABLES, TEXT, ResultError, Run

FRACTIONS = ("share", "utilization", "offered_bps", "delivered_bps")  # all others are whole
_EXTRA = "`pip install 'virtualtap[frames]'`"


def frame(run: Run, table: str) -> Any:
    """A table of a run as a `pandas.DataFrame`: text, whole numbers (`Int64`) or fractions.

    What did not happen is missing. ResultError where the run has no such table, or there is no
    pandas.
    """
    pandas = _library("pandas")
    columns = _columns(run, table)
    kinds = {name: _kind(name, "string", "Float64", "Int64") for name in columns}
    try:
        made = {name: pandas.array(cells, dtype=kinds[name]) for name, cells in columns.items()}
    except (ValueError, TypeError, OverflowError):
        raise _unfit(table) from None
    return pandas.DataFrame(made)


def write_parquet(run: Run, folder: Path) -> list[Path]:
    """Every table of a run as `<table>.parquet` in `folder`, which is made if need be.

    The files name scenario, seed, digest and the schema of results. ResultError, as `frame`.
    """
    arrow, parquet = _library("pyarrow"), _library("pyarrow.parquet")
    about = {"scenario": run.scenario, "seed": str(run.seed), "digest": run.digest or ""}
    about["schema"] = str(SCHEMA)
    written = []
    for table in run.tables:
        columns = _columns(run, table)
        kinds = {
            name: _kind(name, arrow.string(), arrow.float64(), arrow.int64()) for name in columns
        }
        try:
            arrays = [arrow.array(cells).cast(kinds[name]) for name, cells in columns.items()]
        except (ValueError, TypeError, OverflowError):
            raise _unfit(table) from None
        made = arrow.Table.from_arrays(arrays, names=[*columns])
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{table}.parquet"
        parquet.write_table(made.replace_schema_metadata(about), path)
        written.append(path)
    return written


def _columns(run: Run, table: str) -> dict[str, list[Any]]:
    if table not in run.tables:
        there = ", ".join(run.tables) or "none"
        raise ResultError(f"the run has no table `{table:.60}`", f"its tables are {there}")
    rows = run.tables[table]
    return {name: [row[i] for row in rows] for i, name in enumerate(TABLES[table])}


def _kind(column: str, text: Any, fraction: Any, whole: Any) -> Any:
    if column in TEXT:
        return text
    return fraction if column in FRACTIONS else whole


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        package = name.partition(".")[0]
        raise ResultError(f"{package} is not installed", _EXTRA) from None


def _unfit(table: str) -> ResultError:
    return ResultError(
        f"the table `{table}` holds what no column of its kind does", "run the scenario again"
    )
