"""Minimisers: they know neither meshes nor images."""
