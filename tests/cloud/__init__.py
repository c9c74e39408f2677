"""Tests of the cloud: one file per module, and a small world for all of them."""
