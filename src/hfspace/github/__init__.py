"""GitHub: the pull-request comment, annotations, summary, outputs, and the issue about drift."""
