"""The hardware flavors and prices that the local Hub lists (docs/hub/spaces-gpus.md, August 2026)."""

from __future__ import annotations

from typing import Any

_CPU = {
    "cpu-basic": ("2 vCPU", "16 GB", 0),
    "cpu-upgrade": ("8 vCPU", "32 GB", 3),
    "cpu-xl": ("16 vCPU", "124 GB", 100),
}
_GPU = {
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
    "rtx-pro-6000": ("RTX PRO 6000", 1, "96 GB", 275),
    "zero-a10g": ("A10G", 1, "24 GB", 0),
}


def listing() -> list[dict[str, Any]]:
    """GET /api/spaces/hardware: prices per minute, in micro USD."""
    return [_item(name, cpu, ram, cents, None) for name, (cpu, ram, cents) in _CPU.items()] + [
        _item(
            name,
            "8 vCPU",
            "32 GB",
            cents,
            {"type": "gpu", "model": model, "quantity": str(count), "vram": vram, "manufacturer": "Nvidia"},
        )
        for name, (model, count, vram, cents) in _GPU.items()
    ]


def is_known(flavor: str) -> bool:
    return flavor in _CPU or flavor in _GPU


def is_free(flavor: str) -> bool:
    return (_CPU[flavor][2] if flavor in _CPU else _GPU[flavor][3] if flavor in _GPU else 1) == 0


def _item(name: str, cpu: str, ram: str, cents: int, accelerator: dict[str, str] | None) -> dict[str, Any]:
    micro = round(cents * 10_000 / 60)
    return {
        "name": name,
        "prettyName": name.replace("-", " ").title(),
        "cpu": cpu,
        "ram": ram,
        "accelerator": accelerator,
        "unitCostMicroUSD": micro,
        "unitCostUSD": micro / 1_000_000,
        "unitLabel": "minute",
    }
