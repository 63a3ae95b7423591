"""A camera on a robot's hand: its place in the flange, from pictures of an object that stands still."""
