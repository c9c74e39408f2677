"""What happens in a virtual run in words: witnesses who see it, and the vocabulary they use."""
