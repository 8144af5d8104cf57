"""hfspace schema: the JSON Schema of the manifest."""

from __future__ import annotations

import json

from hfspace.cli.context import Context, hfspace_command
from hfspace.manifest.schema import json_schema


@hfspace_command(manifest=False, name="schema", epilog="\b\nExample:\n  hfspace schema > spaces.schema.json")
def command(context: Context) -> int:
    """Print the JSON Schema of the manifest, for editors and for CI."""
    context.echo(json.dumps(json_schema(), indent=2))
    return 0
