"""A run in virtual time: the same people, firmware and cloud as live, other drivers."""
