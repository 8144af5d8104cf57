"""Running apps behind Spaces: what they serve, whether a declaration fits, and calls that are bounded.

Imports nothing: the children that judge a value or make a call start with what they need.
"""
