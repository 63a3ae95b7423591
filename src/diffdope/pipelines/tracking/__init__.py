"""An object from frame to frame of a film."""
