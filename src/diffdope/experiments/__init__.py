"""Studies of the method: `diffdope experiment NAME`, one module each, run by one driver."""
