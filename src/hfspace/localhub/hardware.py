"""The hardware flavors and prices that the local Hub lists (docs/hub/spaces-gpus.md, August 2026)."""

from __future__ import annotations

from typing import Any

_CPU = {
    "cpu-basic": ("2 vCPU", "16 GB", 0),
    "cpu-upgrade": ("8 vCPU", "32 GB", 3),
    "cpu-xl": ("16 vCPU", "124 GB", 100),
    "cpu-performance": ("32 vCPU", "256 GB", 190),
}
_GPU = {
    "zero-a10g": ("A10G", 1, "24 GB", 0),
    "t4-small": ("T4", 1, "16 GB", 40),
    "t4-medium": ("T4", 1, "16 GB", 60),
    "l4x1": ("L4", 1, "24 GB", 80),
    "l4x4": ("L4", 4, "96 GB", 380),
    "l40sx1": ("L40S", 1, "48 GB", 180),
    "l40sx4": ("L40S", 4, "192 GB", 830),
    "l40sx8": ("L40S", 8, "384 GB", 2350),
    "a10g-small": ("A10G", 1, "24 GB", 100),
    "a10g-large": ("A10G", 1, "24 GB", 150),
    "a10g-largex2": ("A10G", 2, "48 GB", 300),
    "a10g-largex4": ("A10G", 4, "96 GB", 500),
    "a100-large": ("A100", 1, "80 GB", 250),
    "a100x4": ("A100", 4, "320 GB", 1000),
    "a100x8": ("A100", 8, "640 GB", 2000),
    "h200": ("H200", 1, "141 GB", 500),
    "h200x2": ("H200", 2, "282 GB", 1000),
    "h200x4": ("H200", 4, "564 GB", 2000),
    "h200x8": ("H200", 8, "1128 GB", 4000),
    "rtx-pro-6000": ("RTX PRO 6000", 1, "96 GB", 275),
    "rtx-pro-6000x2": ("RTX PRO 6000", 2, "192 GB", 550),
    "rtx-pro-6000x4": ("RTX PRO 6000", 4, "384 GB", 1100),
    "rtx-pro-6000x8": ("RTX PRO 6000", 8, "768 GB", 2200),
}
_HOSTS = {
    "t4-small": ("4 vCPU", "15 GB"),
    "t4-medium": ("8 vCPU", "30 GB"),
    "l4x1": ("8 vCPU", "30 GB"),
    "l4x4": ("48 vCPU", "186 GB"),
    "l40sx1": ("8 vCPU", "62 GB"),
    "l40sx4": ("48 vCPU", "382 GB"),
    "l40sx8": ("192 vCPU", "1534 GB"),
    "a10g-small": ("4 vCPU", "15 GB"),
    "a10g-large": ("12 vCPU", "46 GB"),
    "a10g-largex2": ("24 vCPU", "92 GB"),
    "a10g-largex4": ("48 vCPU", "184 GB"),
    "a100-large": ("12 vCPU", "142 GB"),
}
"""CPU and RAM beside the GPUs, where the same page tells them."""

_ALIASES = {"zerogpu": "zero-a10g"}


def listing() -> list[dict[str, Any]]:
    """GET /api/spaces/hardware: prices per minute, in micro USD."""
    return [_item(name, cpu, ram, cents, None) for name, (cpu, ram, cents) in _CPU.items()] + [
        _item(
            name,
            *_HOSTS.get(name, ("", "")),
            cents,
            {"type": "gpu", "model": model, "quantity": str(count), "vram": vram, "manufacturer": "Nvidia"},
        )
        for name, (model, count, vram, cents) in _GPU.items()
    ]


def known(flavor: object) -> str | None:
    """The flavor by its listed name, or None for one that the Hub does not have."""
    if not isinstance(flavor, str):
        return None
    name = _ALIASES.get(flavor, flavor)
    return name if name in _CPU or name in _GPU else None


def micro_usd(flavor: str) -> int:
    """The price of a minute, in micro USD; 0 for hardware that nobody lists."""
    cents = _CPU[flavor][2] if flavor in _CPU else _GPU[flavor][3] if flavor in _GPU else 0
    return round(cents * 10_000 / 60)


def pretty(flavor: str) -> str:
    return flavor.replace("-", " ").title()


def names() -> list[str]:
    return [*_CPU, *_GPU]


def _item(name: str, cpu: str, ram: str, cents: int, accelerator: dict[str, str] | None) -> dict[str, Any]:
    micro = round(cents * 10_000 / 60)
    return {
        "name": name,
        "prettyName": pretty(name),
        "cpu": cpu,
        "ram": ram,
        "accelerator": accelerator,
        "unitCostMicroUSD": micro,
        "unitCostUSD": micro / 1_000_000,
        "unitLabel": "minute",
    }
