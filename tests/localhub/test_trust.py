"""Who may ask the local Hub: this machine under its own names, and nobody's web page."""

from __future__ import annotations

import stat
from pathlib import Path

import httpx
import pytest

from hfspace.localhub import LocalHub

SEED = {"spaces": {"acme/x": {"secrets": {"KEY": "plain-value"}}}}


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", "localhost.evil", ""])
@pytest.mark.parametrize("path", ["/api/spaces", "/_local/requests", "/_edge/acme-x/"])
def test_another_name_for_this_machine_is_refused(host: str, path: str) -> None:
    with LocalHub(seed=SEED) as hub:
        assert httpx.get(f"{hub.url}{path}", headers={"Host": host}).status_code in {400, 403}
        assert httpx.get(f"{hub.url}/api/spaces").status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example"])
def test_a_web_page_of_another_origin_is_refused(origin: str) -> None:
    with LocalHub(seed=SEED) as hub:
        answer = httpx.get(f"{hub.url}/_local/spaces/acme/x", headers={"Origin": origin})
        assert answer.status_code == 403
        assert "plain-value" not in answer.text


@pytest.mark.parametrize("host", ["http://10.0.0.1:80", "http://169.254.169.254", "https://example.com"])
def test_the_edge_leads_nowhere_but_to_this_machine(host: str) -> None:
    with LocalHub(seed={"spaces": {"acme/x": {"stage": "RUNNING", "host": host}}}) as hub:
        answer = httpx.get(f"{hub.url}/_edge/acme-x/", timeout=5)
        assert answer.status_code == 503


def test_a_database_is_its_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    path.touch(0o644)
    with LocalHub(seed=SEED, db=str(path)) as hub:
        assert hub.spaces() == ["acme/x"]
        for file in tmp_path.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_variables_can_be_set_in_the_form_of_the_seed() -> None:
    with LocalHub(seed=SEED) as hub:
        hub.set_space("acme/x", variables={"A": "1", "B": {"value": "2"}})
        token = {"Authorization": "Bearer hf_local_write"}
        answer = httpx.get(f"{hub.url}/api/spaces/acme/x/variables", headers=token)
        assert {key: item["value"] for key, item in answer.json().items()} == {"A": "1", "B": "2"}
