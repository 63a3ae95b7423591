"""The former home of the readers in `diffdope.io`, for one more release; import them from there."""

from diffdope.io.images import as_rgb_texture, read_image, read_rgb
from diffdope.io.masks import read_mask

__all__ = ["as_rgb_texture", "read_image", "read_mask", "read_rgb"]
