"""Tests of the firmware of one device."""
