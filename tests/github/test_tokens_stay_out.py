"""hfspace's own tokens can't be put into a plan, and from there into a comment, by way of a manifest."""

from __future__ import annotations

import pytest

from hfspace.errors import ManifestError
from hfspace.manifest.loader import load


@pytest.mark.parametrize("name", ["HF_TOKEN", "HUGGINGFACE_TOKEN", "GITHUB_TOKEN"])
@pytest.mark.parametrize("reference", ["${%s}", "x${%s:-default}x"])
def test_a_token_in_a_value_is_refused(name: str, reference: str) -> None:
    text = f"version: 1\nspaces:\n  acme/x:\n    variables:\n      K: {reference % name}\n"
    with pytest.raises(ManifestError) as error:
        load([("spaces.yaml", text)], env={name: "hf_canary_123456"})
    (problem,) = error.value.problems
    assert (problem.line, problem.message) == (5, f"${{{name}}} is a token, and would stand in every plan")
    assert problem.hint == f"Declare a secret: secrets: {{KEY: {{env: {name}}}}}."
    assert "canary" not in str(error.value.problems)
