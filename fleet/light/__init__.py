"""Indicator lights as people see them: colours, beats, meanings, and pictures of them."""
