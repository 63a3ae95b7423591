"""Optimisers: from costs and gradients to new poses. They never see a mesh or an image."""
