"""examples/runners: each file passes the checker of its own kind, and what it runs is run here."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import kubernetes_validate
import pytest
import yaml
from kubernetes_validate.utils import ValidationError

from hfspace.applier.watch import Tick
from hfspace.cli.main import cli
from hfspace.cli.metrics import metrics
from hfspace.localhub import LocalHub

ROOT = Path(__file__).resolve().parents[2]
RUNNERS = ROOT / "examples" / "runners"
PATH = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
UNITS = sorted((RUNNERS / "systemd").iterdir())
DOCKERFILE = RUNNERS / "docker" / "Dockerfile"
SCHEDULE = RUNNERS / "hub-job" / "schedule.sh"
PAGE = (ROOT / "docs" / "runners.md").read_text(encoding="utf-8")


def cron_job(name: str) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((RUNNERS / "kubernetes" / f"{name}.yaml").read_text())
    return parsed


def container(job: dict[str, Any]) -> dict[str, Any]:
    one: dict[str, Any] = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    return one


def run(*command: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **PATH, **env},
        capture_output=True,
        text=True,
        timeout=60,
    )


def parse(arguments: list[str]) -> str:
    """The command that hfspace's own parser reads in `arguments`; raises click.UsageError."""
    with cli.make_context("hfspace", list(arguments)) as group:
        name, command, rest = cli.resolve_command(group, [*group._protected_args, *group.args])
        assert command is not None
        command.make_context(str(name), rest, parent=group).close()
    return str(name)


def test_the_page_names_every_file() -> None:
    for path in RUNNERS.rglob("*"):
        if path.is_file() and path.name not in {"spaces.yaml", "kustomization.yaml"}:
            assert f"`{path.name}`" in PAGE, path
        assert path.is_file() or str(path.relative_to(ROOT)) in PAGE


# ------------------------------------------------------------ systemd


def commands() -> dict[str, list[str]]:
    """What each runner gives to hfspace."""
    lines = {unit.name: re.search(r"^ExecStart=\S+/hfspace (.*)", unit.read_text(), re.M) for unit in UNITS}
    image = re.search(r"^CMD (\[.*\])", DOCKERFILE.read_text(), re.M)
    job = re.search(r"exec hfspace (.*)'$", SCHEDULE.read_text(), re.M)
    sharded = container(cron_job("fleet-cronjob"))["args"][0].replace(
        "$((JOB_COMPLETION_INDEX + 1))/$SHARES", "1/4"
    )
    assert image
    assert job
    return {
        **{name: shlex.split(line[1]) for name, line in lines.items() if line},
        "Dockerfile": yaml.safe_load(image[1]),
        "schedule.sh": shlex.split(job[1]),
        "cronjob": container(cron_job("cronjob"))["args"],
        "fleet-cronjob": shlex.split(sharded)[2:],
    }


def test_every_command_is_one_of_ours() -> None:
    assert {name: parse(line) for name, line in commands().items()} == {
        "hfspace-watch.service": "watch",
        "hfspace-apply.service": "apply",
        "Dockerfile": "watch",
        "schedule.sh": "apply",
        "cronjob": "apply",
        "fleet-cronjob": "apply",
    }
    with pytest.raises(click.UsageError):
        parse(["apply", "--yess"])


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="this machine has no systemd")
def test_the_units_pass_systemd_and_say_little_to_an_intruder(tmp_path: Path) -> None:
    here = str(Path(sys.executable).parent)
    for unit in UNITS:
        (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/hfspace/bin", here))
    verified = run("systemd-analyze", "verify", "--man=no", *sorted(tmp_path.iterdir()))
    assert (verified.returncode, verified.stderr) == (0, "")
    for service in tmp_path.glob("*.service"):
        assert run("systemd-analyze", "security", "--offline=yes", "--threshold=20", service).returncode == 0
    service.write_text(service.read_text().replace("DynamicUser=", "DynamicUsr="))
    assert "DynamicUsr" in run("systemd-analyze", "verify", "--man=no", service).stderr


def test_the_timer_starts_a_unit_that_is_there() -> None:
    for timer in (unit for unit in UNITS if unit.suffix == ".timer"):
        assert timer.with_suffix(".service") in UNITS


# ------------------------------------------------------------ Docker


def test_the_dockerfile_passes_hadolint(tmp_path: Path) -> None:
    checked = run("hadolint", DOCKERFILE)
    assert (checked.returncode, checked.stdout) == (0, "")
    broken = tmp_path / "Dockerfile"
    broken.write_text(DOCKERFILE.read_text().replace("USER 10001", "USER root"))
    assert "DL3002" in run("hadolint", broken).stdout


def test_the_build_stage_has_all_that_the_build_needs(tmp_path: Path) -> None:
    """The wheel is built from nothing but what the Dockerfile copies and its ignore file lets through."""
    allowed = [
        line[1:] for line in Path(f"{DOCKERFILE}.dockerignore").read_text().splitlines() if line[:1] == "!"
    ]
    copies = re.findall(r"^COPY (?!--from)(.*) (\S+)$", DOCKERFILE.read_text(), re.M)
    for sources, target in copies:
        for source in sources.split():
            assert source in allowed
            to = tmp_path / (source if target == "./" else target)
            to.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, to, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / source, to)
    build = (
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--quiet",
    )
    done = run(*build, "--wheel-dir", tmp_path / "out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out").glob("hfspace-*.whl"))) == 1


