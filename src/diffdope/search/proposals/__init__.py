"""Where a search begins: poses, and what screens them."""
