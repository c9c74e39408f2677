"""Tests of the edges of the cloud."""
