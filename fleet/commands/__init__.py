"""What the command `fleet` does: one module per command, imported only when that command runs."""
