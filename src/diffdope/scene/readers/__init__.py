"""One reader for each kind of mesh file: bytes into pieces of a mesh, with their colours, and notes."""
