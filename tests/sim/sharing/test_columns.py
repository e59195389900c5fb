"""The tables of a run as Parquet and as pandas' frames: the same rows, and types that stay."""

import json
import sys

import msgspec
import pytest

from sim.results import TABLES, TEXT, ResultError
from sim.sharing.columns import frame, write_parquet
from tests.sim.scenarios import ONE_LINE, called, on_disk


@pytest.fixture
def run(tmp_path):
    return on_disk(tmp_path / "out", parents=True)[0]


@pytest.mark.slow
def test_parquet_holds_the_rows_of_every_table(run, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra `frames` is not installed")
    paths = write_parquet(run, tmp_path / "new" / "folder")
    assert {path.name for path in paths} == {f"{table}.parquet" for table in TABLES}
    for path in paths:
        read = parquet.read_table(path)
        assert tuple(read.column_names) == TABLES[path.stem]
        assert [tuple(row.values()) for row in read.to_pylist()] == run.tables[path.stem]
        assert read.schema.metadata[b"digest"].decode() == run.digest
        assert read.schema.metadata[b"schema"] == b"1"


def test_a_column_is_of_one_type_in_every_run(run, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra `frames` is not installed")
    empty = msgspec.structs.replace(run, tables={key: [] for key in TABLES})
    for folder, one in (("full", run), ("empty", empty)):
        write_parquet(one, tmp_path / folder)
    for table in TABLES:
        full, none = (
            parquet.read_schema(tmp_path / one / f"{table}.parquet") for one in ("full", "empty")
        )
        assert full.types == none.types
        texts = {name for name in full.names if str(full.field(name).type) == "string"}
        assert texts == {*TABLES[table]} & {*TEXT}


def test_a_frame_has_a_column_for_each_of_the_table(run):
    pandas = pytest.importorskip("pandas", reason="the extra `frames` is not installed")
    latency = frame(run, "latency")
    assert isinstance(latency, pandas.DataFrame)
    assert [*latency.columns] == ["share", "delay_ns"]
    assert [*latency["delay_ns"]] == [delay for _, delay in run.tables["latency"]]
    assert [str(kind) for kind in frame(run, "flows").dtypes[:5]] == [*["string"] * 4, "Int64"]


def test_what_did_not_happen_is_missing(run):
    pandas = pytest.importorskip("pandas", reason="the extra `frames` is not installed")
    run.tables["arp_convergence"] = [("h1", "10.0.0.1", 0, None)]
    assert frame(run, "arp_convergence")["resolved_ns"].isna().tolist() == [True]
    assert frame(run, "arp_convergence")["resolved_ns"][0] is pandas.NA


def test_a_table_that_is_not_there_is_one_line(run):
    pytest.importorskip("pandas", reason="the extra `frames` is not installed")
    with pytest.raises(ResultError, match="no table `storms`") as caught:
        frame(run, "storms")
    assert caught.value.hint.startswith("its tables are ")


@pytest.mark.parametrize("cell", [2**70, 0.5])
def test_a_number_that_no_column_holds_is_one_line(run, tmp_path, cell):
    pytest.importorskip("pandas", reason="the extra `frames` is not installed")
    pytest.importorskip("pyarrow", reason="the extra `frames` is not installed")
    run.tables = {"drops": [("h1", "storm", cell)]}
    with pytest.raises(ResultError, match="no column"):
        frame(run, "drops")
    with pytest.raises(ResultError, match="no column"):
        write_parquet(run, tmp_path)


def test_without_the_libraries_it_is_one_line(tmp_path, capsys, monkeypatch):
    run, folder = on_disk(tmp_path / "out")
    for name in ("pandas", "pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    status, said, complaint = called(capsys, "export", folder)
    assert (status, said) == (2, "")
    assert ONE_LINE.fullmatch(complaint) and "virtualtap[frames]" in complaint
    with pytest.raises(ResultError, match="pandas is not installed"):
        frame(run, "latency")


def test_export_says_what_it_wrote(tmp_path, capsys):
    pytest.importorskip("pyarrow", reason="the extra `frames` is not installed")
    _, folder = on_disk(tmp_path / "out")
    status, said, complaint = called(capsys, "export", folder / "run.json")
    assert (status, complaint) == (0, "")
    assert f"parquet: {folder / 'latency.parquet'}\n" in said
    status, said, _ = called(capsys, "export", folder, "--out", tmp_path / "x", "--json")
    told = json.loads(said)
    assert told["schema"] == 1 and str(tmp_path / "x" / "nodes.parquet") in told["parquet"]


def test_what_is_no_run_is_one_line(tmp_path, capsys):
    for command in ("export", "bundle"):
        status, said, complaint = called(capsys, command, tmp_path)
        assert (status, said) == (2, "")
        assert ONE_LINE.fullmatch(complaint)
