"""The planner: pure, from manifest and snapshot to plan."""
