"""Tests of the pages over real sockets and in a real browser."""