def test_the_health_check_is_what_watch_answers() -> None:
    check = re.search(r"HEALTHCHECK .*\\\n +CMD (\[.*\])", DOCKERFILE.read_text())
    assert check
    *python, code = yaml.safe_load(check[1])
    notes: list[str] = []
    with metrics(0, 600, notes.append) as figures:
        port = re.search(r":(\d+)/", notes[0])
        assert port
        here = code.replace("9464", port[1])
        assert here != code
        assert run(*python, here).returncode != 0
        figures.report(Tick())
        assert run(*python, here).returncode == 0


def test_the_compose_file_is_one_by_its_schema() -> None:
    file = RUNNERS / "docker" / "compose.yml"
    checked = run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", file)
    assert checked.returncode == 0, checked.stdout
    service = yaml.safe_load(file.read_text())["services"]["hfspace"]
    assert (file.parent / service["build"]["context"]).resolve() == ROOT
    assert (ROOT / service["build"]["dockerfile"]) == DOCKERFILE


# ------------------------------------------------------------ Kubernetes


@pytest.mark.parametrize("name", ["cronjob", "fleet-cronjob"])
def test_kubernetes_takes_it(name: str) -> None:
    job = cron_job(name)
    for version in ("1.33", "1.37"):
        kubernetes_validate.validate(job, version, strict=True)
    container(job)["imagePullPolice"] = "Always"
    with pytest.raises(ValidationError):
        kubernetes_validate.validate(job, "1.33", strict=True)


def test_a_run_ends_before_the_next_one_and_never_beside_it() -> None:
    for name, minutes in (("cronjob", 10), ("fleet-cronjob", 30)):
        spec = cron_job(name)["spec"]
        assert spec["schedule"] == f"*/{minutes} * * * *"
        assert spec["concurrencyPolicy"] == "Forbid"
        assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] < minutes * 60


def test_a_config_map_as_the_kubelet_mounts_it_is_read(tmp_path: Path) -> None:
    """Its files are links to links, and the folder is another one after each change."""
    (tmp_path / "..2026_11_25").mkdir()
    shutil.copy(RUNNERS / "kubernetes" / "spaces.yaml", tmp_path / "..2026_11_25")
    (tmp_path / "..data").symlink_to("..2026_11_25")
    (tmp_path / "spaces.yaml").symlink_to("..data/spaces.yaml")
    done = run("hfspace", "validate", HFSPACE_FILE=f"{tmp_path}/*.yaml")
    assert done.stdout.startswith("Valid: 1 Space"), done.stderr


def test_the_pods_of_the_indexed_job_take_every_space_once(tmp_path: Path) -> None:
    """The container's own command, in a shell, once for each index, against a Hub."""
    job = cron_job("fleet-cronjob")["spec"]["jobTemplate"]["spec"]
    pod = container(cron_job("fleet-cronjob"))
    shares = int(next(item["value"] for item in pod["env"] if item["name"] == "SHARES"))
    assert job["completions"] == job["parallelism"] == shares
    fleet = [f"acme/s{number}" for number in range(12)]
    spaces = {space: {"sdk": "gradio", "hardware": "cpu-upgrade", "sleep_time": 3600} for space in fleet}
    manifest = tmp_path / "spaces.yaml"
    manifest.write_text(
        yaml.safe_dump({"version": 1, "spaces": {key: {"sleep_time": "30m"} for key in fleet}})
    )
    with LocalHub(seed={"spaces": spaces}, clock="manual") as hub:
        for index in range(shares):
            env = {"JOB_COMPLETION_INDEX": str(index), "SHARES": str(shares), "HFSPACE_FILE": str(manifest)}
            done = run(*pod["command"], *pod["args"], HF_ENDPOINT=hub.url, HF_TOKEN=hub.token, **env)
            assert done.returncode == 0, done.stderr
        touched = [entry.path.split("/")[3:5] for entry in hub.writes()]
    assert sorted("/".join(one) for one in touched) == sorted(fleet)


# ------------------------------------------------------------ a Job of the Hub


def test_hf_reads_the_scheduled_job_as_it_is_meant() -> None:
    """`sh -euc` once lost its options to hf's own `-e`."""
    names = ("acme", "acme/fleet", "0" * 40, "WHISPER_TOKEN")
    done = run(SCHEDULE, *names, DRY_RUN="1", HF_TOKEN="hf_x", HF_HUB_DISABLE_UPDATE_CHECK="1")
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^  (\w+) +(.*(?:\n   .*)*)", done.stdout, re.M)
    shown = {key: " ".join(value.split()) for key, value in rows}
    assert shown["schedule"] == "*/10 * * * *"
    assert shown["command"].startswith("sh -euc ' git clone")
    assert shown["env"] == f"HFSPACE=https://github.com/OWNER/hfspace COMMIT={'0' * 40}"
    assert shown["secrets"] == "HF_TOKEN=*** WHISPER_TOKEN=<not set>"
    assert shown["volumes"] == "hf://datasets/acme/fleet:/fleet:ro"
    assert shown["namespace"] == "acme"
    assert run("sh", SCHEDULE).returncode == 1
