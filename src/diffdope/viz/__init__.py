"""Pictures of a refinement: overlays, curves, films. Arrays in, files out; nothing here renders."""
