"""The version, for the package and for what names it to others."""

__version__ = "0.1.0"
