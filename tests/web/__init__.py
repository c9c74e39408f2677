"""Tests of the pages and the control API, without sockets."""
