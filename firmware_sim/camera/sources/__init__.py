"""Where frames of the real world come from: files, folders, videos, cameras, the screen."""
