"""A worker that never gets ready: `python -m tests.camera.sleeper NAME FD`."""

import time

if __name__ == "__main__":
    time.sleep(600)
