"""What a manifest may read of the environment: never a secret, and in CI only what is listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from hfspace.errors import ManifestError
from hfspace.manifest.loader import load, load_files
from hfspace.manifest.secrets import oddities, read_local_inputs

CANARY = "canary-5d1c"


def text(value: str, secret: str = "") -> list[tuple[str, str]]:
    return [("spaces.yaml", f"version: 1\nspaces:\n  acme/x:\n    variables: {{L: '{value}'}}\n{secret}")]


@pytest.mark.parametrize(
    "name",
    ["HF_TOKEN", "GH_TOKEN", "ACTIONS_RUNTIME_TOKEN", "AWS_SECRET_ACCESS_KEY", "db_password", "SENTRY_DSN"],
)
def test_a_token_or_a_key_is_never_read_into_a_value(name: str) -> None:
    with pytest.raises(ManifestError) as caught:
        load(text(f"${{{name}}}"), env={name: CANARY})
    assert CANARY not in str(caught.value.problems)


@pytest.mark.parametrize(
    "secret", ["    secrets: {T: {env: W}}", "    secrets:\n      T: {optional: true, 'env': \"W\"}"]
)
def test_the_source_of_a_secret_is_never_read_into_a_value(secret: str) -> None:
    with pytest.raises(ManifestError) as caught:
        load(text("${W}", secret), env={"W": CANARY})
    assert any("source of a secret" in problem.message for problem in caught.value.problems)
    assert CANARY not in str(caught.value.problems)


def test_what_is_listed_is_read_and_nothing_else() -> None:
    env = {"HFSPACE_ENV_NAMES": "MODEL, API_KEY", "MODEL": "m", "API_KEY": "k", "OTHER": "o"}
    assert load(text("${MODEL}-${API_KEY}"), env=env).spaces["acme/x"].variables["L"].value == "m-k"  # type: ignore[index]
    for name in ("OTHER", "HOME"):
        with pytest.raises(ManifestError):
            load(text(f"${{{name}}}"), env=env)
    with pytest.raises(ManifestError):
        load(text("${MODEL}"), env={**env, "HFSPACE_ENV_NAMES": ""})


def test_a_secret_whose_source_is_not_listed_has_no_value(tmp_path: Path) -> None:
    manifest = load(text("x", "    secrets: {T: {env: W}}"), env={})
    assert read_local_inputs(manifest, {"W": CANARY}, tmp_path).secrets
    inputs = read_local_inputs(manifest, {"W": CANARY, "HFSPACE_ENV_NAMES": "V"}, tmp_path)
    assert not inputs.secrets
    assert "not listed" in inputs.unset_secrets["acme/x", "T"]


def test_errors_show_references_and_not_what_they_stand_for() -> None:
    for key in ("hardware", "on_error", "restart"):
        bad = [("spaces.yaml", f"version: 1\nspaces:\n  acme/x:\n    {key}: ['${{V}}']\n    sdk: ${{V}}\n")]
        with pytest.raises(ManifestError) as caught:
            load(bad, env={"V": CANARY})
        assert CANARY not in str(caught.value.problems)


@pytest.mark.parametrize(
    ("content", "value"), [("abc\n", "abc"), ("abc\r\n", "abc"), ("a\nb\n", "a\nb\n"), ("a\r\nb", "a\r\nb")]
)
def test_a_file_of_several_lines_is_a_secret_as_it_is(tmp_path: Path, content: str, value: str) -> None:
    (tmp_path / "key").write_bytes(content.encode())
    manifest = load(text("x", "    secrets: {T: {file: key}}"), env={})
    assert read_local_inputs(manifest, {}, tmp_path).secrets["acme/x", "T"].reveal() == value


def test_a_secret_is_read_from_a_regular_file_below_the_folder_only(tmp_path: Path) -> None:
    import os

    folder = tmp_path / "repo"
    folder.mkdir()
    (tmp_path / "outside").write_text(CANARY)
    (folder / "link").symlink_to(tmp_path / "outside")
    (folder / "zero").symlink_to("/dev/zero")
    os.mkfifo(folder / "fifo")
    for name in ("../outside", "link", "zero", "fifo", "/etc/hostname", "."):
        manifest = load(text("x", f"    secrets: {{T: {{file: '{name}'}}}}"), env={})
        inputs = read_local_inputs(manifest, {}, folder)
        assert not inputs.secrets, name
        assert CANARY not in str(inputs)


def test_a_secret_with_an_odd_end_or_start_is_told(tmp_path: Path) -> None:
    (tmp_path / "bom").write_bytes(b"\xef\xbb\xbfabc\n")
    (tmp_path / "pem").write_bytes(b"a\nb\n")
    secrets = "    secrets: {CR: {env: CR}, BOM: {file: bom}, PEM: {file: pem}, FINE: {env: FINE}}"
    manifest = load(text("x", secrets), env={})
    values = read_local_inputs(manifest, {"CR": "a\r", "FINE": "a"}, tmp_path).secrets
    assert values["acme/x", "CR"].reveal() == "a\r"
    assert oddities(values) == [
        "the secret CR of acme/x ends in white space",
        "the secret BOM of acme/x begins with a byte order mark",
    ]


def test_a_manifest_that_links_out_of_its_folder_shows_no_line_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "repo"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "credentials.yaml").write_text(f"password: {CANARY}: x\n")
    (folder / "spaces.yaml").symlink_to(tmp_path / "credentials.yaml")
    (folder / "folder").symlink_to(tmp_path)
    for name in ("spaces.yaml", "folder/credentials.yaml", "folder"):
        with pytest.raises(ManifestError) as caught:
            load_files([name], env={}, cwd=folder)
        assert CANARY not in str(caught.value.problems)
        assert "link to a file outside" in caught.value.problems[0].message
    (folder / "sub" / "real.yaml").write_text("version: 1\n")
    (folder / "inside.yaml").symlink_to("sub/real.yaml")
    assert load_files(["inside.yaml"], env={}, cwd=folder).ref.files == ("inside.yaml",)
