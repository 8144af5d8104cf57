"""What the Gradio Trackio app keeps and says: the texts and faults that were recorded from its two
generations. Ids of one second, errors as ordinary strings, everything in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

STATUSES = ("running", "completed", "failed", "paused")
METRICS = ("loss", "accuracy", "learning_rate", "gpu_memory", "training_time", "total_tokens", "grad_norm")
SIGNS = {"running": "🟢", "completed": "✅", "failed": "❌", "paused": "⏸️"}


class Store:
    """`later`: the generation of August 2025, else that of July. `now` is the server's clock."""

    def __init__(self, *, later: bool = False, now: Callable[[], datetime] = datetime.now) -> None:
        self.later = later
        self.now = now
        self.rows: dict[str, dict[str, Any]] = {}
        self.current = ""
        self.restart()

    def restart(self) -> None:
        """What every start without a token brings back, and nothing else."""
        self.rows.clear()
        for ref, name in (
            ("exp_20250720_130853", "petite-elle-l-aime-3"),
            ("exp_20250720_134319", "petite-elle-l-aime-3-1"),
        ):
            row = self.add(ref, name, "SmolLM3 fine-tuning", "2025-07-20T11:20:01.780908")
            row["parameters"] = {"batch_size": 8, "learning_rate": 3.5e-06}
            entry = {"step": 25, "timestamp": "2025-07-20T11:20:01", "metrics": {"loss": 1.1}}
            row["metrics"] = [entry]

    def add(self, ref: str, name: str, description: str, created: str) -> dict[str, Any]:
        """Whatever had the id before is gone: that is the fault."""
        self.rows[ref] = {
            "id": ref, "name": name, "description": description, "created": created, "status": "running",
            "parameters": {}, "metrics": [],
        }  # fmt: skip
        self.current = ref
        return self.rows[ref]

    def create_experiment_interface(self, name: str, description: str) -> str:
        now = self.now()
        row = self.add(f"exp_{now.strftime('%Y%m%d_%H%M%S')}", name, description, now.isoformat())
        return (
            f"✅ Experiment created successfully!\nID: {row['id']}\nName: {row['name']}\n"
            f"Status: {row['status']}"
        )

    def list_experiments_interface(self) -> str:
        if not self.rows:
            return "📭 No experiments found. Create one first!"
        told = (
            f"📋 EXPERIMENTS OVERVIEW\n{'=' * 50}\nTotal Experiments: {len(self.rows)}\n"
            f"Current Experiment: {self.current}\n\n"
        )
        for ref, row in self.rows.items():
            told += (
                f"{SIGNS.get(row['status'], '❓')} {ref}\n   Name: {row['name']}\n"
                f"   Status: {row['status']}\n   Created: {row['created']}\n"
                f"   Metrics: {len(row['metrics'])} entries\n"
                f"   Parameters: {len(row['parameters'])} entries\n   Artifacts: 0 entries\n\n"
            )
        return told

    def get_experiment_details(self, experiment_id: str) -> str:
        row = self.rows.get(experiment_id)
        if row is None:
            return f"❌ Experiment {experiment_id} not found"
        gap = "\n" if self.later else "\n\n"
        latest = "No metrics logged yet."
        if row["metrics"]:
            last = row["metrics"][-1]
            body = json.dumps(last["metrics"], indent=2)
            latest = f"Step: {last['step']}\nTimestamp: {last['timestamp']}\nMetrics: {body}"
        return (
            f"\n📊 EXPERIMENT DETAILS\n====================\nID: {row['id']}\nName: {row['name']}\n"
            f"Description: {row['description']}\nStatus: {row['status']}\nCreated: {row['created']}{gap}"
            f"📈 METRICS COUNT: {len(row['metrics'])}\n📋 PARAMETERS COUNT: {len(row['parameters'])}\n"
            f"📦 ARTIFACTS COUNT: 0{gap}🔧 PARAMETERS:\n{json.dumps(row['parameters'], indent=2)}{gap}"
            f"📊 LATEST METRICS:\n{latest}"
        )

    def update_experiment_status_interface(self, experiment_id: str, status: str) -> str:
        if experiment_id in self.rows:
            self.rows[experiment_id]["status"] = status
        return f"✅ Experiment {experiment_id} status updated to {status}"

    def log_parameters_interface(self, experiment_id: str, parameters_json: str) -> str:
        try:
            parameters = json.loads(parameters_json)
            if experiment_id not in self.rows:
                raise ValueError(f"Experiment {experiment_id} not found")
            self.rows[experiment_id]["parameters"].update(parameters)
        except (TypeError, ValueError) as error:
            return f"❌ Error logging parameters: {error}"
        told = json.dumps(parameters, indent=2)
        return f"✅ Parameters logged successfully for experiment {experiment_id}\nParameters: {told}"

    def log_metrics_interface(self, experiment_id: str, metrics_json: str, step: str) -> str:
        try:
            metrics = json.loads(metrics_json)
            number = int(step) if step else None
            if experiment_id not in self.rows:
                raise ValueError(f"Experiment {experiment_id} not found")
            entry = {"step": number, "timestamp": self.now().isoformat(), "metrics": metrics}
            self.rows[experiment_id]["metrics"].append(entry)
        except (TypeError, ValueError) as error:
            return f"❌ Error logging metrics: {error}"
        told = json.dumps(metrics, indent=2)
        return (
            f"✅ Metrics logged successfully for experiment {experiment_id}\nStep: {number}\nMetrics: {told}"
        )

    def create_metrics_plot(self, experiment_id: str, metric_name: str) -> str:
        """The JSON of the figure."""
        entries = self.rows.get(experiment_id, {"metrics": []})["metrics"]
        if not entries:
            return figure([], "No metrics data available")
        known = sorted({name for entry in entries for name in entry["metrics"]})
        if metric_name not in known:
            return figure([], f"Available metrics: {', '.join(known)}")
        steps = [entry["step"] for entry in entries]
        return figure([{"x": steps, "y": [entry["metrics"].get(metric_name) for entry in entries]}])

    def simulate_training_data(self, experiment_id: str) -> str:
        for step in range(0, 1000, 50):
            body = json.dumps({"loss": 2.0 / (step + 1), "accuracy": 0.5})
            self.log_metrics_interface(experiment_id, body, str(step))
        return f"✅ Simulated training data for experiment {experiment_id}\nAdded 20 metric entries"

    def create_demo_experiment(self) -> str:
        self.create_experiment_interface("demo_smollm3_training", "Demo experiment with simulated data")
        self.simulate_training_data(self.current)
        return f"✅ Demo experiment created: {self.current}\nYou can now test the visualization with it!"


def figure(traces: list[Any], note: str = "") -> str:
    layout = {"annotations": [{"text": note}]} if note else {}
    return json.dumps({"data": traces, "layout": layout})
