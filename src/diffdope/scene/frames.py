"""The former home of `diffdope.io.frames`, for one more release; import from there."""

from diffdope.io.frames import Film, Frame, Frames, ImageFolders

__all__ = ["Film", "Frame", "Frames", "ImageFolders"]
