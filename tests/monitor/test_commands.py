"""hfspace experiments, against a Trackio in memory: outputs, exit codes, bad input, hostile names."""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from hfspace.errors import NotSupported
from hfspace.live.trackio.port import LogEntry, Series
from tests.monitor.command_line import Cli, rows_of
from tests.monitor.fake import FakeTracker

# ------------------------------------------------------------------ which app


def test_the_space_is_the_option_then_the_environment(cli: Cli) -> None:
    cli("list")
    cli("list", "--space", "https://huggingface.co/spaces/other/space")
    cli("list", "--url", "http://127.0.0.1:7860", "--project", "p", "--backend", "trackio")
    assert [space for space, _ in cli.asked] == ["acme/track", "other/space", None]
    options = cli.asked[-1][1]
    assert (options["url"], options["project"], options["backend"]) == (
        "http://127.0.0.1:7860",
        "p",
        "trackio",
    )


MANIFEST = """version: 1
spaces:
  acme/plain: {hardware: cpu-basic}
  acme/track: {trackio: {backend: trackio, project: smol}}
"""


def test_without_both_it_is_the_only_trackio_space_of_the_manifest(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRACKIO_SPACE_ID")
    (tmp_path / "spaces.yaml").write_text(MANIFEST)
    assert cli("list")[0] == 0
    space, options = cli.asked[-1]
    assert (space, options["backend"], options["project"]) == ("acme/track", "trackio", "smol")
    cli("list", "--project", "other")
    assert cli.asked[-1][1]["project"] == "other"


def test_several_or_no_trackio_spaces_are_an_error(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRACKIO_SPACE_ID")
    code, _, err = cli("list")
    assert code == 1
    assert "Which Trackio Space?" in err
    (tmp_path / "spaces.yaml").write_text(MANIFEST + "  acme/other: {experiments: {x: {}}}\n")
    code, _, err = cli("list")
    assert code == 1
    assert "2 Trackio Spaces: acme/track, acme/other" in err
    assert cli.asked == []


def test_a_broken_manifest_matters_only_where_it_is_needed(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "spaces.yaml").write_text("nonsense: [")
    assert cli("list")[0] == 0
    monkeypatch.delenv("TRACKIO_SPACE_ID")
    assert cli("list")[0] == 1


# ------------------------------------------------------------------ reading and writing


def test_list_and_show(filled: Cli) -> None:
    code, out, _ = filled("list")
    assert code == 0
    assert out.splitlines()[0].split() == [
        "NAME", "ID", "STATUS", "ENTRIES", "PARAMETERS", "LATEST",
    ]  # fmt: skip
    assert " ".join(out.splitlines()[1].split()) == "run-a exp_1 running 10 1 step 90: loss 0.1"
    assert "2 experiments." in out
    filled.tracker.update_status("run-b", "failed")
    assert [item["name"] for item in filled.json("list", "--status", "failed")["experiments"]] == ["run-b"]
    code, out, _ = filled("show", "run-a")
    assert "description  about it" in out
    assert "loss = 0.1" in out
    assert "lr = 0.1" in out
    assert filled.json("show", "exp_2")["experiment"]["name"] == "run-b"


def test_create_may_be_repeated(cli: Cli) -> None:
    first = cli.json("create", "x", "--description", "d", "--parameters", '{"lr": 1}')
    second = cli.json("create", "x", "--parameters", '{"lr": 2}')
    assert (first["created"], second["created"]) == (True, False)
    assert first["experiment"]["id"] == second["experiment"]["id"]
    assert cli.tracker.named("x").parameters == {"lr": 1}
    code, out, err = cli("create", "x", "--parameters", '{"lr": 2}')
    assert (code, out) == (0, "Exists already, nothing was changed: 'x' (exp_1)\n")
    assert "log-parameters" in err


def test_single_writes(filled: Cli, tmp_path: Path) -> None:
    file = tmp_path / "p.json"
    file.write_text('{"batch_size": 8}')
    assert (
        filled("log-parameters", "run-a", f"@{file}")[1] == "1 parameter logged, 2 in all: 'run-a' (exp_1)\n"
    )
    code, out, _ = filled("log-metrics", "run-a", '{"loss": 0.5, "acc": 1}', "--step", "-3")
    assert (code, out) == (0, "Logged 2 metrics at step -3: 'run-a'.\n")
    assert filled.tracker.logged("run-a")[-1] == (-3, {"loss": 0.5, "acc": 1})
    assert filled("status", "run-a", "completed")[1] == "Now completed: 'run-a' (exp_1)\n"


def test_what_an_app_cannot_do_is_one_sentence(cli: Cli) -> None:
    cli.tracker = FakeTracker(keyed=True)
    cli("create", "x")
    code, out, err = cli("status", "x", "completed")
    assert (code, out) == (1, "")
    assert err == "hfspace: Official trackio holds no status.\n"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("show", "nope"), "There is no experiment nope"),
        (("status", "run-a", "archived"), "'archived' is not one of"),
        (("log-metrics", "run-a", "{bad"), "Metrics are not JSON"),
        (("log-metrics", "run-a", "[1]"), "must be a JSON object"),
        (("log-metrics", "run-a", "{}"), "with something in it"),
        (("log-metrics", "run-a", '{"a": NaN}'), "NaN is no JSON number"),
        (("log-metrics", "run-a", '{"a": 1e999}'), "too large a number"),
        (("log-metrics", "run-a", '{"a": %s}' % ("9" * 5000)), "Metrics are not JSON"),
        (("log-metrics", "run-a", '{"a": [1]}'), "Metric 'a' is no number, text, true or false"),
        (("log-metrics", "run-a", '{"a": {"b": 1}}'), "Metric 'a' is no number"),
        (("log-metrics", "run-a", '{"a": null}'), "Metric 'a' is no number"),
        (("log-metrics", "run-a", '{"a": 1}', "--step", "1.5"), "not a valid integer"),
        (("log-metrics", "run-a", "@none.json"), "none.json can't be read"),
        (("log-parameters", "run-a", "[" * 100_000), "Parameters are not JSON"),
        (("create", "a\nb"), "can't be the name"),
        (("create", " a"), "can't be the name"),
        (("create", ""), "it is empty"),
        (("plot", "run-a", "--metric", "lss"), "has no values of lss"),
        (("plot", "run-a", "--out", "x.gif"), "no known form"),
        (("plot", "run-a", "--out", "none/x.svg"), "can't be written"),
        (("compare", "run-a"), "takes two"),
        (("compare", "run-a", "run-a"), "takes two"),
        (("compare", "run-a", "nope"), "no experiment nope"),
        (("export", "--out", "x.xlsx"), "no known form"),
        (("export", "nope"), "no experiment nope"),
        (("list", "--space", "a/b", "--url", "http://x"), "not both"),
        (("list", "--space", "not a space"), "is not a Space"),
        (("nope",), "No such command"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_1(filled: Cli, args: tuple[str, ...], says: str) -> None:
    before = (dict(filled.tracker.experiments), {k: list(v) for k, v in filled.tracker.entries.items()})
    code, out, err = filled(*args)
    assert (code, out) == (1, "")
    assert says in err
    assert "Traceback" not in err
    assert before == (filled.tracker.experiments, filled.tracker.entries)


def test_several_of_one_name_are_refused(cli: Cli) -> None:
    cli.tracker.create("twin")
    cli.tracker.create("twin")
    assert cli("show", "twin")[0] == 1
    assert cli("create", "twin")[0] == 1
    assert cli("show", "exp_2")[0] == 0
    assert len(cli.tracker.experiments) == 2


def test_an_app_that_dies_between_two_calls(filled: Cli) -> None:
    calls: list[str] = []

    def fault(call: str) -> str | None:
        calls.append(call)
        return "before" if len(calls) > 1 else None

    filled.tracker.fault = fault
    code, out, err = filled("compare", "run-a", "run-b")
    assert (code, out, err) == (1, "", "hfspace: No answer.\n")


@pytest.mark.parametrize("args", [("simulate", "run-a"), ("demo",)])
def test_made_up_data_is_written_only_when_asked(
    filled: Cli, args: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", open("/dev/null"))  # noqa: SIM115 - lives as long as the test
    code, _, err = filled(*args)
    assert code == 1
    assert "--yes" in err
    assert len(filled.tracker.experiments) == 2
    assert filled(*args, "--yes")[0] == 0
    written = sum(len(entries) for entries in filled.tracker.entries.values())
    assert written == 40
    help_text = filled(args[0], "--help")[1]
    assert "WRITES" in help_text
    sys.stdin.close()


# ------------------------------------------------------------------ pictures and files


def test_a_plot_is_drawn_here_or_written(filled: Cli, tmp_path: Path) -> None:
    code, out, _ = filled("plot", "run-a")
    assert code == 0
    assert "run-a: loss" in out
    assert any(char in out for char in "▘▝▀▖▌▞▛▗▚▐▜▄▙▟█")
    assert filled("plot", "run-a", "--out", "a.svg", "--log-y")[0] == 0
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert len(root.findall("{http://www.w3.org/2000/svg}polyline")) == 1
    assert filled("compare", "run-a", "run-b", "--out", "b.html")[0] == 0
    page = (tmp_path / "b.html").read_text()
    assert page.count("<polyline") == 2
    assert "default-src 'none'" in page
    assert "<td>run-b</td><td>10</td>" in page


def test_series_as_json(filled: Cli) -> None:
    (series,) = filled.json("plot", "run-a")["series"]
    assert [point["step"] for point in series["points"]] == list(range(0, 100, 10))
    assert len(filled.json("compare", "run-a", "run-b")["series"]) == 2


@pytest.mark.parametrize("name", ["x.png", "X.PNG"])
def test_png_without_matplotlib_says_what_to_install(
    filled: Cli, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)  # type: ignore[arg-type]
    calls = len(filled.tracker.calls)
    code, _, err = filled("plot", "run-a", "--out", name)
    assert code == 1
    assert "pip install 'hfspace[plot]'" in err
    assert len(filled.tracker.calls) == calls
    assert list(tmp_path.glob("*.png")) == []


def test_png(filled: Cli, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert filled("compare", "run-a", "run-b", "--out", "x.png")[0] == 0
    assert (tmp_path / "x.png").read_bytes()[:4] == b"\x89PNG"


def test_export_is_everything_that_can_be_read(filled: Cli, tmp_path: Path) -> None:
    code, out, err = filled("export")
    assert code == 0
    lines = [json.loads(line) for line in out.splitlines()]
    assert lines[0]["hfspace_export"] == 1
    assert [line["name"] for line in lines if line.get("type") == "experiment"] == ["run-a", "run-b"]
    assert sum(line.get("type") == "metric" for line in lines) == 20
    assert "names only the metrics of an experiment's last entry" in err
    filled("export", "run-b", "--out", "m.csv")
    rows = rows_of(tmp_path / "m.csv")
    assert {row["name"] for row in rows} == {"run-b"}
    assert [float(row["value"]) for row in rows] == [1 / (1 + step) for step in range(10)]
    filled("export", "--out", "e.csv", "--table", "experiments")
    table = rows_of(tmp_path / "e.csv")
    assert [json.loads(row["parameters"]) for row in table] == [{"lr": 0.1}] * 2


CANARY = "canaryTOKEN0123456789"


@pytest.mark.parametrize("name", ["x.csv", "x.json", "x.jsonl", "e.csv", "x.parquet"])
def test_an_export_holds_no_secret_that_is_known(
    filled: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    monkeypatch.setenv("HF_TOKEN", CANARY)
    filled.tracker.log_parameters("run-a", {"token": CANARY, CANARY: [1], "lr": 0.5})
    filled.tracker.log_metrics("run-a", [LogEntry(metrics={"loss": 1.0, f"m {CANARY}": 2.0})])
    table = ["--table", "experiments"] if name == "e.csv" else []
    assert filled("export", "run-a", "--metric", f"m {CANARY}", "--out", name, *table)[0] == 0
    content = (tmp_path / name).read_bytes()
    assert CANARY.encode() not in content
    assert b"run-a" in content


def test_a_drawing_holds_no_secret_that_is_known(
    filled: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", CANARY)
    filled.tracker.log_metrics("run-a", [LogEntry(metrics={f"m {CANARY}": 2.0}, step=1)])
    for name in ("x.svg", "x.html"):
        filled("plot", "run-a", "--metric", f"m {CANARY}", "--out", name)
        assert CANARY not in (tmp_path / name).read_text()


def test_export_says_what_it_lacks(filled: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def plot(ref: str, metric: str, project: str | None = None) -> Series:
        if metric == "hidden":
            raise NotSupported("The app draws 15 metrics only.")
        found = FakeTracker.plot(filled.tracker, ref, metric, project)
        return replace(found, points=found.points[:4])

    monkeypatch.setattr(filled.tracker, "plot", plot)
    filled.tracker.log_metrics("run-a", [LogEntry(metrics={"loss": 1.0, "note": "text"})])
    code, out, err = filled("export", "run-a", "--metric", "hidden")
    assert code == 0
    assert "metric 'hidden' can't be read. The app draws 15 metrics only." in err
    assert "'run-a' has 11 entries; at most 4 values of a metric were read." in err
    assert "metric 'note' is no number" in err
    assert len(json.loads(out.splitlines()[0])["missing"]) == 4


def test_an_export_that_fails_leaves_the_old_file(filled: Cli, tmp_path: Path) -> None:
    old = tmp_path / "x.csv"
    old.write_text("old")
    filled.tracker.fault = lambda call: "before" if call == "plot" else None
    assert filled("export", "--out", "x.csv")[0] == 1
    assert old.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_parquet_without_pyarrow_says_what_to_install(filled: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)  # type: ignore[arg-type]
    code, _, err = filled("export", "--out", "x.parquet")
    assert code == 1
    assert "pip install 'hfspace[parquet]'" in err


def test_parquet(filled: Cli, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert filled("export", "--out", "x.parquet")[0] == 0
    rows = parquet.read_table(tmp_path / "x.parquet").to_pylist()
    assert [row["value"] for row in rows[:3]] == [1.0, 0.5, 1 / 3]
    assert filled("export", "--table", "experiments", "--out", "x.parquet")[0] == 0
    assert parquet.read_table(tmp_path / "x.parquet").num_rows == 2


@pytest.mark.parametrize(
    "name",
    ["list", "show", "create", "status", "log-metrics", "log-parameters", "plot", "compare", "simulate",
     "demo", "export", "sync"],
)  # fmt: skip
def test_every_command_has_help_with_an_example(cli: Cli, name: str) -> None:
    code, out, _ = cli(name, "--help")
    assert code == 0
    assert f"hfspace experiments {name}" in out
    assert "--space" in out


def test_export_as_one_json_document(filled: Cli, tmp_path: Path) -> None:
    filled.tracker.log_metrics("run-b", [LogEntry(metrics={"loss": float("nan")}, step=1)])
    assert filled("export", "--out", "x.json")[0] == 0
    document = json.loads((tmp_path / "x.json").read_text(), parse_constant=pytest.fail)
    assert document["format_version"] == 1
    first, second = document["experiments"]
    assert (first["name"], first["series"][0]["metric"]) == ("run-a", "loss")
    assert first["series"][0]["points"][1] == {"step": 10, "value": 0.5, "time": "t"}
    assert second["series"][0]["points"][-1]["value"] is None
    assert filled("export", "--format", "json")[1] == (tmp_path / "x.json").read_text()


def test_export_for_excel(filled: Cli, tmp_path: Path) -> None:
    filled.tracker.create("=HYPERLINK(1)", description="＝1+1")
    filled.tracker.create("-5.5e3", description="-cmd")
    filled.tracker.log_metrics("run-a", [LogEntry(metrics={"loss": -0.25}, step=-1)])
    assert filled("export", "--format", "excel", "--out", "x.csv", "--table", "experiments")[0] == 0
    assert filled("export", "--format", "excel", "--out", "y.csv")[0] == 0
    raw = (tmp_path / "x.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfid,name,")
    assert raw.count(b"\n") == raw.count(b"\r\n") == 5
    with (tmp_path / "x.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = {row["name"]: row["description"] for row in csv.DictReader(file)}
    assert cells["'=HYPERLINK(1)"] == "'＝1+1"
    assert cells["-5.5e3"] == "'-cmd"
    assert ",loss,-1,-0.25," in (tmp_path / "y.csv").read_text(encoding="utf-8-sig")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--out", "x.xlsx"), "no known form"),
        (("--format", "parquet"), "Name it: --out FILE.parquet"),
    ],
)
def test_a_form_that_can_not_be_written_is_said_before_anything_is_read(
    filled: Cli, args: tuple[str, ...], says: str
) -> None:
    calls = len(filled.tracker.calls)
    code, out, err = filled("export", *args)
    assert (code, out, len(filled.tracker.calls)) == (1, "", calls)
    assert says in err


def test_upload_artifact(filled: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "my model"
    folder.mkdir()
    (folder / "weights.bin").write_bytes(b"w" * 1500)
    (folder / "config.json").write_text("{}")
    filled.tracker.keyed = True
    code, out, err = filled("upload-artifact", "run-a", str(folder))
    assert code == 0, err
    digest = hashlib.sha256(b"w" * 1500).hexdigest()
    assert out.splitlines()[1] == f"{digest}  weights.bin"
    assert err.splitlines()[-1] == "my-model v0: 2 files, 1.5 kB, 1.5 kB sent."
    assert "weights.bin: 1.5 kB of 1.5 kB" in err
    found = filled.json("upload-artifact", "run-a", str(folder / "weights.bin"), "--name", "best")["artifact"]
    assert (found["name"], found["version"], found["bytes"], found["sent"]) == ("best", "v0", 1500, 1500)
    assert found["files"] == [{"path": "weights.bin", "size": 1500, "sha256": digest}]


def test_upload_artifact_where_there_are_none(filled: Cli, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    code, out, err = filled("upload-artifact", "run-a", str(tmp_path / "x"))
    assert (code, out) == (1, "")
    assert "It holds no artifacts." in err
    assert filled("upload-artifact", "run-a", str(tmp_path / "nowhere"))[0] != 0
    code, _, err = filled("upload-artifact", "run-a", str(tmp_path / "x"), "--name", "a b")
    assert code != 0
    assert "can't be the name of an artifact" in err


def test_metrics_may_be_text_true_and_false(filled: Cli) -> None:
    assert filled("log-metrics", "run-a", '{"ok": true, "note": "x", "loss": 0.5}', "--step", "7")[0] == 0
    assert filled.tracker.logged("run-a")[-1] == (7, {"ok": True, "note": "x", "loss": 0.5})
