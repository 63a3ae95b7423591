"""What is seen: the mesh, and the images of it."""
