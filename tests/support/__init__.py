"""What tests of several kinds share: files, logs, samples of a report, and what holds a mean to theory."""
