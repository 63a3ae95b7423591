"""Poses with no start: in masks, boxes, whole pictures; several instances."""
