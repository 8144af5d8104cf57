"""A real transformers.Trainer on a model of one weight that ends in one of the ways of ending.py.

Usage: python trainer.py WAY FOLDER, with FAKE_STORE as run_cli.py wants it. It logs at steps 1…5.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
import transformers

from hfspace import ExperimentMonitor
from tests.monitor.ending import ENTRIES, end
from tests.monitor.run_cli import install


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def forward(self, x: Any, labels: Any) -> Any:
        return {"loss": ((self.layer(x) - labels) ** 2).mean()}


class Ending(transformers.TrainerCallback):  # type: ignore[misc]
    """Ends the process in the middle: after the last step was logged, before the training ends."""

    def __init__(self, way: str, monitor: ExperimentMonitor) -> None:
        self.way, self.monitor = way, monitor

    def on_log(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        if state.global_step == ENTRIES and state.is_world_process_zero:
            way, self.way = self.way, "normal"
            end(way, self.monitor)


def main(way: str, folder: str) -> None:
    install()
    monitor = ExperimentMonitor("run", space="acme/track", flush_every=0.2, retry_pauses=(0.1, 0.5))
    settings = transformers.TrainingArguments(
        folder, max_steps=ENTRIES, logging_steps=1, per_device_train_batch_size=1, use_cpu=True,
        report_to=[], save_strategy="no", disable_tqdm=True, logging_strategy="steps",
    )  # fmt: skip
    data = [{"x": torch.tensor([float(n)]), "labels": torch.tensor([2.0 * n])} for n in range(20)]
    callbacks = [monitor.callback(), Ending(way, monitor)]
    trainer = transformers.Trainer(
        Model(), settings, train_dataset=data, eval_dataset=data[:2], callbacks=callbacks
    )
    trainer.train()
    trainer.evaluate()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
