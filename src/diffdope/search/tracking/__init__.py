"""What a search takes from the frames before."""
