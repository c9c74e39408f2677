"""What an LED does, read from samples of its light or from video frames of it."""
