"""The indicator demo: one small virtual world for each browser, to be watched and touched."""
