"""What contradicts a result: depth, size, outline, support, border of the mask."""
