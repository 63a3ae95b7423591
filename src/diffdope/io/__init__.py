"""Reading and writing of files: images, masks, frames, cameras, poses, results; one module for each kind."""
