"""Write the table of prices that hfspace ships anew, from the Hub's listing (GET /api/spaces/hardware).

Run as `make prices`. HF_ENDPOINT names another Hub. Changes nothing when no price differs, or when the answer
has less than half of the flavors of before: that is no price list.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import httpx

from hfspace.files import write_atomically
from hfspace.live import wire
from hfspace.live.prices import shipped_prices

TABLE = Path(__file__).parents[1] / "src" / "hfspace" / "live" / "prices.json"
LARGEST = 1_000_000


def refreshed(answer: bytes, source: str, today: date) -> str | None:
    """The text of the new table; None where it says the same as the one of before. Raises ValueError."""
    if len(answer) > LARGEST:
        raise ValueError("the answer is too long for a price list")
    listing = json.loads(answer)
    flavors, before = wire.flavors(listing), shipped_prices().flavors
    if len(flavors) * 2 < len(before):
        raise ValueError(f"the answer has {len(flavors)} flavors, and there were {len(before)}")
    if flavors == before:
        return None
    kept = [item for item in listing if isinstance(item, dict) and item.get("name") in flavors]
    document = {"date": today.isoformat(), "source": source, "hardware": kept}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    source = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/") + "/api/spaces/hardware"
    try:
        response = httpx.get(source, timeout=30)
        response.raise_for_status()
        text = refreshed(response.content, source, datetime.now(UTC).date())
    except (httpx.HTTPError, TypeError, ValueError) as error:
        print(f"The prices stay as they are: {error}", file=sys.stderr)
        return 1
    if text is not None:
        write_atomically(TABLE, text)
    print("No price differs." if text is None else f"Written: {TABLE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
