"""History of readings: points, where they are kept, how they are asked for, and what feeds them."""
