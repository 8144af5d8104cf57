"""Renderings: data in, text out."""
