"""Renders meshes, and turns image derivatives into pose derivatives."""
