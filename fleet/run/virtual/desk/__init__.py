"""One device on a desk in virtual time: its homes, its cloud, its owners, and hands to touch it."""
