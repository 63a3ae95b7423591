"""Proposals, levels, selection: how a minimum is found."""
