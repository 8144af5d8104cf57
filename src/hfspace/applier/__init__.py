"""The executor: makes a plan so."""
